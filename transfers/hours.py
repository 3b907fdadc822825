"""When somebody is on shift, and when a department is open: a pure function of weekly hours and exceptions.

Hours are wall-clock times of a time zone. Where clocks are changed they mean this:

- A time that there is twice: what begins then begins at the first, what ends then ends at the second.
- A time that there is not: the moment at which the clocks jump over it.

So hours that follow each other without a gap leave none on such a day either. Hours belong to the day on which
they begin: a night shift of the 24th goes on into the 25th, whatever the 25th is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from calls.models import Department
    from transfers.models import Manager

DAY = timedelta(days=1)
LOOK_AHEAD = timedelta(days=63)  # for the next shift, over the longest holidays
Window = tuple[datetime, datetime]  # UTC, the end is not in it


class Change(StrEnum):
    """What an exception makes of its day."""

    OFF = "off"  # none of the weekly hours
    OTHER = "other"  # these instead
    EXTRA = "extra"  # these besides


class Weekly(Protocol):
    """`ends` not after `starts`: on the next day; both the same: 24 hours by the clock."""

    weekday: int  # Monday is 0
    starts: time
    ends: time
    time_zone: str


class Exceptional(Protocol):
    """`starts` and `ends` only where the kind has hours; an empty `time_zone` is that of the weekly hours."""

    day: date
    kind: str
    starts: time | None
    ends: time | None
    time_zone: str


@dataclass(frozen=True)
class Calendar:
    """Without weekly hours: always, but for the exceptions."""

    weekly: Sequence[Weekly] = ()
    exceptions: Sequence[Exceptional] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.weekly[0].time_zone if self.weekly else "UTC")


def of_manager(manager: Manager) -> Calendar:
    """Prefetch their `shifts` and `exceptions`."""
    return Calendar(tuple(manager.shifts.all()), tuple(manager.exceptions.all()))


def of_department(department: Department) -> Calendar:
    """When managers of the department are called. Prefetch its `opening_hours` and `holidays`."""
    return Calendar(tuple(department.opening_hours.all()), tuple(department.holidays.all()))


def on_shift(calendar: Calendar, at: datetime) -> bool:
    """Whether `at` (aware) is in the hours."""
    return any(begins <= at < ends for begins, ends in _around(calendar, at, at))


def windows(calendar: Calendar, since: datetime, until: datetime) -> list[Window]:
    """The hours between the two, joined where they touch, first to last."""
    cut = ((max(begins, since), min(ends, until)) for begins, ends in _around(calendar, since, until))
    return joined(window for window in cut if window[0] < window[1])


def next_shift(calendar: Calendar, at: datetime) -> datetime | None:
    """When the next hours begin that are not running yet, in UTC; None if they always run, or none come."""
    if not calendar.exceptions and not calendar.weekly:
        return None
    looked = at
    while looked < at + LOOK_AHEAD:
        found = [begins for begins, _ in _around(calendar, looked, looked + 7 * DAY) if begins > at]
        if not calendar.weekly:  # days that touch are one time
            found = [
                begins for begins, _ in joined(_around(calendar, looked - DAY, looked + 7 * DAY)) if begins > at
            ]
        if found:
            return min(found)
        looked += 7 * DAY
    return None


def joined(found: Iterable[Window]) -> list[Window]:
    """Sorted, and those that touch or overlap as one."""
    whole: list[Window] = []
    for begins, ends in sorted(found):
        if whole and begins <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], ends))
        else:
            whole.append((begins, ends))
    return whole


def without(whole: Iterable[Window], taken: Iterable[Window]) -> list[Window]:
    """What of `whole` is in none of `taken`."""
    left = joined(whole)
    for begins, ends in joined(taken):
        pieces = [piece for one in left for piece in ((one[0], min(one[1], begins)), (max(one[0], ends), one[1]))]
        left = [piece for piece in pieces if piece[0] < piece[1]]
    return joined(left)


# ── days ─────────────────────────────────────────────────────────────────────────────────────────


def _around(calendar: Calendar, since: datetime, until: datetime) -> Iterator[Window]:
    """Every day's hours that can touch the two moments, and perhaps some more; in no order, in UTC."""
    replaced = {one.day for one in calendar.exceptions if one.kind != Change.EXTRA}
    days = {name: list(_days(since, until, ZoneInfo(name))) for name in {one.time_zone for one in calendar.weekly}}
    for hours in calendar.weekly:
        zone = ZoneInfo(hours.time_zone)
        for day in days[hours.time_zone]:
            if day.weekday() == hours.weekday and day not in replaced:
                yield from _hours(day, hours.starts, hours.ends, zone)
    for one in calendar.exceptions:
        zone = ZoneInfo(one.time_zone) if one.time_zone else calendar.zone
        near = since.astimezone(zone).date() - 2 * DAY <= one.day <= until.astimezone(zone).date() + DAY
        if near and one.kind != Change.OFF and one.starts is not None and one.ends is not None:
            yield from _hours(one.day, one.starts, one.ends, zone)
    if not calendar.weekly:
        yield from _always(calendar, replaced, since, until)


def _always(calendar: Calendar, replaced: set[date], since: datetime, until: datetime) -> Iterator[Window]:
    """Every day but those that are replaced, each in the zone of its exception."""
    zones = {one.day: ZoneInfo(one.time_zone or "UTC") for one in calendar.exceptions}
    gone = [window for day in replaced for window in _hours(day, time(0), time(0), zones[day])]
    yield from without([(since - 2 * DAY, until + 2 * DAY)], gone)


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    """A shift may have begun the day before, and one day more where clocks were changed at midnight."""
    day, last = since.astimezone(zone).date() - 2 * DAY, until.astimezone(zone).date() + DAY
    while day <= last:
        yield day
        day += DAY


def _hours(day: date, starts: time, ends: time, zone: ZoneInfo) -> Iterator[Window]:
    begins = moment(datetime.combine(day, starts), zone, second=False)
    over = moment(datetime.combine(day if starts < ends else day + DAY, ends), zone, second=True)
    if begins < over:  # a whole day can be missing, where a country moved over the date line
        yield begins, over


def moment(wall: datetime, zone: ZoneInfo, *, second: bool) -> datetime:
    """In UTC what a clock on the wall says; `second`: of two such moments the later one."""
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    first, last = early.astimezone(UTC), late.astimezone(UTC)
    if last < first:  # the clocks jumped over it, somewhere between the two
        return _jump(last, first, zone)
    return last if second else first


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins, in UTC: where clocks jump at midnight, later than 0:00."""
    return moment(datetime.combine(day, time(0)), zone, second=False)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second of the new time, by halves: `zoneinfo` does not tell its changes."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())  # not yet at low, already at high
    while high - low > 1:
        middle = (low + high) // 2
        changed = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() != old
        low, high = (low, middle) if changed else (middle, high)
    return before + timedelta(seconds=high)
