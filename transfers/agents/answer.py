"""When what a manager says counts as taking the call: pure, so that every case can be tried.

An answering machine says "yes", too: only a short turn that begins after our question ended takes a call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_YES_SECONDS = 4.0
GREETING = re.compile(
    r"(hello|hi|hey|yes|yeah|good (morning|afternoon|evening)|speaking|this is|it's|here)\b", re.I
)
LONGEST_GREETING_WORDS = 6


class Verdict(StrEnum):
    COUNTS = "counts"
    TOO_EARLY = "too_early"  # the question had not been asked to its end: ask it
    ASK_AGAIN = "ask_again"  # too long to be an answer, once
    VOICEMAIL = "voicemail"  # and again


@dataclass
class AnswerGate:
    """Times are epoch seconds."""

    asked_at: float | None = None  # when our question ended, the last time
    too_long: int = 0

    def asked(self, at: float) -> None:
        self.asked_at = at

    def spoken_yes(self, began: float, ended: float) -> Verdict:
        if self.asked_at is None or began < self.asked_at:
            return Verdict.TOO_EARLY
        if ended - began < LONGEST_YES_SECONDS:
            return Verdict.COUNTS
        self.too_long += 1
        return Verdict.ASK_AGAIN if self.too_long == 1 else Verdict.VOICEMAIL


def is_greeting(text: str) -> bool:
    """ "Hello, Dana speaking": what people say when they pick up; the briefing is then begun again."""
    said = text.strip().rstrip(".!?")
    return bool(said) and len(said.split()) <= LONGEST_GREETING_WORDS and bool(GREETING.search(said))
