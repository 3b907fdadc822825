"""The windows in which managers have their desk open: their sockets say so, every few seconds."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from calls.timing import now
from transfers import line
from transfers.desk_presence import can_ring
from transfers.models import Attempt, Manager, OpenDesk
from transfers.states import UNANSWERED
from transfers.waking import wake
from transfers.writing import manager_changed

FORGET_AFTER = timedelta(minutes=2)


@transaction.atomic
def opened(page_id: UUID, manager_id: UUID, *, microphone: bool) -> None:
    """A desk's beat. The first one with a checked microphone makes the manager one who can be rung there."""
    before = can_ring(manager_id)
    OpenDesk.objects.update_or_create(
        pk=page_id,
        defaults={"manager_id": manager_id, "microphone": microphone, "seen_at": now(), "closed_at": None},
    )
    if can_ring(manager_id) != before:
        _reach_changed(manager_id)


@transaction.atomic
def closed(page_id: UUID) -> None:
    """Its socket is gone. A call that rings there looks whether another window is left."""
    found = OpenDesk.objects.filter(pk=page_id, closed_at=None)
    manager_id = found.values_list("manager_id", flat=True).first()
    if manager_id is None:
        return
    found.update(closed_at=now())
    OpenDesk.objects.filter(seen_at__lt=now() - FORGET_AFTER).delete()
    _reach_changed(manager_id)


def _reach_changed(manager_id: UUID) -> None:
    """Transfers first: whoever advances one locks it before its manager."""
    manager = Manager.objects.get(pk=manager_id)
    rung = Attempt.objects.filter(manager=manager, desk=True, state__in=UNANSWERED)
    for transfer_id in rung.values_list("transfer_id", flat=True):
        wake(transfer_id)
    if can_ring(manager_id):
        line.somebody_is_free(manager.departments.values_list("pk", flat=True))
    manager_changed(manager)
