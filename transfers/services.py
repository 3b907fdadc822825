"""What people and the AI may do to a transfer. Each records a fact; `advance` draws the conclusion."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from calls.agents import protocol as p
from calls.errors import Refused
from calls.events import Actor, record
from calls.models import Call, Department
from calls.services.calls import locked
from calls.timing import now
from transfers import briefing, parking
from transfers.models import BriefingVersion, Callback, Manager, Transfer, WaitsWith
from transfers.selectors import manager_named, open_transfer, phone_leg, policy_of
from transfers.states import EndReason, TransferState
from transfers.transfer_events import TargetChosen, TransferCancelAsked, TransferDecided, TransferRequested
from transfers.waking import wake
from transfers.writing import touched


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
    kind: Transfer.Kind = Transfer.Kind.WARM,
) -> Transfer:
    """Ask for a person; the same `key` is the same request. Raises Refused.

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
            if Transfer.objects.filter(call=call, state=TransferState.MERGED).exists():
                raise Refused("The caller is already talking to a manager. Nothing was changed.")
            if kind == Transfer.Kind.COLD:
                _can_be_referred(call)
            by = Actor.of(user) if user else actor or Actor("ai")
            return _create(call, key, kind, reason, department, person, briefing_text, user, by)
    except IntegrityError as error:
        again = Transfer.objects.filter(request_key=key).first()
        if again:
            return again
        raise Refused("A transfer of this call is already under way. Nothing was changed.") from error


def _create(
    call: Call,
    key: UUID,
    kind: Transfer.Kind,
    reason: str,
    department: Department | None,
    person: Manager | None,
    text: str,
    user: User | None,
    by: Actor,
) -> Transfer:
    cold = kind == Transfer.Kind.COLD
    made = _make(
        call,
        by,
        request_key=key,
        kind=kind,
        waits_with=WaitsWith.AI if cold else WaitsWith.HOLD,
        reason=reason.strip()[:500],
        department=department or call.department or (person.departments.first() if person else None),
        person=person,
        requested_by=user,
    )
    briefing.save(made, briefing.draft(call, reason=reason), author=BriefingVersion.Author.EXTRACTION)
    if text.strip():
        author = BriefingVersion.Author.PERSON if user else BriefingVersion.Author.AI
        briefing.save(made, text, author=author, user=user)
    return made


def _make(call: Call, by: Actor, **fields: Any) -> Transfer:
    """The row and its event; the briefing is drafted by whoever asked for it."""
    made = Transfer.objects.create(call=call, profile=call.profile, requested_at=now(), **fields)
    record(
        TransferRequested(
            kind=made.kind,
            by=by.kind,
            department_id=made.department_id,
            person_id=str(made.person_id or ""),
            follows_id=str(made.follows_id or ""),
        ),
        actor=by,
        call_id=call.pk,
        transfer_id=made.pk,
        payload={"reason": made.reason},
    )
    touched(made)
    wake(made.pk)
    return made


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
            kind=Transfer.Kind.COLD if _ai_may_refer(call, department, body) else Transfer.Kind.WARM,
        )
    except Refused:
        return None


def _ai_may_refer(call: Call, department: Department | None, body: p.TransferRequested) -> bool:
    """Only where the department allows it; otherwise it is a warm one."""
    return body.cold and policy_of(department or call.department).ai_may_refer


def follow(
    earlier: Transfer,
    *,
    key: UUID,
    by: Actor,
    prefer: Manager | None = None,
    spare: Manager | None = None,
    waits_with: WaitsWith = WaitsWith.HOLD,
) -> Transfer:
    """The same caller's next transfer, after one that was joined: nobody has to approve it again.

    Drafted anew from all that was said since. `prefer` is called first, `spare` not at all.
    """
    call = earlier.call
    made = _make(
        call,
        by,
        request_key=key,
        reason=earlier.reason,
        department=earlier.department,
        follows=earlier,
        prefer=prefer,
        spare=spare,
        waits_with=waits_with,
        approved=True,
    )
    briefing.save(made, briefing.draft(call, reason=made.reason), author=BriefingVersion.Author.EXTRACTION)
    return made


def request_callback_transfer(*, call: Call, callback: Callback, manager: Manager, user: User) -> Transfer:
    """The transfer of a call that is made for a callback: its claimer is rung first, the caller afterwards."""
    made = _make(
        call,
        Actor.of(user),
        request_key=uuid4(),
        reason=f"Callback: {callback.preferred}".rstrip(": "),
        department=callback.department,
        person=manager,
        prefer=manager,
        follows=callback.transfer,
        waits_with=WaitsWith.AI,
        requested_by=user,
    )
    text = callback.briefing or briefing.draft(callback.call, reason=made.reason)
    briefing.save(made, text, author=BriefingVersion.Author.EXTRACTION)
    return made


def _can_be_referred(call: Call) -> None:
    """A cold transfer needs a caller's carrier that can be asked to call somebody else."""
    if phone_leg(call) is None:
        raise Refused("This caller is not on a telephone, so no carrier can be asked to call somebody else.")
    if call.caller_with != p.CallerWith.AI:
        raise Refused("The caller is not with the AI now. Nothing was changed.")


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


def caller_chose_callback(transfer: Transfer) -> None:
    """They do not wait any longer."""
    _cancel(transfer, EndReason.CALLBACK, Actor("caller"), None)


def park(*, transfer_id: UUID, user: User, on_hold: bool) -> Transfer:
    """Hold a joined caller, or let them go on talking; the same click again changes nothing."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        _still_in(transfer, (TransferState.MERGED,))
        if (transfer.parked_at is not None) == on_hold:
            return transfer
        if on_hold:
            parking.park(transfer, actor=Actor.of(user))
        else:
            parking.unpark(transfer, actor=Actor.of(user))
        wake(transfer.pk)
        return transfer


def _cancel(transfer: Transfer, reason: EndReason, actor: Actor, user: User | None) -> Transfer:
    if transfer.cancel_reason:
        return transfer
    transfer.cancel_reason, transfer.cancelled_by = reason, user
    transfer.save(update_fields=("cancel_reason", "cancelled_by"))
    record(TransferCancelAsked(reason=reason), actor=actor, call_id=transfer.call_id, transfer_id=transfer.pk)
    touched(transfer)
    wake(transfer.pk)
    return transfer
