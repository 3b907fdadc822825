"""The demo's callers: three on the line, one after the other, and no noise when the carrier is away."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from calls import demo_calls, simulated
from calls.demo_calls import APART, Keeper
from calls.errors import Refused

START = datetime(2027, 1, 1, tzinfo=UTC)


class Carrier:
    """The carrier's three answers, without it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up, self.refuses = True, False
        self.line: list[str] = []
        self.placed: list[str] = []
        monkeypatch.setattr(simulated, "live", lambda: list(self.line) if self.up else None)
        keys = ("refund", "policy", "router", "hello")
        monkeypatch.setattr(simulated, "stories", lambda: [simulated.Story(k, k.title(), "") for k in keys])
        monkeypatch.setattr(simulated, "place", self.place)

    def place(self, key: str, *, at_most_s: int | None = None) -> str:
        if self.refuses:
            raise Refused("no")
        assert at_most_s == demo_calls.AT_MOST_S
        self.line.append(key)
        self.placed.append(key)
        return key.title()


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Carrier:
    return Carrier(monkeypatch)


def test_three_are_kept_and_each_begins_later_than_the_one_before(carrier: Carrier) -> None:
    keeper, placed_at = Keeper(), []
    for second in range(120):
        at = START + timedelta(seconds=second)
        if keeper.step(at):
            placed_at.append(at)
    assert len(carrier.line) == len(set(carrier.line)) == 3
    assert all(b - a >= APART for a, b in itertools.pairwise(placed_at))
    carrier.line.pop(0)
    assert keeper.step(START + timedelta(seconds=200))
    assert len(carrier.line) == 3


def test_every_story_gets_its_turn(carrier: Carrier) -> None:
    keeper = Keeper(kept=1)
    for nth in range(12):
        keeper.step(START + APART * nth)
        carrier.line.clear()
    assert set(carrier.placed) == {"refund", "policy", "router", "hello"}


def test_a_carrier_that_is_away_or_refuses_is_asked_again(carrier: Carrier) -> None:
    keeper = Keeper()
    carrier.up = False
    assert keeper.step(START) == ""
    carrier.up, carrier.refuses = True, True
    assert keeper.step(START + APART) == ""
    carrier.refuses = False
    assert keeper.step(START + 2 * APART)
