"""What people, agents and phones may do to a transfer. Each records a fact; `advance` draws the conclusion."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from calls import effects
from calls.agents import protocol as p
from calls.errors import Refused
from calls.events import Actor, record
from calls.hints import hint
from calls.models import Call, Department
from calls.services.calls import locked
from calls.timing import now
from transfers import after_attempt, briefing
from transfers.models import Attempt, BriefingVersion, Decision, Manager, Transfer
from transfers.selectors import manager_named, open_transfer, policy_of
from transfers.states import UNANSWERED, AttemptState, EndReason, Outcome, TransferState
from transfers.transfer_events import (
    ManagerDecided,
    TargetChosen,
    TransferCancelAsked,
    TransferDecided,
    TransferRequested,
)
from transfers.writing import move_attempt, touched


def wake(transfer_id: UUID) -> None:
    """A fact was recorded: let `advance` look at it now; the clock finds it if the hint is lost."""
    from transfers.tasks import advance

    Transfer.objects.filter(pk=transfer_id).update(wake_at=now())
    hint(advance, str(transfer_id))


def request_transfer(
    *,
    call_id: UUID,
    key: UUID,
    reason: str,
    department: Department | None = None,
    person: Manager | None = None,
    briefing_text: str = "",
    user: User | None = None,
    actor: Actor | None = None,
    seen_version: int | None = None,
) -> Transfer:
    """Ask for a person; the same `key` is the same request.

    By `user`, else by `actor` (a rehearsal's), else by the AI.
    """
    try:
        with transaction.atomic():
            call = locked(call_id)
            again = Transfer.objects.filter(request_key=key).first()
            if again:
                return again
            if not call.is_live:
                raise Refused("The call has ended, so there is nobody to transfer.")
            if open_transfer(call_id):
                raise Refused("A transfer of this call is already under way. Nothing was changed.")
            if call.caller_with == p.CallerWith.MANAGER:
                raise Refused("The caller is already talking to a manager. Nothing was changed.")
            by = Actor.of(user) if user else actor or Actor("ai")
            return _create(call, key, reason, department, person, briefing_text, user, by)
    except IntegrityError as error:
        again = Transfer.objects.filter(request_key=key).first()
        if again:
            return again
        raise Refused("A transfer of this call is already under way. Nothing was changed.") from error


def _create(
    call: Call,
    key: UUID,
    reason: str,
    department: Department | None,
    person: Manager | None,
    text: str,
    user: User | None,
    by: Actor,
) -> Transfer:
    target = department or call.department or (person.departments.first() if person else None)
    transfer = Transfer.objects.create(
        call=call,
        request_key=key,
        reason=reason.strip()[:500],
        department=target,
        person=person,
        profile=call.profile,
        requested_by=user,
        requested_at=now(),
    )
    record(
        TransferRequested(
            kind=transfer.kind,
            by=by.kind,
            department_id=target.pk if target else None,
            person_id=str(person.pk) if person else "",
        ),
        actor=by,
        call_id=call.pk,
        transfer_id=transfer.pk,
        payload={"reason": transfer.reason},
    )
    briefing.save(transfer, briefing.draft(call, reason=reason), author=BriefingVersion.Author.EXTRACTION)
    if text.strip():
        author = BriefingVersion.Author.PERSON if user else BriefingVersion.Author.AI
        briefing.save(transfer, text, author=author, user=user)
    touched(transfer)
    wake(transfer.pk)
    return transfer


def request_by_agent(call: Call, body: p.TransferRequested) -> Transfer | None:
    """The AI's request, by names of the roster. None if it cannot be: the AI is with the caller anyway."""
    department = (
        Department.objects.of(call).filter(name__iexact=body.department).first() if body.department else None
    )
    person = manager_named(call, body.person, department or call.department) if body.person else None
    try:
        return request_transfer(
            call_id=call.pk,
            key=body.request_id,
            reason=body.reason,
            department=department,
            person=person,
            briefing_text=body.briefing,
        )
    except Refused:
        return None


def _locked(transfer_id: UUID) -> Transfer:
    call_id = Transfer.objects.values_list("call_id", flat=True).get(pk=transfer_id)
    call = locked(call_id)
    transfer = Transfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
    transfer.call = call
    return transfer


def _still_in(transfer: Transfer, states: tuple[TransferState, ...]) -> None:
    """Refuse a click on what has changed since the person saw it, in words that say what it is now."""
    if transfer.state not in states:
        label = TransferState(transfer.state).label
        by = f" {transfer.decided_by.get_username()} was first." if transfer.decided_by else ""
        raise Refused(f"This transfer is now “{label}”.{by} Your click changed nothing.")


def _briefing_as_seen(transfer: Transfer, seen_version: int | None) -> None:
    """Nobody approves words that they have not read: somebody else may have edited them in this second."""
    if seen_version is not None and transfer.version != seen_version:
        raise Refused(
            "This has changed since you saw it: look at the briefing again, then approve. Nobody is rung."
        )


def _nobody_elses_edit(transfer: Transfer, user: User, seen_version: int | None) -> None:
    """Two people who edit at once must not overwrite each other unseen."""
    last = transfer.briefings.order_by("-nth").select_related("user").first()
    if seen_version in (None, transfer.version) or last is None or last.user is None or last.user == user:
        return
    raise Refused(
        f"{last.user.get_username()} has edited the briefing since you opened it. Open it again to see theirs; "
        "yours was not saved."
    )


def approve(*, transfer_id: UUID, user: User, seen_version: int | None = None) -> Transfer:
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if transfer.approved and transfer.decided_by_id == user.pk:
            return transfer  # the second half of a double click
        _still_in(transfer, (TransferState.REQUESTED,))
        _briefing_as_seen(transfer, seen_version)
        return _decided(transfer, user, approved=True, reason="")


def decline(*, transfer_id: UUID, user: User, reason: str) -> Transfer:
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if transfer.approved is False and transfer.decided_by_id == user.pk:
            return transfer
        _still_in(transfer, (TransferState.REQUESTED,))
        return _decided(transfer, user, approved=False, reason=reason)


def _decided(transfer: Transfer, user: User, *, approved: bool, reason: str) -> Transfer:
    if transfer.approved is not None:
        raise Refused("This transfer was already decided. Your click changed nothing.")
    transfer.approved, transfer.decided_by, transfer.decline_reason = approved, user, reason.strip()[:300]
    transfer.save(update_fields=("approved", "decided_by", "decline_reason"))
    record(
        TransferDecided(approved=approved),
        actor=Actor.of(user),
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
        payload={"reason": reason} if reason else None,
    )
    touched(transfer)
    wake(transfer.pk)
    return transfer


BEFORE_BRIEFING = (TransferState.REQUESTED, TransferState.QUEUED, TransferState.CONNECTING)


def edit_briefing(*, transfer_id: UUID, user: User, text: str, seen_version: int | None = None) -> Transfer:
    """What is saved is what is spoken, as long as it has not been spoken."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        _still_in(transfer, BEFORE_BRIEFING)
        _nobody_elses_edit(transfer, user, seen_version)
        if not text.strip():
            raise Refused("The briefing is empty. Write what the manager should hear.")
        briefing.save(transfer, text, author=BriefingVersion.Author.PERSON, user=user)
        return transfer


def choose(
    *, transfer_id: UUID, user: User, department: Department | None, person: Manager | None = None
) -> Transfer:
    """Somebody else than was asked for, as long as nobody is rung. The same choice again changes nothing."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if (transfer.department, transfer.person) == (department, person):
            return transfer
        _still_in(transfer, (TransferState.REQUESTED,))
        transfer.department, transfer.person = department, person
        transfer.save(update_fields=("department", "person"))
        record(
            TargetChosen(
                department_id=department.pk if department else None, person_id=str(person.pk) if person else ""
            ),
            actor=Actor.of(user),
            call_id=transfer.call_id,
            transfer_id=transfer.pk,
        )
        touched(transfer)
        wake(transfer.pk)
        return transfer


def cancel(*, transfer_id: UUID, user: User) -> Transfer:
    """Stop it in any open state: ringing stops, the caller goes back to the AI."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if not transfer.is_open:
            _still_in(transfer, ())
        return _cancel(transfer, EndReason.SUPERVISOR_CANCELLED, Actor.of(user), user)


def caller_wants_back(call: Call) -> None:
    """Key 0 on hold."""
    transfer = open_transfer(call.pk)
    if transfer:
        _cancel(transfer, EndReason.CALLER_RETURNED, Actor("caller"), None)


def _cancel(transfer: Transfer, reason: EndReason, actor: Actor, user: User | None) -> Transfer:
    if transfer.cancel_reason:
        return transfer
    transfer.cancel_reason, transfer.cancelled_by = reason, user
    transfer.save(update_fields=("cancel_reason", "cancelled_by"))
    record(TransferCancelAsked(reason=reason), actor=actor, call_id=transfer.call_id, transfer_id=transfer.pk)
    touched(transfer)
    wake(transfer.pk)
    return transfer


# ── facts of an attempt ──────────────────────────────────────────────────────────────────────────


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
    if move_attempt(_locked_attempt(attempt), AttemptState.SUMMARIZING, answered_at=now()):
        wake(attempt.transfer_id)


@transaction.atomic
def ringing(attempt: Attempt) -> None:
    move_attempt(_locked_attempt(attempt), AttemptState.RINGING, ringing_at=now())


@transaction.atomic
def unanswered(attempt: Attempt, *, outcome: Outcome, sip_status: int | None, retryable: bool) -> None:
    """The dial's own word of why nobody answered."""
    if _locked_attempt(attempt).state in UNANSWERED and move_attempt(
        attempt, AttemptState.FAILED, outcome=outcome, sip_status=sip_status, retryable=retryable
    ):
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
