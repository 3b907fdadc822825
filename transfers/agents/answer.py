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


class InAdvance:
    """A manager who has accepted on screen: whoever then speaks on the telephone may still be a machine.

    `line_ended` is when our first line did (epoch seconds); a turn that begins later and is short is the manager.
    """

    def __init__(self) -> None:
        self.accepted = False
        self.line_ended: float | None = None
        self._person_spoke = False

    def first_line_ended(self, at: float) -> None:
        if self.line_ended is None:
            self.line_ended = at

    def turn(self, began: float, ended: float) -> Verdict:
        """What a turn is worth, if they have accepted or accept later."""
        if self.line_ended is None or began < self.line_ended:
            return Verdict.TOO_EARLY
        if ended - began >= LONGEST_YES_SECONDS:
            return Verdict.VOICEMAIL
        self._person_spoke = True
        return Verdict.COUNTS

    @property
    def counts(self) -> bool:
        """Accepted, and a person has been heard."""
        return self.accepted and self._person_spoke


def is_greeting(text: str) -> bool:
    """ "Hello, Dana speaking": what people say when they pick up; the briefing is then begun again."""
    said = text.strip().rstrip(".!?")
    return bool(said) and len(said.split()) <= LONGEST_GREETING_WORDS and bool(GREETING.search(said))
