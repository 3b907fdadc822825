"""What people and the AI may do to a transfer. Each records a fact; `advance` draws the conclusion."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from calls.errors import Refused
from calls.events import SYSTEM, Actor, record
from calls.models import Call, Department
from calls.services.calls import locked
from transfers import briefing, parking
from transfers.models import BriefingVersion, Manager, Transfer
from transfers.requests import stays_in_house
from transfers.selectors import open_transfer
from transfers.states import EndReason, TransferState
from transfers.transfer_events import TargetChosen, TransferCancelAsked, TransferDecided
from transfers.waking import wake
from transfers.writing import retarget, touched


def locked_transfer(transfer_id: UUID) -> Transfer:
    """With its call, for the rest of the transaction."""
    call_id = Transfer.objects.values_list("call_id", flat=True).get(pk=transfer_id)
    call = locked(call_id)
    transfer = Transfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
    transfer.call = call
    return transfer


def _still_in(transfer: Transfer, states: tuple[TransferState, ...]) -> None:
    """Refuse a click on what has changed since the person saw it, in words that say what it is now."""
    if transfer.state not in states:
        label = TransferState(transfer.state).label
        if transfer.decided_by is None:
            raise Refused(
                gettext("This transfer is now “%(state)s”. Your click changed nothing.") % {"state": label}
            )
        raise Refused(
            gettext("This transfer is now “%(state)s”. %(user)s was first. Your click changed nothing.")
            % {"state": label, "user": transfer.decided_by.get_username()}
        )


def _briefing_as_seen(transfer: Transfer, seen_version: int | None) -> None:
    """Nobody approves words that they have not read: somebody else may have edited them in this second."""
    if seen_version is not None and transfer.version != seen_version:
        raise Refused(
            gettext("This has changed since you saw it: look at the briefing again, then approve. Nobody is rung.")
        )


def _nobody_elses_edit(transfer: Transfer, user: User, seen_version: int | None) -> None:
    """Two people who edit at once must not overwrite each other unseen."""
    last = transfer.briefings.order_by("-nth").select_related("user").first()
    if seen_version in (None, transfer.version) or last is None or last.user is None or last.user == user:
        return
    raise Refused(
        gettext(
            "%(user)s has edited the briefing since you opened it. Open it again to see theirs; "
            "yours was not saved."
        )
        % {"user": last.user.get_username()}
    )


def approve(
    *, transfer_id: UUID, user: User | None = None, actor: Actor = SYSTEM, seen_version: int | None = None
) -> Transfer:
    """By `user`, else by `actor` (a program's key). Raises Refused."""
    with transaction.atomic():
        transfer = locked_transfer(transfer_id)
        if transfer.approved and user and transfer.decided_by_id == user.pk:
            return transfer  # the second half of a double click
        _still_in(transfer, (TransferState.REQUESTED,))
        _briefing_as_seen(transfer, seen_version)
        return decided(transfer, _by(user, actor), approved=True, user=user)


def decline(*, transfer_id: UUID, user: User | None = None, actor: Actor = SYSTEM, reason: str) -> Transfer:
    with transaction.atomic():
        transfer = locked_transfer(transfer_id)
        if transfer.approved is False and user and transfer.decided_by_id == user.pk:
            return transfer
        _still_in(transfer, (TransferState.REQUESTED,))
        return decided(transfer, _by(user, actor), approved=False, user=user, reason=reason)


def _by(user: User | None, actor: Actor) -> Actor:
    return Actor.of(user) if user else actor


def decided(
    transfer: Transfer, by: Actor, *, approved: bool, user: User | None = None, reason: str = ""
) -> Transfer:
    """Whether anybody is rung; `transfer` is locked. Raises Refused."""
    if transfer.approved is not None:
        raise Refused(gettext("This transfer was already decided. Your click changed nothing."))
    transfer.approved, transfer.decided_by, transfer.decline_reason = approved, user, reason.strip()[:300]
    transfer.save(update_fields=("approved", "decided_by", "decline_reason"))
    record(
        TransferDecided(approved=approved),
        actor=by,
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
        transfer = locked_transfer(transfer_id)
        _still_in(transfer, BEFORE_BRIEFING)
        _nobody_elses_edit(transfer, user, seen_version)
        if not text.strip():
            raise Refused(gettext("The briefing is empty. Write what the manager should hear."))
        briefing.save(transfer, text, author=BriefingVersion.Author.PERSON, user=user)
        return transfer


def choose(
    *, transfer_id: UUID, user: User, department: Department | None, person: Manager | None = None
) -> Transfer:
    """Somebody else than was asked for, as long as nobody is rung. The same choice again changes nothing."""
    with transaction.atomic():
        transfer = locked_transfer(transfer_id)
        if (transfer.department, transfer.person) == (department, person):
            return transfer
        _still_in(transfer, (TransferState.REQUESTED,))
        stays_in_house(transfer.call, department)
        retarget(transfer, department, person)
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


def cancel(*, transfer_id: UUID, user: User | None = None, actor: Actor = SYSTEM) -> Transfer:
    """Stop it in any open state: ringing stops, the caller goes back to the AI."""
    with transaction.atomic():
        transfer = locked_transfer(transfer_id)
        if not transfer.is_open:
            _still_in(transfer, ())
        return cancelled(transfer, EndReason.SUPERVISOR_CANCELLED, _by(user, actor), user)


def caller_wants_back(call: Call) -> None:
    """Key 0 on hold."""
    transfer = open_transfer(call.pk)
    if transfer:
        cancelled(transfer, EndReason.CALLER_RETURNED, Actor("caller"))


def agent_withdrew(call: Call, request_key: UUID) -> None:
    """The code that asked for it goes on without, or did not wait for the answer."""
    transfer = Transfer.objects.filter(call=call, request_key=request_key).first()
    if transfer and transfer.is_open:
        cancelled(transfer, EndReason.CALLER_RETURNED, Actor("ai"))


def caller_chose_callback(transfer: Transfer) -> None:
    """They do not wait any longer."""
    cancelled(transfer, EndReason.CALLBACK, Actor("caller"))


def park(*, transfer_id: UUID, user: User, on_hold: bool) -> Transfer:
    """Hold a joined caller, or let them go on talking; the same click again changes nothing."""
    with transaction.atomic():
        transfer = locked_transfer(transfer_id)
        _still_in(transfer, (TransferState.MERGED,))
        if (transfer.parked_at is not None) == on_hold:
            return transfer
        if on_hold:
            parking.park(transfer, actor=Actor.of(user))
        else:
            parking.unpark(transfer, actor=Actor.of(user))
        wake(transfer.pk)
        return transfer


def cancelled(transfer: Transfer, reason: EndReason, actor: Actor, user: User | None = None) -> Transfer:
    """It is to end so; `transfer` is locked."""
    if transfer.cancel_reason:
        return transfer
    transfer.cancel_reason, transfer.cancelled_by = reason, user
    transfer.save(update_fields=("cancel_reason", "cancelled_by"))
    record(TransferCancelAsked(reason=reason), actor=actor, call_id=transfer.call_id, transfer_id=transfer.pk)
    touched(transfer)
    wake(transfer.pk)
    return transfer
