"""Putting a caller on hold, and what they hear there."""

from __future__ import annotations

from calls.agents import protocol as p
from calls.services.calls import move_caller
from calls.services.links import addressee, direct
from calls.states import CallerWith
from calls.timing import now
from transfers.models import Transfer


def hold_caller(transfer: Transfer, line: str, progress_line: str) -> None:
    """Once for a hold: a caller who is held already goes on hearing what they hear."""
    if not move_caller(transfer.call, CallerWith.HOLD):
        return
    if transfer.held_at is None:
        transfer.held_at = now()
        transfer.save(update_fields=("held_at",))
    plan = p.HoldPlan(line=line, progress_line=progress_line)
    direct(addressee(transfer.call_id, p.Role.SUPPORT), f"hold:{transfer.pk}", p.Hold(plan=plan))


def change_progress(transfer: Transfer, progress_line: str, *, nth: str) -> None:
    """Another line from now on for a caller on hold; `nth` makes the same change one."""
    plan = p.HoldPlan(line="", progress_line=progress_line)
    direct(addressee(transfer.call_id, p.Role.SUPPORT), f"hold:{transfer.pk}:{nth}", p.Hold(plan=plan))
