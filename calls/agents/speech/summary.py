"""A briefing by extraction: a pure function of the turns and facts, within the word limit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from calls.agents.protocol import Profile, Speaker, Turn
from calls.agents.speech.intent import DIGITS, PERSON, caller_meaning, normal

DEFAULT_SECTIONS = ("who", "reason", "facts", "tried")
FILLERS = re.compile(r"^(hi|hello|hey|yes|yeah|okay|ok|um|uh|well|so|please|thanks|thank you)[,.!]?\s+", re.I)


def problem_of(turns: Sequence[Turn]) -> str:
    """The caller's own words that tell the problem best: the longest turn that is not just a wish for a person."""
    said = [t.text.strip() for t in turns if t.speaker == Speaker.CALLER and t.side == "call"]
    telling = [text for text in said if not (PERSON.search(normal(text)) and len(text.split()) < 12)]
    telling = [text for text in telling if caller_meaning(text).kind not in ("yes", "no", "goodbye")]
    best = max(telling, key=lambda text: len(text.split()), default="")
    while FILLERS.match(best):
        best = FILLERS.sub("", best, count=1)
    return best.rstrip(".!? ")


def fact_lines(facts: Mapping[str, str], profile: Profile, *, skip: frozenset[str] = frozenset()) -> list[str]:
    """ "account number 4 5 1 2": only what may be spoken, digits apart so that a voice reads them singly."""
    lines = []
    for field in profile.facts:
        value = facts.get(field.key, "")
        if value and field.may_be_spoken and field.key not in skip:
            spoken = " ".join(value) if value.isdigit() else value
            lines.append(f"{field.label} {spoken}")
    return lines


def _section(name: str, turns: Sequence[Turn], facts: Mapping[str, str], profile: Profile, reason: str) -> str:
    spoken = {field.key for field in profile.facts if field.may_be_spoken}
    match name:
        case "who":
            caller = facts.get("name", "") if "name" in spoken else ""
            return f"The caller is {caller}." if caller else ""
        case "reason":
            problem = problem_of(turns)
            why = problem or reason.strip().rstrip(".")
            return f"They say: {why}." if problem else (f"They call because: {why}." if why else "")
        case "facts":
            lines = fact_lines(facts, profile, skip=frozenset({"name"}))
            return f"{'; '.join(lines)}.".capitalize() if lines else ""
        case "tried":
            asked = any(caller_meaning(t.text).kind == "person" for t in turns if t.speaker == Speaker.CALLER)
            return "They asked for a person." if asked else ""
    return ""


def briefing_draft(
    *,
    turns: Sequence[Turn],
    facts: Mapping[str, str],
    profile: Profile,
    sections: Sequence[str] = (),
    reason: str = "",
) -> str:
    """The sections in order, cut at `profile.word_limit` words; facts that may not be spoken never appear."""
    parts = [_section(name, turns, facts, profile, reason) for name in sections or DEFAULT_SECTIONS]
    text = " ".join(part for part in parts if part)
    words = hide(text, facts, profile).split()
    return " ".join(words[: profile.word_limit]) if words else "A caller asks for a person."


def hide(text: str, facts: Mapping[str, str], profile: Profile) -> str:
    """Remove the facts that may not be spoken, also where somebody's own words carry them."""
    for field in profile.facts:
        value = facts.get(field.key, "").strip()
        if value and not field.may_be_spoken:
            text = re.sub(_spoken_or_written(value), "…", text, flags=re.I)
    return text


def _spoken_or_written(value: str) -> str:
    """A pattern: a number digit by digit, each as a figure or as a word; anything else as whole words."""
    digits = re.sub(r"[\s-]", "", value)
    if not digits.isdigit():
        return rf"(?<!\w){re.escape(value)}(?!\w)"
    said = (rf"(?:{digit}|(?<![a-z]){'|(?<![a-z])'.join(WORDS[digit])})" for digit in digits)
    return r"[\s,.–-]*".join(said)


WORDS = {figure: [word for word, f in DIGITS.items() if f == figure] for figure in "0123456789"}
