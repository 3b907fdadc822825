"""What a report is asked about: days, a department, an hour of the day. Read from the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from calls import parsed
from transfers.access import NO_DEPARTMENT, Lens

MOST_DAYS = 366
MOST_SINGLE = 92  # of more days, whole weeks are told
RANGES = {"today": 1, "7": 7, "30": 30, "90": 90}
OLDEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """A day, or a week from Monday to Sunday."""

    first: date
    last: date


@dataclass(frozen=True)
class Wanted:
    """Days from `since` to `until`, both among them; `None` is every department, or hour, that may be seen."""

    range: str
    since: date
    until: date
    department: int | None = None
    hour: int | None = None
    shortened: bool = False  # more days were asked for

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def weekly(self) -> bool:
        return self.days > MOST_SINGLE

    def periods(self) -> list[Period]:
        """Without a gap, in their order."""
        step = 7 if self.weekly else 1
        firsts = [self.since + timedelta(days=n) for n in range(0, self.days, step)]
        return [Period(first, first + timedelta(days=step - 1)) for first in firsts]

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.since, time(), UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), UTC)

    @property
    def query(self) -> str:
        """As an address has it."""
        asked: dict[str, object] = {"range": self.range}
        if self.range == "custom":
            asked |= {"since": self.since.isoformat(), "until": self.until.isoformat()}
        if self.department is not None:
            asked["department"] = self.department
        if self.hour is not None:
            asked["hour"] = self.hour
        return urlencode(asked)

    def history(self, **filters: object) -> str:
        """The address of the transfers behind a figure; empty where the history cannot show just these."""
        if self.hour is not None or self.department == NO_DEPARTMENT:
            return ""
        asked: dict[str, object] = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        if self.department is not None:
            asked["department"] = self.department
        return f"{reverse('history')}?{urlencode(asked | filters)}"


def wanted_of(query: Mapping[str, str], today: date) -> Wanted:
    """What does not parse is as if it were not there: the last seven days of everything."""
    chosen = query.get("range", "")
    since, until = _day(query.get("since", "")), _day(query.get("until", ""))
    custom = chosen == "custom" and since is not None
    if chosen not in RANGES:
        chosen = "custom" if custom else "7"
    if custom and since:
        until = min(until or today, today)
        since = min(since, until)
    else:
        since, until = today - timedelta(days=RANGES[chosen] - 1), today
    earliest = until - timedelta(days=MOST_DAYS - 1)
    if (until - since).days >= MOST_SINGLE:
        earliest, since = (day - timedelta(days=day.weekday()) for day in (earliest, since))
        until += timedelta(days=6 - until.weekday())
    return Wanted(
        range=chosen,
        since=max(since, earliest),
        until=until,
        department=parsed.number(query.get("department", ""), most=999_999_999),
        hour=parsed.number(query.get("hour", ""), most=23),
        shortened=since < earliest,
    )


def _day(text: str) -> date | None:
    """None if it is no day; no transfer is older than `OLDEST`."""
    found = parsed.day(text)
    return max(found, OLDEST) if found else None


def departments_of(lens: Lens, wanted: Wanted) -> list[int] | None:
    """Whose figures are shown; None is all. Transfers of no department are everybody's who sees calls."""
    if lens.scope.every_department:
        return None if wanted.department is None else [wanted.department]
    seen = {NO_DEPARTMENT, *lens.scope.departments} if lens.scope.sees_calls else set()
    return sorted(seen if wanted.department is None else seen & {wanted.department})
