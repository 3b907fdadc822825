"""Hours in zones of both hemispheres, on the days on which clocks are changed, and with exceptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transfers import hours
from transfers.hours import Calendar, Change, Window
from transfers.models import Shift, ShiftException

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago", "Asia/Kathmandu"),
    *("Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Chatham", "America/Havana", "Asia/Beirut", "UTC"),
)


def weekly(span: str, zone: str, *days: int) -> list[Shift]:
    """ "09:00-17:00" on these days, every day without any."""
    starts, ends = (time.fromisoformat(part) for part in span.split("-"))
    return [Shift(weekday=day, starts=starts, ends=ends, time_zone=zone) for day in days or range(7)]


def but(day: str, kind: Change = Change.OFF, span: str = "", zone: str = "") -> ShiftException:
    starts, ends = (time.fromisoformat(part) for part in span.split("-")) if span else (None, None)
    return ShiftException(day=date.fromisoformat(day), kind=kind, starts=starts, ends=ends, time_zone=zone)


def of_day(calendar: Calendar, day: str, zone: str, days: int = 1) -> str:
    """The hours from a local midnight to another, in UTC: "08:00-16:00"."""
    first = date.fromisoformat(day)
    begun, over = (
        datetime.combine(one, time(0), ZoneInfo(zone)).astimezone(UTC) for one in (first, first + days * DAY)
    )
    found = hours.windows(calendar, begun, over)
    return ", ".join(f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in found)


# The days are Sundays and Saturdays on which clocks are changed, and one that is like any other.
@pytest.mark.parametrize(
    ("zone", "day", "span", "in_utc"),
    [
        ("Europe/Berlin", "2026-01-14", "09:00-17:00", "08:00-16:00"),
        ("Europe/Berlin", "2026-07-14", "09:00-17:00", "07:00-15:00"),
        ("Europe/Berlin", "2026-03-29", "01:30-04:00", "00:30-02:00"),  # an hour short
        ("Europe/Berlin", "2026-03-29", "02:30-05:00", "01:00-03:00"),  # there is no 2:30: from the jump on
        ("Europe/Berlin", "2026-03-29", "00:30-02:30", "23:30-01:00"),  # and up to it
        ("Europe/Berlin", "2026-03-29", "02:10-02:50", ""),  # nothing of it is there
        ("Europe/Berlin", "2026-10-25", "02:30-05:00", "00:30-04:00"),  # from the first 2:30
        ("Europe/Berlin", "2026-10-25", "00:30-02:30", "22:30-01:30"),  # to the second
        ("America/New_York", "2026-03-08", "02:30-05:00", "07:00-09:00"),
        ("America/New_York", "2026-11-01", "01:30-05:00", "05:30-10:00"),
        ("Australia/Sydney", "2026-10-04", "02:30-05:00", "16:00-18:00"),  # spring
        ("Australia/Sydney", "2026-04-05", "02:30-05:00", "15:30-19:00"),
        ("America/Santiago", "2026-09-06", "00:30-04:00", "04:00-07:00"),  # midnight itself is missing
        ("America/Santiago", "2026-04-04", "22:00-23:30", "01:00-03:30"),  # 23 h twice
        ("Australia/Lord_Howe", "2026-10-04", "02:15-05:00", "15:30-18:00"),  # half an hour
        ("Asia/Kathmandu", "2026-06-10", "09:00-17:00", "03:15-11:15"),
        ("Africa/Casablanca", "2026-02-15", "02:30-05:00", "01:30-05:00"),  # back for Ramadan
        ("Africa/Casablanca", "2026-03-22", "02:30-05:00", "02:00-04:00"),  # and forward again
    ],
)
def test_hours_of_a_day_in_utc(zone: str, day: str, span: str, in_utc: str) -> None:
    assert of_day(Calendar(weekly(span, zone, date.fromisoformat(day).weekday())), day, zone) == in_utc


def test_a_day_that_a_country_left_out_has_no_hours() -> None:
    samoa = weekly("09:00-17:00", "Pacific/Apia", 4)
    assert of_day(Calendar(samoa), "2011-12-29", "Pacific/Apia", days=2) == ""


@pytest.mark.parametrize(
    ("exceptions", "in_utc"),
    [
        ([], "08:00-16:00"),
        ([but("2026-12-25")], ""),
        ([but("2026-12-24")], "08:00-16:00"),
        ([but("2026-12-25", Change.OTHER, "10:00-12:00")], "09:00-11:00"),
        ([but("2026-12-25", Change.OTHER, "10:00-12:00", "UTC")], "10:00-12:00"),
        ([but("2026-12-25", Change.EXTRA, "19:00-20:00")], "08:00-16:00, 18:00-19:00"),
        ([but("2026-12-25"), but("2026-12-25", Change.EXTRA, "19:00-20:00")], "18:00-19:00"),
        ([but("2026-12-24", Change.EXTRA, "22:00-09:00")], "23:00-16:00"),
    ],
)
def test_an_exception_is_for_its_date_alone(exceptions: list[ShiftException], in_utc: str) -> None:
    calendar = Calendar(weekly("09:00-17:00", "Europe/Berlin"), exceptions)
    assert of_day(calendar, "2026-12-25", "Europe/Berlin") == in_utc
    assert of_day(calendar, "2026-12-26", "Europe/Berlin") == "08:00-16:00"


def test_a_night_shift_goes_on_into_a_holiday() -> None:
    nights = Calendar(weekly("22:00-06:00", "Europe/Berlin"), [but("2026-12-25")])
    assert of_day(nights, "2026-12-25", "Europe/Berlin") == "23:00-05:00"
    assert of_day(nights, "2026-12-26", "Europe/Berlin") == "21:00-23:00"


def test_without_weekly_hours_only_the_exception_is_missing() -> None:
    always = Calendar((), [but("2026-12-25", zone="Australia/Sydney"), but("2026-12-26", zone="Australia/Sydney")])
    begun = datetime(2026, 12, 24, 12, tzinfo=UTC)
    assert not hours.on_shift(always, begun + timedelta(hours=1))
    assert hours.on_shift(always, begun)
    back = datetime(2026, 12, 26, 13, tzinfo=UTC)
    assert hours.next_shift(always, begun) == back
    assert hours.windows(always, begun, begun + 3 * DAY) == [
        (begun, begun + timedelta(hours=1)),
        (back, begun + 3 * DAY),
    ]
    assert hours.next_shift(Calendar(), begun) is None


def test_the_next_shift_is_after_the_holidays() -> None:
    away = [but((date(2026, 12, 21) + nth * DAY).isoformat()) for nth in range(21)]
    calendar = Calendar(weekly("09:00-17:00", "Europe/Berlin", 0, 1), away)
    assert hours.next_shift(calendar, datetime(2026, 12, 20, tzinfo=UTC)) == datetime(2027, 1, 11, 8, tzinfo=UTC)


# ── against zoneinfo ─────────────────────────────────────────────────────────────────────────────

minutes = st.integers(0, 24 * 60 - 1).map(lambda at: time(at // 60, at % 60))
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def slow(day: date, starts: time, ends: time, zone: str) -> Window | None:
    """As anyone would with a clock on the wall and patience: look at every minute of three days."""
    begun = datetime.combine(day - DAY, time(0), UTC)
    clock = [begun + nth * MINUTE for nth in range(5 * 24 * 60)]
    wall = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in clock]
    first, last = datetime.combine(day, starts), datetime.combine(day if starts < ends else day + DAY, ends)
    begins = next(at for at, shown in zip(clock, wall, strict=True) if shown >= first)
    over = max(at for at, shown in zip(clock, wall, strict=True) if shown < last) + MINUTE
    return (begins, over) if begins < over else None


@settings(max_examples=60)  # the patient one is slow
@given(st.sampled_from(ZONES), days, minutes, minutes)
@example("Europe/Berlin", date(2026, 3, 29), time(2, 30), time(2, 40))
@example("Europe/Berlin", date(2026, 10, 25), time(2, 30), time(2, 40))
@example("America/Santiago", date(2026, 9, 5), time(20), time(0, 30))
@example("America/Santiago", date(2026, 4, 4), time(23, 30), time(23, 40))
@example("America/Havana", date(2026, 11, 1), time(0, 30), time(0, 40))
@example("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), time(1, 50))
def test_hours_are_what_a_clock_on_the_wall_shows(zone: str, day: date, starts: time, ends: time) -> None:
    calendar = Calendar([Shift(weekday=day.weekday(), starts=starts, ends=ends, time_zone=zone)])
    begun = datetime.combine(day - DAY, time(0), UTC)
    wanted = slow(day, starts, ends, zone)
    assert hours.windows(calendar, begun, begun + 5 * DAY) == ([wanted] if wanted else [])


@given(
    st.sampled_from(ZONES),
    days,
    st.lists(st.tuples(st.integers(0, 6), minutes, minutes), max_size=4),
    st.lists(st.tuples(st.integers(-2, 3), st.sampled_from(Change), minutes, minutes), max_size=3),
    st.integers(0, 3 * 24 * 60),
)
def test_on_shift_windows_and_next_shift_say_the_same(
    zone: str,
    day: date,
    of_week: list[tuple[int, time, time]],
    changes: list[tuple[int, Change, time, time]],
    later: int,
) -> None:
    calendar = Calendar(
        [Shift(weekday=w, starts=a, ends=b, time_zone=zone) for w, a, b in of_week],
        [
            ShiftException(day=day + nth * DAY, kind=k, starts=a, ends=b, time_zone=zone)
            for nth, k, a, b in changes
        ],
    )
    begun = datetime.combine(day, time(0), UTC)
    found = hours.windows(calendar, begun, begun + 4 * DAY)
    at = begun + later * MINUTE
    assert hours.on_shift(calendar, at) == any(begins <= at < ends for begins, ends in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    coming = hours.next_shift(calendar, at)
    if not hours.on_shift(calendar, at) and any(begins > at for begins, _ in found):
        assert coming == min(begins for begins, _ in found if begins > at)
    assert coming is None or (coming > at and hours.on_shift(calendar, coming))


@given(st.sampled_from(ZONES), days, minutes, minutes)
def test_hours_that_follow_each_other_leave_no_gap(zone: str, day: date, one: time, other: time) -> None:
    whole = [
        Shift(weekday=w, starts=a, ends=b, time_zone=zone)
        for w in range(7)
        for a, b in ((one, other), (other, one))
    ]
    begun = datetime.combine(day, time(0), UTC)
    assert hours.windows(Calendar(whole), begun, begun + 3 * DAY) == [(begun, begun + 3 * DAY)]
    assert hours.without([(begun, begun + DAY)], hours.windows(Calendar(whole), begun, begun + DAY)) == []
