"""What follows when caller and manager are no longer joined, or one of them wants something else."""

from __future__ import annotations

from uuid import uuid5

from calls import effects
from calls.agents import protocol as p
from calls.events import SYSTEM, Actor
from calls.link import registry
from calls.models import Call
from calls.services.calls import end_call, move_caller
from calls.services.links import addressee, direct
from calls.services.snapshot import snapshot_of
from calls.states import CallerWith
from calls.timing import now
from transfers import after_attempt, callbacks, words
from transfers.decide import Facts, Next
from transfers.farewell import END_LINGER, let_go
from transfers.models import Attempt, Manager, Transfer, WaitsWith
from transfers.requests import follow
from transfers.states import AttemptState, EndReason, TransferState
from transfers.writing import move_attempt, move_transfer

AGAIN = (Next.REDIAL, Next.NEXT_MANAGER, Next.ANOTHER)


def complete(facts: Facts, then: Next) -> None:
    """The transfer is over and was a success; the caller, if still there, goes where `then` says."""
    transfer, attempt, call = facts.transfer, facts.attempt, facts.call
    assert attempt is not None
    move_attempt(attempt, AttemptState.ENDED)
    told = words.after_merge(then)
    move_transfer(
        transfer,
        TransferState.COMPLETED,
        end_reason=EndReason.CONNECTED,
        words_for_caller=told,
        ended_at=now(),
        deadline_at=None,
        wake_at=None,
        parked_at=None,
    )
    if then != Next.REDIAL:  # whoever was cut off is called again at once
        after_attempt.talked(attempt, facts.policy)
    callbacks.transfer_over(transfer)
    let_go(attempt, words.last_to_manager(then))
    if attempt.strategy != "relay":
        effects.ensure("remove_manager", attempt.pk)
    if then == Next.END:
        end_call(call, reason="manager_left", linger=END_LINGER)
    if not call.is_live or then == Next.TAKEN_OVER:
        return
    if then in AGAIN:
        _follow(transfer, attempt, then)
    _back(call, transfer, told, then)


def _back(call: Call, transfer: Transfer, told: str, then: Next) -> None:
    """The AI takes the caller up again, knowing all that was said meanwhile."""
    move_caller(call, CallerWith.AI)
    job = addressee(call.pk, p.Role.SUPPORT)
    if job is None:
        return
    known = registry.enriched(job, snapshot_of(job))
    resume = p.Resume(words=told, outcome=EndReason.CONNECTED, snapshot=known, asks_whether_done=then == Next.ASK)
    direct(job, f"back:{transfer.pk}", resume)


def _follow(transfer: Transfer, attempt: Attempt, then: Next) -> None:
    """A transfer that follows: the same manager again, or others. The caller waits with the AI if cut off."""
    again: Manager | None = attempt.manager if then == Next.REDIAL else None
    follow(
        transfer,
        key=uuid5(transfer.pk, then),
        prefer=again,
        spare=None if again else attempt.manager,
        waits_with=WaitsWith.HOLD if then == Next.ANOTHER else WaitsWith.AI,
        by=Actor("manager", str(attempt.manager_id)) if then == Next.ANOTHER else SYSTEM,
    )
