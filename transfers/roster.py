"""Who would be called now, and why: the ranking of a department's managers at a moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from calls.models import Department
from transfers.models import Attempt, Endpoint, Manager, Presence, Shift
from transfers.states import OPEN_ATTEMPT


@dataclass(frozen=True)
class Candidate:
    """A manager who can be called now, at their first endpoint that can be dialled."""

    manager_id: UUID
    name: str
    endpoint_id: int
    ring_time_s: int
    priority: int


@dataclass(frozen=True)
class PassedOver:
    manager_id: UUID
    name: str
    why: str


@dataclass(frozen=True)
class Ranking:
    """`candidates` in the order of calling; `passed_over` with the reason of each."""

    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...]

    def as_json(self) -> list[dict[str, Any]]:
        rows = [asdict(c) | {"passed_over": ""} for c in self.candidates]
        rows += [asdict(p) | {"passed_over": p.why} for p in self.passed_over]
        return [{k: str(v) if isinstance(v, UUID) else v for k, v in row.items() if k != "why"} for row in rows]

    @property
    def outside_hours(self) -> bool:
        return not self.candidates and any(p.why == OFF_SHIFT for p in self.passed_over)


OFF_SHIFT = "off shift"


def on_shift(shifts: list[Shift], at: datetime) -> bool:
    """Whether `at` (aware) is in one of the weekly shifts; a manager without any always is."""
    return not shifts or any(_covers(shift, at) for shift in shifts)


def _covers(shift: Shift, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(shift.time_zone))
    clock = local.time()
    if shift.starts < shift.ends:
        return local.weekday() == shift.weekday and shift.starts <= clock < shift.ends
    yesterday = (local - timedelta(days=1)).weekday()  # over midnight
    return (local.weekday() == shift.weekday and clock >= shift.starts) or (
        yesterday == shift.weekday and clock < shift.ends
    )


def next_shift(shifts: list[Shift], at: datetime) -> datetime | None:
    """When the next shift that is not running yet begins, in UTC; None without shifts."""
    begins = []
    for shift in shifts:
        zone = ZoneInfo(shift.time_zone)
        today = at.astimezone(zone).date()
        days = [today + timedelta(days=ahead) for ahead in range(8)]
        starts = [datetime.combine(d, shift.starts, zone) for d in days if d.weekday() == shift.weekday]
        begins += [start.astimezone(UTC) for start in starts if start > at]
    return min(begins, default=None)


def rank(
    *,
    department: Department | None,
    person: Manager | None,
    at: datetime,
    exclude: frozenset[UUID] = frozenset(),
) -> Ranking:
    """Priority first, then longest idle. `exclude` are the managers already tried in this transfer."""
    managers = Manager.objects.prefetch_related("endpoints", "shifts").order_by("priority", "name")
    if person is not None:
        managers = managers.filter(pk=person.pk)
    elif department is not None:
        managers = managers.filter(departments=department)
    busy = frozenset(Attempt.objects.filter(state__in=OPEN_ATTEMPT).values_list("manager_id", flat=True))
    candidates, passed = [], []
    for manager in managers:
        endpoint = _dialable(manager)
        why = _why_not(manager, endpoint, at=at, busy=busy, exclude=exclude)
        if why or endpoint is None:
            passed.append(PassedOver(manager.pk, manager.name, why))
        else:
            idle_since = manager.last_call_ended_at or datetime.min.replace(tzinfo=at.tzinfo)
            candidates.append((manager.priority, idle_since, _candidate(manager, endpoint)))
    candidates.sort(key=lambda row: row[:2])
    return Ranking(tuple(row[2] for row in candidates), tuple(passed))


def _candidate(manager: Manager, endpoint: Endpoint) -> Candidate:
    return Candidate(manager.pk, manager.name, endpoint.pk, endpoint.ring_time_s, manager.priority)


def _dialable(manager: Manager) -> Endpoint | None:
    """The first endpoint a trunk can reach; a browser endpoint needs its desk open."""
    return next((e for e in manager.endpoints.all() if e.kind != Endpoint.Kind.BROWSER), None)


def _why_not(
    manager: Manager,
    endpoint: Endpoint | None,
    *,
    at: datetime,
    busy: frozenset[UUID],
    exclude: frozenset[UUID],
) -> str:
    if manager.pk in exclude:
        return "already tried"
    if not manager.active:
        return "not active"
    if manager.presence == Presence.WRAPPING_UP and (not manager.presence_until or manager.presence_until > at):
        return "wrapping up"
    if manager.presence == Presence.AWAY and (not manager.presence_until or manager.presence_until > at):
        return "away"
    if manager.pk in busy:
        return "busy with another caller"
    if not on_shift(list(manager.shifts.all()), at):
        return OFF_SHIFT
    return "" if endpoint else "no phone to call"
