"""Hold and resume of a caller who talks to a manager: the line carries nothing meanwhile."""

from __future__ import annotations

from datetime import timedelta

from calls import effects
from calls.agents import protocol as p
from calls.events import SYSTEM, Actor, record
from calls.services.calls import move_caller
from calls.services.links import addressee, direct
from calls.states import CallerWith
from calls.timing import now
from transfers import merge
from transfers.models import Transfer
from transfers.selectors import facts_of, policy_of
from transfers.transfer_events import Parked
from transfers.writing import touched


def park(transfer: Transfer, *, actor: Actor) -> None:
    """Music for the caller, silence for the manager."""
    transfer.parked_at = now()
    transfer.save(update_fields=("parked_at",))
    move_caller(transfer.call, CallerWith.HOLD, actor=actor)
    plan = p.HoldPlan(line="", progress_line=policy_of(transfer.department).progress_line)
    _carry(transfer, _key(transfer, "pause"), on=False)
    direct(addressee(transfer.call_id, p.Role.SUPPORT), _key(transfer, "park"), p.Hold(plan=plan))
    _told(transfer, actor, on_hold=True)


def unpark(transfer: Transfer, *, actor: Actor = SYSTEM) -> None:
    """They hear each other again; nobody is introduced a second time."""
    key = _key(transfer, "unpark")
    transfer.parked_at = None
    transfer.save(update_fields=("parked_at",))
    move_caller(transfer.call, CallerWith.MANAGER, actor=actor)
    again = merge.message(facts_of(transfer)).model_copy(update={"introduction": ""})
    direct(addressee(transfer.call_id, p.Role.SUPPORT), key, again)
    _carry(transfer, f"{key}:carry", on=True)
    _told(transfer, actor, on_hold=False)


def _key(transfer: Transfer, what: str) -> str:
    """Each hold is one of its own: it may happen again."""
    assert transfer.parked_at is not None
    return f"{what}:{transfer.pk}:{transfer.parked_at.timestamp()}"


def _carry(transfer: Transfer, key: str, *, on: bool) -> None:
    attempt = transfer.attempts.order_by("-nth").first()
    assert attempt is not None
    if attempt.strategy == "relay":
        direct(merge.line_job(attempt), key, p.Carry(on=on))
    else:
        effects.once_more("separate", attempt.pk, pause=timedelta(0))


def _told(transfer: Transfer, actor: Actor, *, on_hold: bool) -> None:
    record(Parked(on_hold=on_hold), actor=actor, call_id=transfer.call_id, transfer_id=transfer.pk)
    touched(transfer)
