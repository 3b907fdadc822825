"""Who is on shift when: in the shift's own zone, over midnight, and when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfers import hours
from transfers.models import Shift

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
BERLIN = "Europe/Berlin"


def shift(weekday: int, starts: str, ends: str, zone: str = "UTC") -> Shift:
    return Shift(weekday=weekday, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends), time_zone=zone)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def on_shift(shifts: list[Shift], moment: datetime) -> bool:
    return hours.on_shift(hours.Calendar(shifts), moment)


def test_a_manager_without_shifts_is_always_on() -> None:
    assert on_shift([], at("2026-11-22 03:00"))


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 16:59:59", True),
        ("2026-11-23 17:00", False),
        ("2026-11-24 12:00", False),
    ],
)
def test_a_shift_begins_at_its_start_and_is_over_at_its_end(moment: str, on: bool) -> None:
    assert on_shift([shift(MONDAY, "09:00", "17:00")], at(moment)) is on


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-11-22 21:59", False),
        ("2026-11-22 22:00", True),
        ("2026-11-22 23:59:59", True),
        ("2026-11-23 00:00", True),
        ("2026-11-23 05:59", True),
        ("2026-11-23 06:00", False),
        ("2026-11-22 03:00", False),  # the night before Sunday is Saturday's
        ("2026-11-23 22:30", False),
    ],
)
def test_a_night_shift_goes_over_midnight(moment: str, on: bool) -> None:
    assert on_shift([shift(SUNDAY, "22:00", "06:00")], at(moment)) is on


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-03-27 08:00", True),  # Friday in winter: 9 in Berlin
        ("2026-03-27 07:30", False),
        ("2026-03-30 07:30", True),  # Monday in summer: half past 9
        ("2026-03-30 15:30", False),
        ("2026-10-26 07:30", False),  # winter again
    ],
)
def test_a_shift_keeps_its_wall_clock_when_clocks_are_changed(moment: str, on: bool) -> None:
    shifts = [shift(day, "09:00", "17:00", BERLIN) for day in range(5)]
    assert on_shift(shifts, at(moment)) is on


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-03-29 00:59", True),  # 1:59, the last minute before 3:00
        ("2026-03-29 01:00", True),  # 3:00
        ("2026-03-29 03:59", True),  # 5:59
        ("2026-03-29 04:00", False),
        ("2026-10-25 00:30", True),  # 2:30 for the first time
        ("2026-10-25 01:30", True),  # 2:30 for the second
        ("2026-10-25 04:59", True),
        ("2026-10-25 05:00", False),
    ],
)
def test_the_night_in_which_clocks_change_is_one_shift(moment: str, on: bool) -> None:
    assert on_shift([shift(SATURDAY, "22:00", "06:00", BERLIN)], at(moment)) is on


def test_a_zone_s_own_weekday_counts() -> None:
    sunday_evening_in_utc = at("2026-11-22 22:00")
    assert on_shift([shift(MONDAY, "06:00", "10:00", "Asia/Tokyo")], sunday_evening_in_utc)
    assert not on_shift([shift(SUNDAY, "06:00", "10:00", "Asia/Tokyo")], sunday_evening_in_utc)


YEAR = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 366 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))


@given(st.integers(0, 6), st.times(), st.times(), moments)
def test_a_shift_is_on_in_the_same_minute_of_every_week(
    weekday: int, starts: time, ends: time, moment: datetime
) -> None:
    one = Shift(weekday=weekday, starts=starts, ends=ends, time_zone="UTC")
    assert on_shift([one], moment) == on_shift([one], moment + timedelta(weeks=1))


@given(st.times(), st.times(), moments)
def test_a_week_of_shifts_and_a_week_of_the_rest_is_always(starts: time, ends: time, moment: datetime) -> None:
    if starts == ends:
        return
    day = [Shift(weekday=d, starts=starts, ends=ends, time_zone="UTC") for d in range(7)]
    rest = [Shift(weekday=d, starts=ends, ends=starts, time_zone="UTC") for d in range(7)]
    assert on_shift(day, moment) != on_shift(rest, moment)
