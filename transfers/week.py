"""The week of a roster: who is on when, and where a department's opening hours have nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from calls.models import Department
from transfers import hours
from transfers.hours import DAY, Window
from transfers.models import Manager
from transfers.roster import OF_DEPARTMENT

MOST_ROWS = 300  # of managers on one page


@dataclass(frozen=True)
class Bar:
    """A piece of a day: `left` and `width` in percent of it, whose hours may be 23 or 25."""

    left: float
    width: float
    words: str


@dataclass(frozen=True)
class Row:
    """One a day, seven days."""

    name: str
    days: tuple[tuple[Bar, ...], ...]
    manager: Manager | None = None

    @property
    def is_empty(self) -> bool:
        return not any(self.days)


@dataclass(frozen=True)
class DepartmentWeek:
    department: Department
    opened: Row
    managers: tuple[Row, ...]
    gaps: Row


@dataclass(frozen=True)
class Week:
    zone: str
    days: tuple[date, ...]
    departments: tuple[DepartmentWeek, ...]

    @property
    def before(self) -> date:
        return self.days[0] - 7 * DAY

    @property
    def after(self) -> date:
        return self.days[0] + 7 * DAY


def week_of(departments: Sequence[Department], day: date, zone: ZoneInfo) -> Week:
    """The week of `day`, Monday first, as a clock in `zone` shows it. Prefetch what `PREFETCHED` names."""
    monday = day - day.weekday() * DAY
    days = tuple(monday + nth * DAY for nth in range(7))
    return Week(zone.key, days, tuple(_department(one, days, zone) for one in departments))


PREFETCHED = (*OF_DEPARTMENT, "managers__shifts", "managers__exceptions")


def usual_zone(departments: Iterable[Department]) -> str:
    """The one that most of their hours are in."""
    zones = Counter(one.time_zone for department in departments for one in department.opening_hours.all())
    for department in departments:
        zones.update(shift.time_zone for manager in department.managers.all() for shift in manager.shifts.all())
    return zones.most_common(1)[0][0] if zones else "UTC"


def _department(department: Department, days: Sequence[date], zone: ZoneInfo) -> DepartmentWeek:
    begun, over = hours.midnight_of(days[0], zone), hours.midnight_of(days[-1] + DAY, zone)
    opened = hours.windows(hours.of_department(department), begun, over)
    people = sorted((one for one in department.managers.all() if one.active), key=lambda m: (m.priority, m.name))
    on = [(manager, hours.windows(hours.of_manager(manager), begun, over)) for manager in people]
    gaps = hours.without(opened, (window for _, found in on for window in found))
    return DepartmentWeek(
        department,
        opened=_row(gettext("Open"), opened, days, zone),
        managers=tuple(_row(manager.name, found, days, zone, manager) for manager, found in on),
        gaps=_row(gettext("Nobody"), gaps, days, zone),
    )


def _row(
    name: str, found: Iterable[Window], days: Sequence[date], zone: ZoneInfo, manager: Manager | None = None
) -> Row:
    windows = list(found)
    return Row(name, tuple(_bars(windows, day, zone) for day in days), manager)


def _bars(windows: Iterable[Window], day: date, zone: ZoneInfo) -> tuple[Bar, ...]:
    begun, over = hours.midnight_of(day, zone), hours.midnight_of(day + DAY, zone)
    whole = (over - begun).total_seconds()
    bars = []
    for begins, ends in ((max(one[0], begun), min(one[1], over)) for one in windows):
        if begins < ends:
            left, width = ((at - since).total_seconds() for at, since in ((begins, begun), (ends, begins)))
            words = _words(begins, ends, over=over, zone=zone, all_day=width == whole)
            bars.append(Bar(round(100 * left / whole, 2), round(100 * width / whole, 2), words))
    return tuple(bars)


def _words(begins: datetime, ends: datetime, *, over: datetime, zone: ZoneInfo, all_day: bool) -> str:
    until = "24:00" if ends == over else f"{ends.astimezone(zone):%H:%M}"
    return gettext("all day") if all_day else f"{begins.astimezone(zone):%H:%M}–{until}"
