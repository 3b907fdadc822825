"""The one writer of the two lifecycles: compare-and-set by the table, an event, and word to the pages."""

from __future__ import annotations

from typing import Any

from calls.events import SYSTEM, Actor, record
from calls.live.publish import changed
from calls.models import Department
from calls.services.supervision import side_over
from calls.states import IllegalTransition
from calls.timing import now
from calls.versions import count_up
from transfers.models import Attempt, Manager, Transfer
from transfers.states import (
    ATTEMPT_TRANSITIONS,
    OPEN_ATTEMPT,
    TRANSFER_TRANSITIONS,
    AttemptState,
    TransferState,
)
from transfers.transfer_events import AttemptMoved, TransferMoved


def move_transfer(transfer: Transfer, to: TransferState, *, actor: Actor = SYSTEM, **fields: Any) -> None:
    """Move it along the table with `fields` written beside; raises IllegalTransition otherwise."""
    source = TransferState(transfer.state)
    if to not in TRANSFER_TRANSITIONS[source]:
        raise IllegalTransition(f"transfer {source} → {to}")
    try:
        count_up(transfer, was={"state": source}, state=to, **fields)
    except Transfer.DoesNotExist:
        raise IllegalTransition(f"transfer {source} → {to}: it has moved meanwhile") from None
    record(
        TransferMoved(from_state=source, to_state=to, end_reason=transfer.end_reason),
        actor=actor,
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
    )
    _shown(transfer)


def move_attempt(attempt: Attempt, to: AttemptState, *, actor: Actor = SYSTEM, **fields: Any) -> bool:
    """Move it along the table; False if a late fact asks for a state that is behind. Ends are stamped."""
    attempt.refresh_from_db(fields=_OWN)
    source = AttemptState(attempt.state)
    if to not in ATTEMPT_TRANSITIONS[source]:
        return False
    if to not in OPEN_ATTEMPT:
        fields.setdefault("ended_at", now())
    try:
        count_up(attempt, was={"state": source}, state=to, **fields)
    except Attempt.DoesNotExist:
        return False
    transfer = attempt.transfer
    record(
        AttemptMoved(
            from_state=source,
            to_state=to,
            outcome=attempt.outcome,
            detail=attempt.outcome_detail,
            sip_status=attempt.sip_status,
        ),
        actor=actor,
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
        attempt_id=attempt.pk,
    )
    touched(transfer)
    manager_touched(attempt)
    if to not in OPEN_ATTEMPT:
        side_over(attempt.pk)
    return True


# What an attempt is itself: it never becomes another transfer's or manager's, so these are not read anew.
_OWN = [one.attname for one in Attempt._meta.concrete_fields if not one.is_relation]


def touched(transfer: Transfer) -> None:
    """Count the version and tell the pages: the transfer's own and its call's."""
    count_up(transfer)
    _shown(transfer)


def retarget(transfer: Transfer, department: Department | None, person: Manager | None) -> None:
    """Somebody else is asked for; those it was shown to until now are told, too. The caller says `touched`."""
    _shown(transfer)
    transfer.department, transfer.person = department, person
    transfer.save(update_fields=("department", "person"))


def _shown(transfer: Transfer) -> None:
    call = transfer.call
    for department_id in {call.department_id, transfer.department_id}:
        changed(
            "transfer",
            str(transfer.pk),
            transfer.version,
            department_id=department_id,
            call_id=str(transfer.call_id),
        )


def manager_touched(attempt: Attempt) -> None:
    manager_changed(attempt.manager)


def manager_changed(manager: Manager) -> None:
    """Count the version and tell the pages of all their departments."""
    count_up(manager)
    for department_id in manager.departments.values_list("pk", flat=True):
        changed("manager", str(manager.pk), manager.version, department_id=department_id)
