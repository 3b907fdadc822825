"""What a person means, by rules: pure functions of one utterance. When in doubt: not a yes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from calls.agents.protocol import RosterDepartment

Words = list[str]

ACCEPTS = (
    "put them through",
    "put him through",
    "put her through",
    "put the caller through",
    "connect me",
    "connect them",
    "connect us",
    "i'll take it",
    "i will take it",
    "i'll take the call",
    "i will take the call",
    "i can take it",
    "i can take the call",
    "go ahead",
    "patch them through",
    "i accept",
    "accept",
    "of course",
)
# "Through" over a telephone is heard as many words.
PUT_THROUGH = re.compile(r"\bput (them|him|her|the caller) (thru|three|true|threw|to|to you|throw)$")
YES = frozenset({"yes", "yeah", "yep", "yup", "sure", "okay", "ok", "absolutely", "certainly"})
FILLER = frozenset(
    {"please", "of", "course", "thanks", "thank", "you", "then", "fine", "alright", "well", "oh", "um"}
)
HEDGES = (
    "who is", "who's", "what is", "what's", "why", "hold on", "wait", "one moment", "one second", "just a",
    "not sure", "maybe", "but", "if ", "first", "hello", "how", "when", "where", "can you", "could you",
    "tell me", "press", "message", "tone", "leave", "unavailable", "voicemail", "mailbox", "reached", "?",
)  # fmt: skip
# In the middle of a question "no" is more likely a "number" that was cut off.
BARE_NO = ("no", "nope")
DECLINES = (
    "can't", "cannot", "can not", "not now", "not right now", "i'm busy", "i am busy",
    "in a meeting",
    "decline", "not available", "don't put", "do not put", "refuse", "not able", "unable",
)  # fmt: skip
GREETINGS = ("please leave", "leave a message", "after the tone", "not available to take", "you have reached",
             "voicemail", "mailbox", "at the beep", "press 1", "press one", "press pound")  # fmt: skip
ASKS = re.compile(r"(who|what|why|when|where|how|which|is|are|do|does|did|can|could)('s|s)?\b")
PERSON = re.compile(
    r"\b(manager|human|real person|person|someone|somebody|agent|representative|supervisor|operator|colleague|"
    r"department|speak to|talk to|speak with|talk with|put me through|transfer me|escalate)\b"
)
BOT_ONLY = re.compile(r"\b(don't|do not|no need)\b.*\b(manager|person|human|transfer)\b")
GOODBYE = re.compile(r"\b(good ?bye|bye|that's all|that is all|that will be all|nothing else|have a nice day)\b")


def normal(text: str) -> str:
    """Lower case, plain apostrophes, single spaces; question marks kept."""
    text = text.lower().replace("’", "'")
    return " ".join(re.sub(r"[^a-z0-9'?*# ]+", " ", text).split())


@dataclass(frozen=True)
class ManagerMeaning:
    """`kind`: accept, decline, redirect, repeat, details, voicemail, question, not_today, unclear."""

    kind: str
    reason: str = ""
    department: str = ""
    person: str = ""


def manager_meaning(text: str, targets: Sequence[RosterDepartment] = ()) -> ManagerMeaning:
    """What a manager's turn means after the question was asked."""
    said = normal(text)
    if not said:
        return ManagerMeaning("unclear")
    if any(phrase in said for phrase in GREETINGS):
        return ManagerMeaning("voicemail")
    if "not today" in said:
        return ManagerMeaning("not_today")
    redirect = _redirect(said, targets)
    if redirect:
        return redirect
    if re.search(r"\b(repeat|say (that|it) again|once more)\b", said):
        return ManagerMeaning("repeat")
    if re.search(r"\b(more details|details|tell me more)\b", said):
        return ManagerMeaning("details")
    if _declines(said):
        return ManagerMeaning("decline", reason=_reason(text))
    if is_clear_yes(said):
        return ManagerMeaning("accept")
    return ManagerMeaning("question" if "?" in said or ASKS.match(said) else "unclear")


def is_clear_yes(said: str) -> bool:
    """Short, whole and without a hedge; "yes, who is this?" is not one."""
    if any(hedge in f"{said} " for hedge in HEDGES) or len(said.split()) > 12:
        return False
    if any(phrase in said for phrase in ACCEPTS) or PUT_THROUGH.search(said):
        return not re.search(r"\b(not|don't|never)\b", said)
    words = said.split()
    return any(w in YES for w in words) and all(w in YES or w in FILLER for w in words)


def _declines(said: str) -> bool:
    if re.match(r"no problem", said):
        return False
    phrases = DECLINES if ASKS.match(said) else (*BARE_NO, *DECLINES)
    return any(re.search(rf"\b{re.escape(phrase)}\b", said) for phrase in phrases)


def _reason(text: str) -> str:
    """The part of a refusal that says why, as spoken, for the caller's ears."""
    parts = re.split(r"[,.;]\s*|\bbecause\b", text.strip(), maxsplit=1)
    reason = parts[1].strip() if len(parts) > 1 else ""
    return reason.rstrip(".")[:200]


def _redirect(said: str, targets: Sequence[RosterDepartment]) -> ManagerMeaning | None:
    if not re.search(
        r"\b(ask|try|transfer|send|redirect|goes to|belongs to|is for|should go|speak to|give it to)\b", said
    ):
        return None
    for target in targets:
        for person in target.people:
            if re.search(rf"\b{re.escape(normal(person).split()[0])}\b", said):
                return ManagerMeaning("redirect", department=target.name, person=person)
    for target in targets:
        if re.search(rf"\b{re.escape(normal(target.name))}\b", said):
            return ManagerMeaning("redirect", department=target.name)
    return None


@dataclass(frozen=True)
class CallerMeaning:
    """`kind`: person, goodbye, yes, no, other; for `person`, whom by the roster's names."""

    kind: str
    department: str = ""
    person: str | None = None


def caller_meaning(text: str, departments: Sequence[RosterDepartment] = ()) -> CallerMeaning:
    said = normal(text)
    department, person = named(said, departments)
    if (PERSON.search(said) or person) and not BOT_ONLY.search(said):
        return CallerMeaning("person", department=department, person=person)
    if GOODBYE.search(said):
        return CallerMeaning("goodbye")
    words = said.replace("?", "").split()
    if words and words[0] in YES and len(words) <= 6:
        return CallerMeaning("yes")
    if words and words[0] in ("no", "nope", "nothing"):
        return CallerMeaning("no")
    return CallerMeaning("other")


def named(said: str, departments: Sequence[RosterDepartment]) -> tuple[str, str | None]:
    """The roster's department and person that an utterance names, if it does."""
    for department in departments:
        for person in department.people:
            if re.search(rf"\b(to|with|for|ask) {re.escape(normal(person).split()[0])}\b", said):
                return department.name, person
    for department in departments:
        if re.search(rf"\b{re.escape(normal(department.name))}\b", said):
            return department.name, None
    return "", None


DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "for": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip


def spoken_digits(text: str) -> str:
    """The digits of a number said digit by digit or written: "four five, 67" is "4567"."""
    digits = []
    for word in re.findall(r"[a-z]+|\d+", normal(text)):
        if word.isdigit():
            digits.append(word)
        elif word in DIGITS and (word not in ("for", "o", "oh") or digits):
            digits.append(DIGITS[word])
    return "".join(digits)


# After "I am" only a name in capitals is one: "I am calling about my bill".
NAMED = re.compile(
    r"\b(?:(?i:my name is|name's|call me)\s+(?=[A-Za-z])|(?i:this is|i am|i'm|it's)\s+(?=[A-Z]))"
    r"([A-Za-z][a-zA-Z'-]+(?: [A-Z][a-zA-Z'-]+)?)"
)


def spoken_name(text: str) -> str:
    """A name as people give it: "my name is Ann Lee" or just "Ann Lee"."""
    found = NAMED.search(text.replace("’", "'"))
    if found:
        return str(found.group(1)).strip().title()
    words = [w.strip(".,!?") for w in text.split()]
    return " ".join(words).title() if 1 <= len(words) <= 3 and all(w.isalpha() for w in words) else ""
