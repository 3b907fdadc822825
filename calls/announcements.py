"""Facts that `calls` announces inside their transaction; `transfers` listens (`transfers/receivers.py`)."""

from __future__ import annotations

from django.dispatch import Signal

call_ended = Signal()  # call
call_erased = Signal()  # call: what was said in it is gone, and who called
agent_reported = Signal()  # job, body (protocol.UpBody), at
job_opened = Signal()  # job
job_closed = Signal()  # job
leg_joined = Signal()  # leg
leg_left = Signal()  # leg
leg_status_changed = Signal()  # leg
taken_over = Signal()  # call, user: a supervisor talks to the caller, and nobody else does
barging = Signal()  # grant, on: whether a supervisor who joined in is to be heard
consult_room_seen = Signal()  # attempt_id, room_name: it exists; who knows the attempt knows whether it should
