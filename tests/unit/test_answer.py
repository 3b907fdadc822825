"""Whether a spoken yes takes a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfers.agents.answer import LONGEST_YES_SECONDS, AnswerGate, Verdict, is_greeting

times = st.floats(min_value=0, max_value=1e6)


def test_a_short_turn_after_the_question_takes_the_call() -> None:
    gate = AnswerGate()
    gate.asked(100.0)
    assert gate.spoken_yes(100.2, 101.0) == Verdict.COUNTS


def test_a_yes_before_the_question_ended_is_asked_for_again() -> None:
    gate = AnswerGate()
    assert gate.spoken_yes(90.0, 90.5) == Verdict.TOO_EARLY
    gate.asked(100.0)
    assert gate.spoken_yes(99.9, 100.5) == Verdict.TOO_EARLY


def test_a_long_yes_is_asked_for_once_more_and_then_a_machine() -> None:
    gate = AnswerGate()
    gate.asked(100.0)
    assert gate.spoken_yes(101.0, 105.5) == Verdict.ASK_AGAIN
    gate.asked(110.0)
    assert gate.spoken_yes(111.0, 116.0) == Verdict.VOICEMAIL


def test_after_a_long_turn_a_short_one_still_counts() -> None:
    gate = AnswerGate()
    gate.asked(100.0)
    gate.spoken_yes(101.0, 106.0)
    gate.asked(110.0)
    assert gate.spoken_yes(111.0, 111.6) == Verdict.COUNTS


@given(asked=st.none() | times, began=times, lasted=st.floats(min_value=0, max_value=60))
def test_nothing_counts_that_is_long_or_begins_before_the_question_ended(
    asked: float | None, began: float, lasted: float
) -> None:
    gate = AnswerGate()
    if asked is not None:
        gate.asked(asked)
    counts = gate.spoken_yes(began, began + lasted) == Verdict.COUNTS
    if counts:
        assert asked is not None
        assert began >= asked
        assert (began + lasted) - began < LONGEST_YES_SECONDS


@pytest.mark.parametrize("text", ["Hello?", "Hello, Dana speaking.", "Yes?", "This is Dana.", "Hi, good morning."])
def test_what_people_say_when_they_pick_up_is_a_greeting(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text", ["", "Who is calling?", "Hello, what is the account number of the caller please?"]
)
def test_a_question_is_not_a_greeting(text: str) -> None:
    assert not is_greeting(text)
