"""Whether a manager has a desk open, and whether it can be rung: rows, as `calls/presence.py` has pages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from calls.presence import GRACE
from calls.services.watch import web_was_there
from calls.timing import now
from transfers.models import OpenDesk


def _desks() -> QuerySet[OpenDesk]:
    return OpenDesk.objects.filter(closed_at=None, seen_at__gt=now() - GRACE)


def _ringing_desks() -> QuerySet[OpenDesk]:
    return _desks().filter(microphone=True)


def rung_desks() -> frozenset[UUID]:
    """The managers whose desk can be rung now."""
    return frozenset(_ringing_desks().values_list("manager_id", flat=True))


def can_ring(manager_id: UUID) -> bool:
    return _ringing_desks().filter(manager=manager_id).exists()


def is_open(manager_id: UUID) -> bool:
    """Whether any desk of theirs is, with a microphone or without."""
    return _desks().filter(manager=manager_id).exists()


def lost_at(manager_id: UUID) -> datetime | None:
    """Since when no desk of theirs can be rung; None while one can, or while no web process could know."""
    if can_ring(manager_id) or not web_was_there():
        return None
    gone = [
        desk.closed_at or desk.seen_at + GRACE
        for desk in OpenDesk.objects.filter(manager=manager_id, microphone=True)
    ]
    return max(gone, default=now() - GRACE)
