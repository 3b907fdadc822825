"""What the history is asked for: from a form or an address, and back into an address.

A caller's whole number is never part of an address, which is kept in logs and shared: its keyed digest is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy

from calls import parsed
from calls.services.calls import number_hmac
from transfers.phases import PhaseName
from transfers.states import EndReason, Outcome

DIGEST = re.compile(r"[0-9a-f]{64}")
LAST = 4  # digits of a number that everybody sees
MOST_WORDS = 100  # characters
MOST_SECONDS = 10**7


class Kind(TextChoices):
    WARM = "warm", gettext_lazy("Warm")
    COLD = "cold", gettext_lazy("Cold")
    CALLBACK = "callback", gettext_lazy("Callback")


class Failed(TextChoices):
    """The phase in which a transfer, or an attempt of it, came to nothing."""

    APPROVAL = PhaseName.APPROVAL, gettext_lazy("Approval")
    UNTIL_DIAL = PhaseName.UNTIL_DIAL, gettext_lazy("Finding somebody")
    RING = PhaseName.RING, gettext_lazy("Ringing")
    CONSULTATION = PhaseName.CONSULTATION, gettext_lazy("Briefing")
    JOIN = PhaseName.JOIN, gettext_lazy("Joining")


@dataclass(frozen=True)
class Filters:
    """`caller` is the last four digits or a number's digest; `longer` and `shorter` are seconds, inclusive."""

    department: int | None = None
    result: str = ""
    manager: UUID | None = None
    since: date | None = None
    until: date | None = None
    caller: str = ""
    words: str = ""
    supervisor: int | None = None
    kind: str = ""
    outcome: str = ""
    sip: int | None = None
    failed: str = ""
    longer: int | None = None
    shorter: int | None = None
    rehearsals: bool = False

    @property
    def any(self) -> bool:
        return self != Filters(rehearsals=self.rehearsals)

    @property
    def rare(self) -> bool:
        """Whether any is set that the page keeps folded away."""
        rare = (self.supervisor, self.kind, self.outcome, self.sip, self.failed, self.longer, self.shorter)
        return any(map(_is_set, rare))

    @property
    def digested(self) -> bool:
        """Whether the caller is told by a whole number, which the page cannot show again."""
        return len(self.caller) > LAST

    def address(self) -> dict[str, str]:
        """Only what is set: `filters_of` makes the same of it."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: "1" if value is True else str(value) for name, value in told.items() if _is_set(value)}


def filters_of(query: Mapping[str, str]) -> Filters:
    """What does not parse is no filter."""
    return Filters(
        department=parsed.number(query.get("department", "")),
        result=_one_of(query.get("result", ""), EndReason.values),
        manager=parsed.uuid(query.get("manager", "")),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        caller=_caller(query.get("caller", "").strip()),
        words=query.get("words", "").replace("\0", "").strip()[:MOST_WORDS],
        supervisor=parsed.number(query.get("supervisor", "")),
        kind=_one_of(query.get("kind", ""), Kind.values),
        outcome=_one_of(query.get("outcome", ""), Outcome.values),
        sip=parsed.number(query.get("sip", ""), most=999),
        failed=_one_of(query.get("failed", ""), Failed.values),
        longer=parsed.number(query.get("longer", ""), most=MOST_SECONDS),
        shorter=parsed.number(query.get("shorter", ""), most=MOST_SECONDS),
        rehearsals=query.get("rehearsals") == "1",
    )


def _is_set(value: object) -> bool:
    """0 is: “at least 0 s” leaves out what still goes on."""
    return value is not None and value is not False and value != ""


def _caller(text: str) -> str:
    if DIGEST.fullmatch(text):
        return text
    digits = "".join(c for c in text[:24] if c.isdecimal() and c.isascii())
    return digits if len(digits) <= LAST else number_hmac(f"+{digits}")


def _one_of(text: str, known: list[str]) -> str:
    return text if text in known else ""


def _day(text: str) -> date | None:
    """Of the calendar's last year there is no day after."""
    found = parsed.day(text)
    return found if found and found.year < date.max.year else None
