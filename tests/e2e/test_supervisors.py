"""Supervisors in real rooms: take over and give back, whoever vanishes or dies meanwhile. Without speech."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.floor import SCRIPTED, Caller, Floor
from tests.product import Product, until
from tests.supervisors import InCall, make_accounts
from transfers.rehearsal.tones import CALLER_HZ, LEVEL

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PEOPLE = ("anna", "bo", "cora", "dirk")


@pytest.fixture(scope="module", params=["relay"])
def house(request: pytest.FixtureRequest) -> Iterator[Product]:
    with Product("--demo", "--quiet", env=SCRIPTED | {"MERGE_STRATEGY": request.param}) as running:
        make_accounts(running, *PEOPLE)
        yield running


@pytest.fixture
def floor(house: Product) -> Iterator[Floor]:
    made = Floor(house)
    made.everybody_is_free()
    yield made
    made.close()


@pytest.fixture
def caller(floor: Floor) -> Caller:
    """Whose tone is on the line all the time."""
    made = floor.calls_in("Billing")
    assert made.party
    made.party.set_tone(CALLER_HZ, LEVEL)
    return made


@pytest.fixture
def enter(floor: Floor, caller: Caller) -> Iterator[Callable[..., InCall]]:
    there: list[InCall] = []

    def one(name: str, mode: str, side: str = "call") -> InCall:
        there.append(InCall(floor, name, caller, mode, side=side))
        return there[-1]

    yield one
    for somebody in there:
        somebody.vanishes()


def test_a_supervisor_who_vanishes_gives_the_caller_back_and_the_ai_says_so(
    caller: Caller, enter: Callable[..., InCall]
) -> None:
    taker = enter("anna", "take_over")
    caller.is_with("supervisor")
    taker.vanishes()
    caller.is_with("ai", within_s=15)
    said = (
        "SELECT text FROM calls_utterance WHERE call_id = %s AND speaker = 'ai' ORDER BY started_at DESC LIMIT 1"
    )
    until(lambda: "was cut" in (caller.floor.records.one(said, caller.id) or ""), 15, "the AI says why it is back")
    caller.is_over()


def test_the_agents_die_while_a_supervisor_talks_and_are_there_when_the_caller_is_given_back(
    caller: Caller, enter: Callable[..., InCall]
) -> None:
    taker = enter("anna", "take_over")
    caller.is_with("supervisor")
    caller.floor.product.kill("agents")
    again = "SELECT count(*) FROM calls_agentjob WHERE call_id = %s AND role = 'support' AND closed_at IS NULL"
    dead = "SELECT count(*) FROM calls_agentjob WHERE call_id = %s AND role = 'support' AND closed_at IS NOT NULL"
    until(lambda: caller.floor.records.one(dead, caller.id) > 0, 20, "the loss is noticed")
    seen: list[str] = []

    def replaced() -> bool:
        seen.append(caller.with_whom)
        return bool(caller.floor.records.one(again, caller.id))

    until(replaced, 90, "another AI is there, and silent")
    assert set(seen) == {"supervisor"}
    taker.stops()
    caller.is_with("ai")
    caller.is_over(within_s=20)
