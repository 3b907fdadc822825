"""The wallboard's figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import F, Q

from calls.states import CallerWith, CallState
from calls.timing import now
from transfers import people
from transfers.access import Lens
from transfers.models import Decision
from transfers.states import EndReason, TransferState


@dataclass(frozen=True)
class Figures:
    live: int
    waiting: int
    held: int
    held_since: datetime | None
    free: int
    on_shift: int
    accept_s: int | None  # median from a manager's answer to their acceptance, today
    reached: int | None  # per cent of today's transfers that reached a manager


def figures(lens: Lens, groups: list[people.Group], *, waiting: int) -> Figures:
    live = lens.calls().exclude(state=CallState.INACTIVE)
    held = list(live.filter(caller_with=CallerWith.HOLD).values_list("caller_since", flat=True))
    here = {p.manager.pk: p for group in groups for p in group.here}
    return Figures(
        live=_count(live),
        waiting=waiting,
        held=len(held),
        held_since=min(held, default=None),
        free=sum(person.free for person in here.values()),
        on_shift=len(here),
        accept_s=_accept(lens),
        reached=_reached(lens),
    )


def _count(calls) -> int:  # type: ignore[no-untyped-def]
    return int(calls.count())


def midnight() -> datetime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def _accept(lens: Lens) -> int | None:
    accepted = Decision.objects.filter(
        kind="accept",
        at__gte=midnight(),
        attempt__answered_at__isnull=False,
        attempt__transfer__call__rehearsal=False,
        attempt__transfer__in=lens.transfers().filter(requested_at__gte=midnight() - timedelta(hours=1)),
    )
    spans = accepted.annotate(took=F("at") - F("attempt__answered_at")).values_list("took", flat=True)
    seconds = [span.total_seconds() for span in spans[:500]]
    return round(median(seconds)) if seconds else None


def _reached(lens: Lens) -> int | None:
    """Of the transfers that were decided today; who hung up first or was cancelled is not counted."""
    today = lens.transfers().filter(requested_at__gte=midnight(), call__rehearsal=False)
    missed = Q(state=TransferState.FAILED) & ~Q(end_reason=EndReason.CALLER_LEFT)
    reached, failed = today.filter(merged_at__isnull=False).count(), today.filter(missed).count()
    total = reached + failed
    return round(100 * reached / total) if total else None
