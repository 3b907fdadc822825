"""What of a live call needs a supervisor: each rule just before, at and after its moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calls.states import CallerWith
from transfers.attention import AGENT_BACK_WITHIN, AGENT_HERE_WITHIN, SILENCE, Reason, Seen, look

START = datetime(2026, 11, 26, 12, tzinfo=UTC)
WELL = Seen(CallerWith.AI, since=START, started_at=START, department="Billing", heard_at=START)
SECOND = timedelta(seconds=1)


def reasons(seen: Seen, at: datetime) -> tuple[Reason, ...]:
    return look(seen, at)[0]


def next_at(seen: Seen, at: datetime) -> datetime | None:
    return look(seen, at)[1]


def words(seen: Seen, after: timedelta) -> list[str]:
    return [reason.words for reason in reasons(seen, START + after)]


@pytest.mark.parametrize(
    ("seen", "begins", "said"),
    [
        (WELL, SILENCE, "Silence"),
        (replace(WELL, heard_at=None), SILENCE, "Silence"),
        (replace(WELL, heard_at=START + 9 * SECOND), SILENCE + 9 * SECOND, "Silence"),
        (replace(WELL, since=START + 20 * SECOND), SILENCE + 20 * SECOND, "Silence"),  # just back from hold
        (replace(WELL, caller_with=CallerWith.HOLD), 90 * SECOND, "Long hold"),
        (replace(WELL, caller_with=CallerWith.HOLD, hold_limit=40 * SECOND), 20 * SECOND, "Long hold"),
        (replace(WELL, caller_with=CallerWith.MANAGER, parked_at=START + SECOND), 91 * SECOND, "Long hold"),
        (replace(WELL, agent_here=False), AGENT_HERE_WITHIN, "Agent lost"),
        (replace(WELL, agent_here=False, agent_gone_at=START + SECOND), AGENT_BACK_WITHIN + SECOND, "Agent lost"),
    ],
)
def test_a_reason_begins_at_its_moment_and_the_page_is_told_when(seen: Seen, begins: timedelta, said: str) -> None:
    before = begins - SECOND
    assert words(seen, before) == []
    assert next_at(seen, START + before) == START + begins
    assert words(seen, begins) == [said]
    assert words(seen, begins + timedelta(hours=1)) == [said]


@pytest.mark.parametrize(
    "seen",
    [
        replace(WELL, agent_speaking=True),
        replace(WELL, in_transfer=True),
        replace(WELL, caller_with=CallerWith.MANAGER),
        replace(WELL, caller_with=CallerWith.SUPERVISOR, agent_here=False),
    ],
)
def test_nothing_is_wrong_and_nothing_will_be(seen: Seen) -> None:
    assert words(seen, timedelta(hours=2)) == []
    assert next_at(seen, START) is None


def test_asked_twice_holds_while_the_caller_is_with_the_ai_and_no_transfer_is_open() -> None:
    twice = replace(WELL, asks=2)
    assert words(replace(WELL, asks=1), SECOND) == []
    assert words(twice, SECOND) == ["Asked twice for a person"]
    assert words(replace(twice, asks=3), SECOND) == ["Asked 3 times for a person"]
    assert words(replace(twice, in_transfer=True), SECOND) == []
    assert words(replace(twice, caller_with=CallerWith.MANAGER), SECOND) == []


def test_the_worst_reason_comes_first_and_every_one_is_said() -> None:
    seen = replace(WELL, asks=2, heard_at=START)
    assert words(seen, SILENCE) == ["Asked twice for a person", "Silence"]
    lost = replace(seen, agent_here=False, agent_gone_at=START)
    assert words(lost, SILENCE) == ["Agent lost", "Asked twice for a person"]


def test_a_reason_says_since_when_and_what_it_means_for_the_caller() -> None:
    at = START + timedelta(seconds=100)
    (silent,) = reasons(replace(WELL, heard_at=START + 5 * SECOND), at)
    assert silent.since == START + 5 * SECOND
    (hold,) = reasons(replace(WELL, caller_with=CallerWith.HOLD), at)
    assert hold.since == START
    assert hold.says == (
        "More than half of the 3:00 that Billing lets a caller wait. At 3:00 they go back to the AI."
    )
    (never,) = reasons(replace(WELL, agent_here=False), at)
    assert never.says.startswith("No AI agent has joined")
