"""What phones, managers and agents tell of an attempt. Each records a fact; `advance` draws the conclusion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from calls import effects
from calls.agents import protocol as p
from calls.events import Actor, record
from calls.services.calls import locked
from calls.timing import now
from transfers import after_attempt
from transfers.models import Attempt, Decision, HandOver, Transfer
from transfers.selectors import policy_of
from transfers.states import UNANSWERED, AttemptState, Outcome, TransferState
from transfers.transfer_events import HandedOver, ManagerDecided
from transfers.waking import wake
from transfers.writing import move_attempt, touched


def decide(attempt: Attempt, body: p.ManagerDecision) -> Decision:
    """The manager's answer: the first one of an attempt is kept, and returned for every later one."""
    decision, made = Decision.objects.get_or_create(
        attempt=attempt,
        defaults={
            "kind": body.decision,
            "via": body.via,
            "reason": body.reason[:300],
            "redirect_department": body.redirect_department[:80],
            "redirect_person": body.redirect_person[:80],
            "at": now(),
        },
    )
    if made:
        record(
            ManagerDecided(decision=body.decision, via=body.via),
            actor=Actor("manager", str(attempt.manager_id)),
            call_id=attempt.transfer.call_id,
            transfer_id=attempt.transfer_id,
            attempt_id=attempt.pk,
            payload={"reason": body.reason} if body.reason else None,
        )
        wake(attempt.transfer_id)
    return decision


def _locked_attempt(attempt: Attempt) -> Attempt:
    """As it is now, with its call locked before anything of it is changed: facts come from many sides at once."""
    locked(attempt.transfer.call_id)
    attempt.refresh_from_db()
    return attempt


@transaction.atomic
def answered(attempt: Attempt) -> None:
    """They are on the line. On a desk whoever accepted on screen has answered with that: it counts from now on."""
    if move_attempt(_locked_attempt(attempt), AttemptState.SUMMARIZING, answered_at=now()):
        wake(attempt.transfer_id)
        if attempt.desk and attempt.accepted_at:
            decide(attempt, p.ManagerDecision(decision=p.DecisionKind.ACCEPT, via="screen"))


@transaction.atomic
def ringing(attempt: Attempt) -> None:
    move_attempt(_locked_attempt(attempt), AttemptState.RINGING, ringing_at=now())


@transaction.atomic
def unanswered(
    attempt: Attempt, *, outcome: Outcome, sip_status: int | None, retryable: bool, detail: str = ""
) -> None:
    """The dial's own word of why nobody answered."""
    how: dict[str, Any] = {
        "outcome": outcome,
        "outcome_detail": detail,
        "sip_status": sip_status,
        "retryable": retryable,
    }
    if _locked_attempt(attempt).state in UNANSWERED and move_attempt(attempt, AttemptState.FAILED, **how):
        after_attempt.missed(attempt, policy_of(attempt.transfer.department))
        wake(attempt.transfer_id)


@transaction.atomic
def agent_lost(attempt: Attempt) -> None:
    """No TransferAgent comes: whoever is rung or waits on the phone is let go, and the next is tried."""
    working = (*UNANSWERED, AttemptState.SUMMARIZING)
    if _locked_attempt(attempt).state in working and move_attempt(
        attempt, AttemptState.FAILED, outcome=Outcome.AGENT_LOST, retryable=True
    ):
        effects.once_more("close_consult", attempt.pk, pause=timedelta(0))
        wake(attempt.transfer_id)


@transaction.atomic
def merge_failed(attempt: Attempt, why: str) -> None:
    """Whoever was to join the two says that it cannot: no need to wait for the limit."""
    _locked_attempt(attempt)
    merging = Transfer.objects.filter(pk=attempt.transfer_id, state=TransferState.MERGING).exists()
    if merging and attempt.bridged_at is None:
        Attempt.objects.filter(pk=attempt.pk).update(merge_error=why[:80] or "failed")
        wake(attempt.transfer_id)


@transaction.atomic
def stamp(attempt: Attempt, field: str) -> None:
    """Note when something happened first; a later word of it changes nothing."""
    _locked_attempt(attempt)
    if Attempt.objects.filter(pk=attempt.pk, **{f"{field}__isnull": True}).update(**{field: now()}):
        touched(attempt.transfer)
        wake(attempt.transfer_id)


@transaction.atomic
def hand_over(attempt: Attempt, what: HandOver) -> None:
    """`*0` and `*1` of a manager who talks to the caller; the first one counts."""
    locked(attempt.transfer.call_id)
    merged = Transfer.objects.filter(pk=attempt.transfer_id, state=TransferState.MERGED, handed_over="")
    if not merged.update(handed_over=what):
        return
    record(
        HandedOver(to=what),
        actor=Actor("manager", str(attempt.manager_id)),
        call_id=attempt.transfer.call_id,
        transfer_id=attempt.transfer_id,
        attempt_id=attempt.pk,
    )
    wake(attempt.transfer_id)
