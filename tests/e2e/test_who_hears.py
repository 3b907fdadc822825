"""Who hears whom, with one tone a speaker at every party and supervisors in the rooms; take over and give back.

Without speech: what is looked at is sound at the caller, at the manager's phone and at each supervisor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.floor import DANA, SCRIPTED, Caller, Floor
from tests.product import Product, until
from tests.supervisors import InCall, heard_by_phone, loudness, make_accounts, recorded, who_is_heard
from transfers.rehearsal.sound import Recording
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PEOPLE = ("anna", "bo", "cora", "dirk")
MUSIC = 0.004  # RMS of full scale: above the tones


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


def of_caller(caller: Caller) -> Callable[[], Recording]:
    assert caller.party
    return lambda: recorded(caller.party)  # type: ignore[arg-type]


def of_manager(caller: Caller) -> Callable[[], Recording]:
    return lambda: heard_by_phone(caller.floor, caller.dials()[-1]["id"])


def test_every_cell_of_the_table(caller: Caller, enter: Callable[..., InCall]) -> None:
    # with the AI
    listens, barges = enter("anna", "listen"), enter("bo", "barge")
    ears = {"caller": of_caller(caller), "listener": listens.heard, "barge": barges.heard}
    assert who_is_heard(ears) == {"caller": {"barge"}, "listener": {"caller", "barge"}, "barge": {"caller"}}
    # on hold: no music while somebody who has joined in is to be understood
    caller.floor.carrier.next_dial(DANA, scenario="silent", rings_s=12.0, tone_hz=MANAGER_HZ)
    caller.asks()
    caller.is_with("hold")
    assert who_is_heard(ears) == {"caller": {"barge"}, "listener": {"caller", "barge"}, "barge": {"caller"}}
    assert music(caller) < MUSIC
    barges.stops()
    until(lambda: music(caller) > MUSIC, 5, "the music plays again")
    # the briefing
    caller.is_briefed()
    barges = enter("bo", "barge")
    aside, whispers = enter("cora", "listen", "consultation"), enter("dirk", "whisper", "consultation")
    ears |= {"barge": barges.heard, "manager": of_manager(caller), "aside": aside.heard, "whisper": whispers.heard}
    assert who_is_heard(ears) == {
        "caller": {"barge"},
        "listener": {"caller", "barge"},
        "barge": {"caller"},
        "manager": {"whisper"},
        "aside": {"manager"},
        "whisper": {"manager"},
    }
    # merged
    caller.manager_takes_it()
    caller.is_with("manager")
    assert who_is_heard(ears) == {
        "caller": {"manager", "barge"},
        "listener": {"caller", "manager", "barge"},
        "barge": {"caller", "manager"},
        "manager": {"caller", "barge", "whisper"},
        "aside": {"caller", "manager", "barge"},
        "whisper": {"caller", "manager", "barge"},
    }
    # taken over: whoever spoke is put out, whoever listens stays
    barges.stops()
    taker = enter("bo", "take_over")
    caller.is_with("supervisor")
    until(lambda: not whispers.is_there() and not aside.is_there(), 10, "nobody is with the manager any more")
    caller.nobody_rings()
    ears = {"caller": of_caller(caller), "listener": listens.heard, "taker": taker.heard}
    assert who_is_heard(ears) == {"caller": {"barge"}, "listener": {"caller", "barge"}, "taker": {"caller"}}
    taker.stops()
    caller.is_with("ai")
    assert who_is_heard(ears) == {"caller": set(), "listener": {"caller"}, "taker": set()}
    caller.is_over()


def music(caller: Caller) -> float:
    """How loud it is at the caller's, in the last second."""
    time.sleep(1.2)
    return loudness(of_caller(caller)(), time.time() - 1.1, time.time() - 0.1)


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
