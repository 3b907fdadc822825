"""The wallboard's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db.models import Count, F, Q

from calls.kept import Kept
from calls.models import Department
from calls.timing import midnight, now
from transfers.access import Lens
from transfers.live_calls import LiveCall
from transfers.models import Decision, Transfer
from transfers.people_html import Panel
from transfers.reports.histogram import bucket_of, percentile
from transfers.states import EndReason, TransferState

TODAY_SECONDS = 5  # what a day adds up to need not be newer
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ToPerson:
    """Seconds from asking to a person, of those who were joined with one."""

    n: int
    p50: int
    p90: int
    p99: int


@dataclass(frozen=True)
class Rehearsed:
    """The newest rehearsal that is over. `transfer_id` only for those who may open it."""

    words: str
    well: bool
    at: datetime
    transfer_id: UUID | None


@dataclass(frozen=True)
class Today:
    """What need not be newer than a few seconds."""

    accept_s: int | None  # median from a manager's answer to their acceptance
    reached: int | None  # per cent of the day's transfers that reached a manager
    to_person: ToPerson | None  # in the last hour
    rehearsed: Rehearsed | None


@dataclass(frozen=True)
class Figures:
    live: int
    waiting: int
    held: int
    held_since: datetime | None
    free: int
    on_shift: int
    today: Today


_today: Kept[Today] = Kept(200)


def figures(lens: Lens, calls: Sequence[LiveCall], managers: Panel, *, waiting: int) -> Figures:
    held = [call.held_since for call in calls if call.held_since]
    return Figures(
        live=len(calls),
        held=len(held),
        held_since=min(held, default=None),
        waiting=waiting,
        free=managers.free,
        on_shift=managers.on_shift,
        today=_today.get((lens, int(now().timestamp() / TODAY_SECONDS)), lambda: _count(lens)),
    )


def _count(lens: Lens) -> Today:
    return Today(_accept(lens), _reached(lens), to_person(lens), _last_rehearsal(lens))


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
    counted = today.aggregate(
        reached=Count("pk", filter=Q(merged_at__isnull=False)), failed=Count("pk", filter=missed)
    )
    total = counted["reached"] + counted["failed"]
    return round(100 * counted["reached"] / total) if total else None


def to_person(lens: Lens) -> ToPerson | None:
    """Of the last hour's; they may have been asked for before it. Those who still talk are among them."""
    begins = now() - HOUR
    joined = lens.transfers().filter(requested_at__gte=begins - HOUR, merged_at__gte=begins, call__rehearsal=False)
    spans = joined.values_list("requested_at", "merged_at")[:5000]
    counts = Counter(bucket_of(max(0, round((to - since).total_seconds() * 1000))) for since, to in spans if to)
    p50, p90, p99 = (percentile(counts, per_cent) for per_cent in (50, 90, 99))
    if p50 is None or p90 is None or p99 is None:
        return None
    return ToPerson(counts.total(), round(p50 / 1000), round(p90 / 1000), round(p99 / 1000))


def _last_rehearsal(lens: Lens) -> Rehearsed | None:
    """By the rehearsals' department, which has an index of its newest transfers. For whoever watches calls."""
    if not lens.scope.sees_calls:
        return None
    over = Transfer.objects.filter(
        department__in=Department.objects.filter(rehearsal=True), ended_at__isnull=False
    )
    newest = over.order_by("-requested_at", "-id").first()
    if newest is None or newest.ended_at is None:
        return None
    opens = lens.transfers().filter(pk=newest.pk).exists()
    words = str(EndReason(newest.end_reason).label).lower()
    well = newest.end_reason != EndReason.ERROR
    return Rehearsed(words, well, newest.ended_at, newest.pk if opens else None)
