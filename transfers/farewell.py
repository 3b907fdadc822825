"""How a manager's phone is let go: with last words where somebody can say them, then the room is closed."""

from __future__ import annotations

from datetime import timedelta

from calls import effects
from calls.agents import protocol as p
from calls.services.links import direct
from calls.timing import now
from transfers import merge
from transfers.models import Attempt

LAST_WORDS = timedelta(seconds=6)  # a manager who is being told something keeps the line that long
END_LINGER = timedelta(milliseconds=500)  # of a call's room, when nothing more is said in it


def let_go(attempt: Attempt, told: str) -> None:
    """`told` may be empty: the consultation is closed at once."""
    job = merge.line_job(attempt) if told else None
    if job:
        direct(job, f"leave:{attempt.pk}", p.Leave(words=told))
    effects.ensure("close_consult", attempt.pk, due_at=now() + (LAST_WORDS if job else timedelta(0)))
