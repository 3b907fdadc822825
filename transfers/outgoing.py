"""Which of its events `transfers` tells programs of, and of which departments each is."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_noop

from calls.models import Event
from calls.outgoing.catalogue import NOBODY, Facts, Outgoing, announce
from transfers.models import Callback, Manager, Transfer
from transfers.states import OPEN_ATTEMPT, TRANSFER_TRANSITIONS
from transfers.transfer_events import (
    AttemptMoved,
    CallbackAsked,
    CallbackMoved,
    PresenceSet,
    TransferDecided,
    TransferMoved,
    TransferRequested,
)

ENDED = frozenset(state.value for state, following in TRANSFER_TRANSITIONS.items() if not following)
ATTEMPT_OPEN = frozenset(state.value for state in OPEN_ATTEMPT)


def of_transfer(event: Event) -> Collection[int | None]:
    """The call's and the one it is to go to, as for people; a rehearsal is nobody's business."""
    real = Transfer.objects.filter(pk=event.transfer_id or NOBODY, call__rehearsal=False)
    return [department for row in real.values_list("department", "call__department") for department in set(row)]


def of_manager(event: Event) -> Collection[int | None]:
    manager = Manager.objects.filter(pk=event.facts["manager_id"]).first()
    return list(manager.departments.filter(rehearsal=False).values_list("pk", flat=True)) if manager else []


def of_callback(event: Event) -> Collection[int | None]:
    real = Callback.objects.filter(pk=event.facts["callback_id"], call__rehearsal=False)
    return list(real.values_list("department_id", flat=True))


def _over(facts: Facts) -> bool:
    return facts["to_state"] in ENDED


def _attempt_over(facts: Facts) -> bool:
    return facts["to_state"] not in ATTEMPT_OPEN


def register() -> None:
    announce(
        TransferRequested, Outgoing("transfer.requested", gettext_noop("A transfer was asked for"), of_transfer)
    )
    announce(
        TransferDecided, Outgoing("transfer.decided", gettext_noop("It was approved or declined"), of_transfer)
    )
    announce(
        TransferMoved, Outgoing("transfer.ended", gettext_noop("It ended, with its reason"), of_transfer, _over)
    )
    announce(
        TransferMoved,
        Outgoing("transfer.moved", gettext_noop("It went on: ringing, briefing, joined"), of_transfer),
    )
    announce(
        AttemptMoved,
        Outgoing("attempt.ended", gettext_noop("The call to one manager ended"), of_transfer, _attempt_over),
    )
    announce(CallbackAsked, Outgoing("callback.asked", gettext_noop("A callback was promised"), of_callback))
    announce(
        CallbackMoved,
        Outgoing("callback.moved", gettext_noop("A callback was claimed, given back or done"), of_callback),
    )
    announce(
        PresenceSet, Outgoing("presence.changed", gettext_noop("A manager can be called, or not"), of_manager)
    )
