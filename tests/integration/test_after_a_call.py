"""A manager after a call, answered or not."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from calls.agents import protocol as p
from calls.timing import now
from tests.world import Story, World
from transfers import hours
from transfers.models import Manager, Presence, Shift
from transfers.roster import rank


def manager(story: Story) -> Manager:
    return Manager.objects.get(name="Dana")


def free(story: Story) -> list[str]:
    return [one.name for one in rank(department=story.where, person=None, at=now()).candidates]


def test_whoever_talked_is_left_alone_for_as_long_as_the_department_says(world: World) -> None:
    story = Story(world, managers=("Dana",), wrap_up_s=30)
    story.merged()
    world.caller_leaves(story.call)
    assert manager(story).presence == Presence.WRAPPING_UP
    assert free(story) == []
    world.later(30.1)
    assert free(story) == ["Dana"]


def test_without_a_wrap_up_they_are_free_at_once(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.merged()
    world.caller_leaves(story.call)
    assert free(story) == ["Dana"]


@pytest.mark.parametrize("status", [480, 487])
def test_who_never_answers_is_away_until_the_next_shift(world: World, status: int) -> None:
    story = Story(world, managers=("Dana",), away_after_misses=2)
    story.escalates()
    world.answers(story.attempt, status)
    assert manager(story).presence == Presence.AVAILABLE
    story.escalates()
    world.answers(story.attempt, status)
    away = manager(story)
    assert (away.presence, away.presence_reason) == (Presence.AWAY, "2 unanswered calls")
    assert away.presence_until
    assert free(story) == []


def test_an_answer_in_between_begins_the_count_again(world: World) -> None:
    story = Story(world, managers=("Dana",), away_after_misses=2)
    story.escalates()
    world.answers(story.attempt, 480)
    story.briefed().decides(p.DecisionKind.DECLINE)
    assert manager(story).misses == 0
    story.escalates()
    world.answers(story.attempt, 480)
    assert manager(story).presence == Presence.AVAILABLE


def test_a_busy_phone_is_no_miss(world: World) -> None:
    story = Story(world, managers=("Dana",), away_after_misses=1)
    story.escalates()
    world.answers(story.attempt, 486)
    assert manager(story).presence == Presence.AVAILABLE


def shift(weekday: int, starts: time, zone: str) -> Shift:
    return Shift(weekday=weekday, starts=starts, ends=time(17), time_zone=zone)


def next_shift(shifts: list[Shift], at: datetime) -> datetime | None:
    return hours.next_shift(hours.Calendar(shifts), at)


def test_the_next_shift_is_the_nearest_that_has_not_begun_in_its_own_zone() -> None:
    at = datetime(2026, 11, 26, 10, tzinfo=UTC)  # a Thursday
    assert next_shift([], at) is None
    thursday, friday = shift(3, time(9), "UTC"), shift(4, time(9), "America/New_York")
    assert next_shift([thursday], at) == datetime(2026, 12, 3, 9, tzinfo=UTC)
    assert next_shift([thursday, friday], at) == datetime(2026, 11, 27, 14, tzinfo=UTC)
    assert next_shift([shift(3, time(9), "America/New_York")], at) == at + timedelta(hours=4)
