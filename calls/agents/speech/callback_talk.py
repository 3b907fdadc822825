"""How the rule-based brain agrees on a call back: the number is read back, then the time. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from calls.agents.speech.intent import caller_meaning, normal, spoken_digits
from calls.agents.speech.knowledge import SupportKnowledge
from calls.agents.speech.lines import Line, Reply, last_said

WANTED = re.compile(r"\b(call|ring|phone)(ed|ing)? (me|us) back\b|\b(a |the )?call ?back\b")
FEWEST_DIGITS = 7
SAME_NUMBER = "Is that the right number?"
WHICH_NUMBER = "Which number should we call? Please say it digit by digit."
READ_BACK = "Did I get that right?"
WHEN = "When does it suit you?"
I_HAVE = re.compile(r"I have ([\d ]+)\. Did I get that right\?")


def callback_reply(lines: Sequence[Line], knowledge: SupportKnowledge) -> Reply | None:
    """The next step of it; None if the caller talks of something else."""
    if not knowledge.offers_callback:
        return None
    said, asked = lines[-1].text, last_said(lines)
    if SAME_NUMBER in asked or READ_BACK in asked:
        return _confirmed(said)
    if WHICH_NUMBER in asked:
        return _number(said)
    if WHEN in asked:
        return Reply(
            tool="request_callback",
            arguments={"number": _confirmed_number(lines), "preferred": said.strip().rstrip(".")[:120]},
        )
    return _begin(knowledge) if WANTED.search(normal(said)) else None


def _begin(knowledge: SupportKnowledge) -> Reply:
    if not knowledge.caller_last4:
        return Reply(WHICH_NUMBER)
    ends = " ".join(knowledge.caller_last4)
    return Reply(f"Somebody can call you back on the number that ends in {ends}. {SAME_NUMBER}")


def _confirmed(said: str) -> Reply:
    meaning = caller_meaning(said).kind
    if meaning == "yes" or normal(said).startswith(("that is right", "that's right", "correct", "right")):
        return Reply(f"Good. {WHEN}")
    digits = spoken_digits(said)
    return _number(said) if len(digits) >= FEWEST_DIGITS else Reply(WHICH_NUMBER)


def _number(said: str) -> Reply:
    digits = spoken_digits(said)
    if len(digits) < FEWEST_DIGITS:
        return Reply(f"I did not catch a whole number. {WHICH_NUMBER}")
    return Reply(f"I have {' '.join(digits)}. {READ_BACK}")


def _confirmed_number(lines: Sequence[Line]) -> str:
    """The number last read back, since the call back was spoken of; empty: the one they call from."""
    for line in reversed(lines):
        if line.role == "assistant" and (found := I_HAVE.search(line.text)):
            return found.group(1).replace(" ", "")
        if line.role == "assistant" and SAME_NUMBER in line.text:
            return ""
    return ""
