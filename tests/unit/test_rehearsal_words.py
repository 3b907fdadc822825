from __future__ import annotations

import random

import pytest

from calls.agents.speech.intent import caller_meaning, manager_meaning
from transfers.rehearsal import words


def test_six_different_words_are_drawn_anew() -> None:
    one, two = words.draw(rng=random.Random(1)), words.draw(rng=random.Random(2))
    assert len(set(one)) == 6
    assert one != two


def test_words_that_were_said_already_are_not_drawn_again() -> None:
    before = words.draw()
    assert not set(words.draw(but=before)) & set(before)


def test_no_word_means_anything_to_an_agent() -> None:
    for word in words.VOCABULARY:
        assert manager_meaning(word).kind == "unclear"
        assert caller_meaning(word).kind == "other"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My words are tiger, window.", ["tiger", "window"]),
        ("my words are Tigers window", ["tiger", "window"]),
        ("a tiger", ["tiger"]),
        ("", []),
        ("nothing of them was said", []),
    ],
)
def test_what_was_recognised(text: str, found: list[str]) -> None:
    assert words.recognised(["tiger", "window"], text) == found


def test_a_word_said_twice_counts_twice_only_if_heard_twice() -> None:
    assert words.recognised(["tiger", "tiger"], "tiger") == ["tiger"]


def test_the_share_of_a_text() -> None:
    why = "I am sorry, nobody answered. Would you like me to try again?"
    assert words.share_of_text(why, "I'm sorry nobody answered, would you like me to try again") > 0.8
    assert words.share_of_text(why, "Please hold the line.") < 0.2
    assert words.share([], "anything") == 1.0


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("The account number is 4 5 1 2.", True),
        ("the account number is four, five, one, two", True),
        ("the account number is 4, 5, 12 and more", True),
        ("I do not know the account number.", False),
        ("The caller is Anna Miller.", False),
    ],
)
def test_the_digits_of_a_number(text: str, heard: bool) -> None:
    assert words.digits_heard("4512", text) is heard
