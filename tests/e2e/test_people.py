"""A transfer from beginning to end, and what callers and managers may do in its middle: hang up, press keys, not
answer; and rooms that are finished under them. Looked at from outside, without speech."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.floor import Caller, Floor
from tests.product import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def test_a_transfer_from_beginning_to_end(caller: Caller) -> None:
    caller.joined()
    caller.is_with("manager")
    assert len(caller.dials()) == 1
    caller.is_over()


# ── F10, F11: people ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["ringing", "summarizing", "merged"])
def test_the_caller_hangs_up(caller: Caller, step: str) -> None:
    """I5: ringing stops within a second, whoever is on the phone is let go."""
    if step == "merged":
        caller.joined()
    else:
        caller.escalated(rings_s=30.0 if step == "ringing" else 0.6)
        caller.reaches(step)
    caller.leave()
    left_at = time.time()
    until(lambda: caller.of_call("state") == "inactive", 5, "the call has ended")
    caller.nobody_rings(within_s=8)
    if step == "ringing":
        assert caller.dials()[0]["ended_at"] - left_at < 1.5
    caller.is_over()


@pytest.mark.parametrize(
    ("plays", "outcome"), [("busy", "busy"), ("refuses", "declined"), ("not-in-service", "invalid_number")]
)
def test_a_phone_that_does_not_take_it(caller: Caller, plays: str, outcome: str) -> None:
    caller.escalated(scenario=plays, rings_s=0.3)
    until(lambda: caller.attempts() == 2, 20, "the next manager is called")
    first = "SELECT outcome FROM transfers_attempt a JOIN transfers_transfer t ON t.id = a.transfer_id "
    first += "WHERE t.call_id = %s AND a.nth = 1"
    assert caller.floor.records.one(first, caller.id) == outcome
    caller.is_over()


def test_the_manager_s_line_is_cut_and_they_are_called_again(floor: Floor, caller: Caller) -> None:
    caller.joined()
    floor.carrier.hang_up_phone(caller.dials()[-1]["id"])
    caller.is_with("ai")
    until(lambda: len(caller.dials()) == 2, 20, "the manager is called again")
    caller.one_dial_an_attempt()
    caller.is_over()


def presses_until(caller: Caller, keys: str, done: Callable[[], bool], within_s: float = 20) -> None:
    """As people do: a key that nobody heard is pressed again."""
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end, f"{keys} was pressed and nothing came of it"
        for one in keys:
            caller.manager_presses(one)
        with suppress(AssertionError):
            until(done, 3, "something comes of it")


@pytest.mark.parametrize(("key", "whom"), [("0", "ai"), ("1", "hold")])
def test_the_manager_hands_the_caller_over_by_key(caller: Caller, key: str, whom: str) -> None:
    caller.joined()
    presses_until(caller, f"*{key}", lambda: caller.with_whom == whom)
    caller.is_over(within_s=15)


def test_the_caller_takes_themselves_back_by_key(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    caller.reaches("ringing")
    until(lambda: caller.of_call("agent_state") == "holding", 15, "the music plays")
    caller.presses("0")
    with suppress(AssertionError):
        caller.is_with("ai", 4)
    if caller.with_whom != "ai":
        caller.presses("0")
    caller.is_with("ai")
    caller.nobody_rings()
    assert caller.of_transfer("end_reason") == "caller_returned"
    caller.is_over()


# ── F14: rooms ───────────────────────────────────────────────────────────────────────────────────


def test_the_consultation_room_is_finished_in_the_briefing(floor: Floor, caller: Caller) -> None:
    caller.escalated()
    caller.reaches("summarizing")
    floor.loop.do(floor.gateway.delete_room(f"consult-{caller.of_attempt('id')}"))
    until(lambda: caller.attempts() == 2, 20, "the next manager is called")
    caller.is_over()


def test_the_caller_s_room_is_finished(floor: Floor, caller: Caller) -> None:
    caller.escalated()
    caller.reaches("summarizing")
    floor.loop.do(floor.gateway.delete_room(caller.room))
    until(lambda: caller.of_call("state") == "inactive", 20, "the call has ended")
    caller.nobody_rings(within_s=10)
    caller.is_over()
