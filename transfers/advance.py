"""Does what `decide.next_step` says: one transaction, until the answer is to wait."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from calls import effects
from calls.agents import protocol as p
from calls.compiled import insert_once
from calls.models import Department
from calls.services.calls import change_department, end_call, locked, move_caller
from calls.services.links import addressee, direct
from calls.states import CallerWith
from calls.timing import now
from transfers import after_attempt, after_merge, callback_calls, callbacks, line, merge, parking, refer, words
from transfers import decide as d
from transfers.farewell import END_LINGER, let_go
from transfers.holding import hold_caller
from transfers.models import Attempt, Decision, Transfer, WaitsWith
from transfers.roster import Candidate
from transfers.selectors import facts_of, manager_named
from transfers.states import AttemptState, EndReason, Outcome, TransferState
from transfers.transfer_events import AttemptReserved
from transfers.writing import manager_touched, move_attempt, move_transfer, retarget, touched

MAX_STEPS = 20
# The caller is with another carrier, or was never there: there is nobody to go back to.
LEAVES_THE_CALL = (EndReason.COLD_COMPLETED, EndReason.COLD_UNCONFIRMED, EndReason.CALLER_UNREACHED)


class DidNotSettle(Exception):
    """Step followed step without end: our fault. Nothing of it was kept."""


def advance(transfer_id: UUID) -> None:
    """Bring a transfer as far as the facts allow. Safe to call at any time, by anyone, again."""
    with transaction.atomic():
        call_id = Transfer.objects.filter(pk=transfer_id).values_list("call_id", flat=True).first()
        if call_id is None:
            return
        call = locked(call_id)
        for _ in range(MAX_STEPS):
            transfer = _to_advance().get(pk=transfer_id)
            transfer.call = call
            facts = facts_of(transfer)
            step = d.next_step(facts)
            if isinstance(step, d.Wait):
                _wait(transfer, step)
                return
            _do(step, facts)
            call.refresh_from_db()
        raise DidNotSettle(str(transfer_id))


def _to_advance() -> QuerySet[Transfer]:
    whole = Transfer.objects.select_related("department__policy", "person")
    return whole.select_for_update(of=("self",))


def _wait(transfer: Transfer, step: d.Wait) -> None:
    """Sleep until the deadline, however late the hint for it is."""
    wake_at = step.look_at or step.until
    if transfer.deadline_at != step.until or transfer.wake_at != wake_at:
        Transfer.objects.filter(pk=transfer.pk).update(deadline_at=step.until, wake_at=wake_at)


def _do(step: d.Step, facts: d.Facts) -> None:
    match step:
        case d.Queue():
            move_transfer(facts.transfer, TransferState.QUEUED)
        case d.StandInLine():
            line.enter(facts)
        case d.SayGoodbye():
            refer.begin(facts, step.candidate)
        case d.Refer():
            refer.ask(facts)
        case d.RingCaller():
            callback_calls.ring_caller(facts)
        case d.Reserve():
            _reserve(facts, step.candidate)
        case d.Consult():
            move_transfer(facts.transfer, TransferState.CONSULTING)
        case d.Unpark():
            parking.unpark(facts.transfer)
        case d.CloseAttempt():
            _close(facts, step.outcome, step.detail)
        case d.StartMerge():
            move_transfer(facts.transfer, TransferState.MERGING)
            merge.begin(facts)
        case d.Merged():
            _merged(facts)
        case d.Complete():
            after_merge.complete(facts, step.then)
        case d.Finish():
            _finish(facts, step)


def _reserve(facts: d.Facts, candidate: Candidate) -> None:
    transfer = facts.transfer
    attempt = Attempt(
        transfer=transfer,
        nth=facts.attempts_made + 1,
        manager_id=candidate.manager_id,
        endpoint_id=candidate.endpoint_id,
        ring_time_s=candidate.ring_time_s,
        desk=candidate.desk,
        strategy=merge.strategy_for(candidate),
        ranking=facts.ranking.as_json(),
        reserved_at=now(),
    )
    if not insert_once(attempt):
        return  # somebody else reserved this manager meanwhile: the next ranking passes them over
    actor_facts = AttemptReserved(nth=attempt.nth, manager_id=str(candidate.manager_id))
    _record_attempt(attempt, actor_facts)
    left = now() if transfer.queued_at else None
    move_transfer(transfer, TransferState.CONNECTING, queue_left_at=transfer.queue_left_at or left)
    effects.ensure("ring_desk" if attempt.desk else "dial", attempt.pk)
    if transfer.waits_with == WaitsWith.HOLD:
        hold_caller(transfer, facts.policy.hold_line, facts.policy.progress_line)
    manager_touched(attempt)


def _record_attempt(attempt: Attempt, body: AttemptReserved) -> None:
    from calls.events import SYSTEM, record

    record(
        body,
        actor=SYSTEM,
        call_id=attempt.transfer.call_id,
        transfer_id=attempt.transfer_id,
        attempt_id=attempt.pk,
    )


def _close(facts: d.Facts, outcome: Outcome, detail: str = "") -> None:
    """End an attempt that was not merged: last words, a quiet phone, the manager free again."""
    attempt = facts.attempt
    assert attempt is not None
    told = words.for_manager(facts, outcome)
    if not move_attempt(attempt, AttemptState.FAILED, outcome=outcome, outcome_detail=detail):
        return
    if outcome == Outcome.REDIRECTED and facts.decision and not facts.call.is_practice:
        _redirect(facts.transfer, facts.decision)
    if facts.decision and facts.decision.kind == p.DecisionKind.NOT_TODAY:
        after_attempt.not_today(attempt)
    let_go(attempt, told)
    if attempt.answered_at:
        after_attempt.talked(attempt, facts.policy)
    else:
        after_attempt.missed(attempt, facts.policy)


def _redirect(transfer: Transfer, decision: Decision) -> None:
    """The manager named somebody else: ask there next, if the name is of the roster."""
    known = Department.objects.of(transfer.call)
    department = known.filter(name__iexact=decision.redirect_department).first()
    wanted = decision.redirect_person
    person = manager_named(transfer.call, wanted, department) if wanted else None
    if department is None and person is None:
        return
    department = department or (person.departments.first() if person else None)
    retarget(transfer, department, person)
    change_department(transfer.call, department, actor=_manager_actor(decision))
    touched(transfer)


def _manager_actor(decision: Decision):  # type: ignore[no-untyped-def]
    from calls.events import Actor

    return Actor("manager", str(decision.attempt.manager_id))


def _merged(facts: d.Facts) -> None:
    transfer, attempt, call = facts.transfer, facts.attempt, facts.call
    assert attempt is not None
    move_attempt(attempt, AttemptState.MERGED, merged_at=now())
    move_transfer(transfer, TransferState.MERGED, merged_at=now(), deadline_at=None)
    move_caller(call, CallerWith.MANAGER)
    merge.joined(facts)


def _finish(facts: d.Facts, step: d.Finish) -> None:
    transfer, call = facts.transfer, facts.call
    if facts.attempt and facts.attempt.is_open:
        _close(facts, step.outcome, "hold limit" if step.outcome == Outcome.TIMED_OUT else "")
    told = words.for_caller(facts, step.reason) if call.is_live else ""
    move_transfer(
        transfer,
        step.state,
        end_reason=step.reason,
        words_for_caller=told,
        ended_at=now(),
        deadline_at=None,
        wake_at=None,
    )
    line.moved_up(transfer)
    callbacks.transfer_over(transfer)
    if not call.is_live:
        return
    if step.reason in LEAVES_THE_CALL:
        end_call(call, reason=step.reason, linger=END_LINGER)
        return
    if not facts.caller_here:  # a callback's, who did not pick up yet
        end_call(call, reason=step.reason)
        return
    if call.caller_with == CallerWith.SUPERVISOR:
        return  # who gives them back themselves
    was_held = move_caller(call, CallerWith.AI)
    if not told and not was_held and transfer.endpoint_id is None:
        return  # they are talking to the AI, and it knows; code that asked waits for an answer
    resume = p.Resume(words=told, outcome=step.reason)
    direct(addressee(call.pk, p.Role.SUPPORT), f"resume:{transfer.pk}", resume)
