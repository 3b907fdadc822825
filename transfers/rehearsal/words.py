"""The words that the parties say, drawn anew for each run, and how many of them were recognised. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from calls.agents.speech.intent import spoken_digits

COUNT = 6
ENOUGH = 0.6  # of what was said
ALIKE = 0.8  # "gitar" is "guitar"

# Far apart in sound, and in no greeting, briefing or introduction: found only where they were said.
VOCABULARY = (
    "banana", "blanket", "butter", "camera", "candle", "dragon", "elephant", "forest", "hammer", "hospital",
    "kitchen", "monkey", "orange", "pencil", "purple", "rabbit", "river", "silver", "sugar", "tiger",
    "tomato", "turtle", "umbrella", "village", "window", "winter", "yellow", "island", "coffee", "family",
)  # fmt: skip


def draw(count: int = COUNT, *, but: Sequence[str] = (), rng: random.Random | None = None) -> list[str]:
    """`count` different words, none of `but`."""
    chooser = rng or random.SystemRandom()
    return chooser.sample([word for word in VOCABULARY if word not in but], count)


def sentence(words: Sequence[str]) -> str:
    """As it is spoken: the beginning of a sentence is recognised worst, so it is none of the words."""
    return f"My words are: {', '.join(words)}."


def spoken(text: str) -> list[str]:
    """The words of a recognised text, digits by themselves: "45 one" is four, five, one as "4", "5", "1"."""
    found = re.findall(r"[a-z]+(?:'[a-z]+)?|\d", text.lower().replace("’", "'"))
    return [spoken_digits(word) or word for word in found]


def recognised(said: Sequence[str], text: str) -> list[str]:
    """Which words of `said` are in `text`, each once, in the order of `said`."""
    left = spoken(text)
    found = []
    for word in said:
        match = next((other for other in left if _alike(word.lower(), other)), None)
        if match is not None:
            left.remove(match)
            found.append(word)
    return found


def _alike(word: str, other: str) -> bool:
    """The same, or nearly: a recogniser writes names and rare words as it likes."""
    if word == other:
        return True
    if min(len(word), len(other)) < 4:
        return False
    return SequenceMatcher(None, word, other).ratio() >= ALIKE


def share(said: Sequence[str], text: str) -> float:
    """How much of `said` was recognised, 0 to 1; of nothing said, all."""
    return len(recognised(said, text)) / len(said) if said else 1.0


def share_of_text(said: str, text: str) -> float:
    return share(spoken(said), text)


def digits_heard(digits: str, text: str) -> bool:
    """Whether enough of a number's digits were recognised in their order."""
    heard = spoken_digits(text)
    matched = sum(
        block.size for block in SequenceMatcher(None, digits, heard, autojunk=False).get_matching_blocks()
    )
    return matched >= ENOUGH * len(digits)
