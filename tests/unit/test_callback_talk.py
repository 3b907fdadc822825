"""How the rule-based brain agrees on a call back, and what else it now says and does."""

from __future__ import annotations

import pytest

from calls.agents.keys import StarKeys
from calls.agents.protocol import HandedOver
from calls.agents.speech import callback_talk as c
from calls.agents.speech.knowledge import SupportKnowledge
from calls.agents.speech.lines import Line, Reply
from calls.agents.speech.replies import support_reply

KNOWN = SupportKnowledge(caller_last4="4417", offers_callback=True, may_refer=True)
UNKNOWN = SupportKnowledge(offers_callback=True)
ASKED_DONE = Line("assistant", "My colleague has left the call. Is there anything else I can do for you?")


def talk(knowledge: SupportKnowledge, *said: str) -> list[Reply]:
    """The brain's replies to a caller's turns, one after the other, each heard by both."""
    lines, replies = [], []
    for text in said:
        lines.append(Line("user", text))
        reply = support_reply(lines, knowledge)
        replies.append(reply)
        lines.append(Line("assistant", reply.text))
    return replies


@pytest.mark.parametrize(
    "said",
    ["Can somebody call me back?", "Please call me back.", "I would like a callback.", "A call back, please."],
)
def test_a_known_number_is_confirmed_by_its_end_then_the_time_is_asked(said: str) -> None:
    first, second, third = talk(KNOWN, said, "Yes, that is right.", "Tomorrow morning.")
    assert first.text == f"Somebody can call you back on the number that ends in 4 4 1 7. {c.SAME_NUMBER}"
    assert c.WHEN in second.text
    assert third == Reply(tool="request_callback", arguments={"number": "", "preferred": "Tomorrow morning"})


def test_another_number_is_read_back_digit_by_digit() -> None:
    replies = talk(
        KNOWN, "Call me back.", "No.", "Two zero two, five five five, oh one two three", "Yes.", "After lunch."
    )
    assert replies[1].text == c.WHICH_NUMBER
    assert replies[2].text == f"I have 2 0 2 5 5 5 0 1 2 3. {c.READ_BACK}"
    assert replies[4].arguments == {"number": "2025550123", "preferred": "After lunch"}


def test_a_number_that_was_heard_wrong_is_asked_for_again() -> None:
    replies = talk(UNKNOWN, "Call me back.", "2025550124", "No.", "2025550123", "Correct.", "Now.")
    assert [c.WHICH_NUMBER in r.text for r in replies[:3]] == [True, False, True]
    assert replies[-1].arguments["number"] == "2025550123"


def test_half_a_number_is_none() -> None:
    assert c.WHICH_NUMBER in talk(UNKNOWN, "Call me back.", "Two zero two.")[1].text


def test_where_it_is_not_offered_it_is_not_begun() -> None:
    (reply,) = talk(SupportKnowledge(caller_last4="4417"), "Please call me back.")
    assert c.SAME_NUMBER not in reply.text


@pytest.mark.parametrize("said", ["No.", "No, thank you.", "Nothing.", "No, that's all. Bye."])
def test_a_no_to_whether_there_is_anything_else_is_goodbye(said: str) -> None:
    assert support_reply([ASKED_DONE, Line("user", said)], KNOWN).tool == "say_goodbye"


def test_anything_else_is_answered() -> None:
    assert (
        "refund" in support_reply([ASKED_DONE, Line("user", "Yes, when do I get my refund?")], KNOWN).text.lower()
    )


def test_who_wants_to_be_sent_on_directly_is_where_the_department_allows_it() -> None:
    said = [Line("user", "Transfer me directly to Billing.")]
    assert support_reply(said, KNOWN).arguments["without_briefing"] == "true"
    assert "without_briefing" not in support_reply(said, UNKNOWN).arguments


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        ([("*", 0.0), ("0", 1.0)], "back"),
        ([("*", 0.0), ("1", 2.9)], "another"),
        ([("*", 0.0), ("*", 5.0), ("0", 6.0)], "back"),
        ([("0", 0.0)], None),
        ([("*", 0.0), ("0", 3.1)], None),
        ([("*", 0.0), ("7", 1.0), ("0", 2.0)], None),
    ],
)
def test_star_and_a_digit_within_three_seconds(keys: list[tuple[str, float]], meant: str | None) -> None:
    stars = StarKeys()
    told = [stars.pressed(digit, at) for digit, at in keys][-1]
    assert told == (HandedOver(to=meant) if meant else None)  # type: ignore[arg-type]
