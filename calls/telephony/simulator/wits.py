"""What a simulated caller answers to what it hears: simple rules over a story. Pure."""

from __future__ import annotations

import re
from collections import Counter

from calls.telephony.simulator.scripts import FAREWELL, INTRODUCTION
from calls.telephony.simulator.stories import Story

HOLD = r"\bhold(ing)?\b|\bstill trying\b|\bconnecting you\b"
WAIT = r"\bone moment\b|\b(am|will|'ll|let me) ask(ing)?\b"
BACK = r"\b(sorry|busy|cannot|can't|try again|back with me|something else|help you with)\b"
OFFER = r"\btry again\b.*\bhelp you with something\b|\bcall you back\b"
ELSE = r"\b(anything|what|something) else\b"
HELLO = "Hello? Can you hear me?"
FEWEST_WORDS = 2  # less is what recognition makes of music
MOST_SILENCES = 6


class Wits:
    """`answer` is what to say, empty to listen on; `done` when the caller will hang up."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.holding = False  # music, and nobody listens
        self.merged = False  # with a person
        self.done = False
        self.said_goodbye = False
        self._turns = 0
        self._silences = 0
        self._used: Counter[str] = Counter()
        self._lines = list(story.lines)

    def answer(self, heard: str) -> str:
        """`heard` in lower case, as `intent.normal` makes it; empty after a silence."""
        if not heard:
            return self._to_silence()
        self._silences = 0
        self._turns += 1
        if self.story.leaves_after and self._turns >= self.story.leaves_after:
            self.done = True
            return ""
        if re.search(BACK, heard) and not self.merged:
            self.holding = False
            return self._reply(heard)
        if re.search(HOLD, heard) and not self.merged:
            self.holding = True
            return ""
        if re.search(WAIT, heard):
            return ""
        return self._to_somebody(heard) if self.holding else self._reply(heard)

    def _to_somebody(self, heard: str) -> str:
        """Speech on hold that is no progress line: the introduction, a manager, or both."""
        rest = re.sub(rf".*({INTRODUCTION})( to it)?( goodbye)?", "", heard)
        if len(rest.split()) < FEWEST_WORDS:
            return ""
        self.holding, self.merged = False, True
        self._lines = list(self.story.with_manager)
        return self._next_line()

    def _reply(self, heard: str) -> str:
        if re.search(FAREWELL, heard) and not re.search(INTRODUCTION, heard):
            return self._goodbye("Goodbye.")
        for reaction in self.story.reactions:
            if self._used[reaction.says] < reaction.times and re.search(reaction.when, heard):
                self._used[reaction.says] += 1
                return reaction.says
        if re.search(OFFER, heard) and not self._used[OFFER]:
            self._used[OFFER] += 1
            return "Please try again."
        if re.search(ELSE, heard) and (self.merged or not self._lines):
            return self._goodbye(f"No, that is all. {self.story.parting}")
        return self._next_line()

    def _next_line(self) -> str:
        return self._lines.pop(0) if self._lines else self._goodbye(self.story.parting)

    def _goodbye(self, words: str) -> str:
        self.done = self.said_goodbye = True
        return words

    def _to_silence(self) -> str:
        if self.holding:
            return self.story.on_hold
        self._silences += 1
        self.done = self._silences > MOST_SILENCES
        return HELLO if self._silences in (2, 5) else ""
