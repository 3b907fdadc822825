"""A line of callers for whom nobody is free: their place, what they hear, and who is next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.states import CallerWith
from tests.world import Story, World
from transfers.models import Manager, Policy, Presence, Transfer
from transfers.queue_place import FEWEST_SAMPLES, in_words, place_line, wait_for
from transfers.selectors import facts_of
from transfers.states import EndReason, TransferState
from transfers.words import sentence


def another(first: Story) -> Story:
    """One more caller of the same department."""
    story = Story(first.world, (), where=first.where)
    story.escalates()
    return story


def busy(world: World, **policy: Any) -> Story:
    """One caller talks to the only manager."""
    story = Story(world, ("Dana",), **policy)
    story.merged()
    return story


def test_who_comes_when_all_are_busy_waits_with_the_ai_and_hears_their_place(world: World) -> None:
    first = busy(world)
    second, third = another(first), another(first)
    assert [s.transfer.state for s in (second, third)] == [TransferState.QUEUED] * 2
    assert [s.caller_with for s in (second, third)] == [CallerWith.AI] * 2
    assert [s.transfer.queue_place for s in (second, third)] == [1, 2]
    (say,) = third.support.told()
    assert (say.kind, "You are number 2 in line." in say.text, "called back" in say.text) == ("say", True, True)
    assert "minute" not in say.text  # nothing was measured yet
    assert sentence(facts_of(third.transfer, to_show=True)).startswith("Number 2 in line, with the AI")


def test_the_first_in_line_is_rung_when_somebody_is_free_again(world: World) -> None:
    first = busy(world)
    second, third = another(first), another(first)
    world.later(30)
    world.hangs_up(first.attempt)
    assert [s.transfer.state for s in (second, third)] == [TransferState.CONNECTING, TransferState.QUEUED]
    assert second.transfer.queue_left_at
    assert second.caller_with == CallerWith.HOLD
    assert sentence(facts_of(third.transfer, to_show=True)).startswith("Number 1 in line")


def test_a_wrap_up_is_waited_for(world: World) -> None:
    first = busy(world, wrap_up_s=20)
    second = another(first)
    world.later(20)
    world.hangs_up(first.attempt)
    assert Manager.objects.get().presence == Presence.WRAPPING_UP
    assert second.transfer.state == TransferState.QUEUED
    for _ in range(12):
        world.later(2)
    assert second.transfer.state == TransferState.CONNECTING


def test_on_hold_they_hear_their_place_with_the_progress_line_and_it_is_kept_true(world: World) -> None:
    first = busy(world, when_busy=Policy.WhenBusy.HOLD)
    second, third = another(first), another(first)
    assert third.caller_with == CallerWith.HOLD
    (hold,) = third.support.told()
    assert "You are number 2 in line." in hold.plan.line
    assert "You are number 2 in line." in hold.plan.progress_line
    world.caller_leaves(second.call)
    (moved,) = third.support.told()
    assert (moved.kind, "You are next." in moved.plan.progress_line) == ("hold", True)


def test_whoever_does_not_want_to_wait_is_back_with_the_ai_at_once(world: World) -> None:
    first = busy(world, when_busy=Policy.WhenBusy.RETURN)
    second = another(first)
    assert second.state == (TransferState.FAILED, EndReason.NO_MANAGER)


def test_the_wait_has_a_limit(world: World) -> None:
    first = busy(world, queue_limit_s=60)
    second = another(first)
    world.later(59)
    assert second.transfer.state == TransferState.QUEUED
    world.later(1)
    assert second.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert "all of my colleagues are still talking" in second.support.told()[-1].words


def test_outside_hours_nobody_waits(world: World) -> None:
    story = Story(world, ("Dana",))
    Manager.objects.update(presence=Presence.AWAY)
    story.escalates()
    assert story.transfer.state == TransferState.FAILED


def test_the_expected_wait_is_told_once_five_were_measured(world: World) -> None:
    first = busy(world)
    for _ in range(FEWEST_SAMPLES):
        done = another(first)
        came, place = done.transfer.queued_at, done.transfer.queue_place
        assert came
        assert place
        Transfer.objects.filter(pk=done.transfer.pk).update(queue_left_at=came + timedelta(minutes=2 * place))
        world.caller_leaves(done.call)
    story = another(first)
    (say,) = story.support.told()
    assert "You are next. It takes about 2 minutes." in say.text


@given(st.lists(st.integers(1, 3000), max_size=30), st.integers(1, 20))
def test_an_expected_wait_is_never_a_guess(seconds: list[int], place: int) -> None:
    wait = wait_for(place, [timedelta(seconds=s) for s in seconds])
    assert (wait is None) == (len(seconds) < FEWEST_SAMPLES)
    if wait is not None:
        assert timedelta(seconds=min(seconds)) * place <= wait <= timedelta(seconds=max(seconds)) * place


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (20, "less than a minute"), (70, "about a minute"), (170, "about 3 minutes")],
)
def test_a_wait_in_words(seconds: int | None, words: str) -> None:
    wait = timedelta(seconds=seconds) if seconds else None
    assert in_words(wait) == words
    assert (words in place_line(2, wait, callback=False)) or not words
