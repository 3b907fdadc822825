"""What of a live call needs a supervisor besides a request: pure rules, and when time alone will make one true.

Each rule names the moment from which its reason holds. A moment that has passed is a reason; one to come is when a
page has to look again, so nobody polls and nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext, ngettext

from calls.display import clock, department_name
from calls.states import CallerWith

AGENT_BACK_WITHIN = timedelta(seconds=4)  # another one is sent after three
AGENT_HERE_WITHIN = timedelta(seconds=10)  # of the call's beginning
LONG_HOLD = 0.5  # of what the department allows
SILENCE = timedelta(seconds=45)  # no turn began; an AI that is speaking is not silent
TWICE = 2


@dataclass(slots=True)  # hundreds are made for each look: frozen ones take twice as long
class Seen:
    """What the rules look at in one live call."""

    caller_with: CallerWith
    since: datetime  # the caller is with whom they are with
    started_at: datetime
    department: str = field(default_factory=lambda: department_name(None))
    in_transfer: bool = False  # one is open: it is being seen to
    agent_here: bool = True
    agent_gone_at: datetime | None = None
    agent_speaking: bool = False
    heard_at: datetime | None = None  # when the last turn began
    asks: int = 0  # how often the AI asked for a person, of the times that came to nothing
    parked_at: datetime | None = None  # a supervisor holds the joined caller
    hold_limit: timedelta = timedelta(seconds=180)

    @property
    def with_ai(self) -> bool:
        return self.caller_with == CallerWith.AI


@dataclass(frozen=True)
class Reason:
    """One reason, as shown: `words` in the badge with a clock from `since`, `says` what it means to the caller."""

    order: int  # the worst is 0
    icon: str
    words: str
    since: datetime
    says: str


Rule = tuple[Callable[[Seen], datetime | None], Callable[[Seen, datetime], Reason]]


def _agent_lost_from(seen: Seen) -> datetime | None:
    if not seen.with_ai or seen.agent_here:
        return None
    if seen.agent_gone_at is None:
        return seen.started_at + AGENT_HERE_WITHIN
    return max(seen.agent_gone_at, seen.since) + AGENT_BACK_WITHIN


def _agent_lost(seen: Seen, start: datetime) -> Reason:
    came = seen.agent_gone_at is not None
    says = (
        gettext("The AI's agent is gone, so nobody talks to the caller. Another is being sent.")
        if came
        else gettext("No AI agent has joined, so nobody talks to the caller. Another is being sent.")
    )
    since = max(seen.agent_gone_at, seen.since) if seen.agent_gone_at else seen.started_at
    return Reason(0, "robot-off", gettext("Agent lost"), since, says)


def _held_since(seen: Seen) -> datetime | None:
    return seen.parked_at or (seen.since if seen.caller_with == CallerWith.HOLD else None)


def _long_hold_from(seen: Seen) -> datetime | None:
    held = _held_since(seen)
    return held + seen.hold_limit * LONG_HOLD if held else None


def _long_hold(seen: Seen, start: datetime) -> Reason:
    limit = clock(seen.hold_limit)
    says = (
        gettext(
            "More than half of the %(limit)s that %(department)s lets a caller wait. At %(limit)s they and the "
            "manager are joined again."
        )
        if seen.parked_at
        else gettext(
            "More than half of the %(limit)s that %(department)s lets a caller wait. At %(limit)s they go back to "
            "the AI."
        )
    ) % {"limit": limit, "department": seen.department}
    return Reason(1, "hourglass", gettext("Long hold"), _held_since(seen) or start, says)


def _asked_twice_from(seen: Seen) -> datetime | None:
    return seen.since if seen.with_ai and not seen.in_transfer and seen.asks >= TWICE else None


def _asked_twice(seen: Seen, start: datetime) -> Reason:
    asked = (
        gettext("Asked twice for a person")
        if seen.asks == TWICE
        else ngettext("Asked %(count)s time for a person", "Asked %(count)s times for a person", seen.asks)
    )
    says = gettext(
        "The caller wants a person and is still with the AI. Escalate, or open the call to see what was tried."
    )
    return Reason(2, "user-question", asked % {"count": seen.asks}, start, says)


def _silent_from(seen: Seen) -> datetime | None:
    if not seen.with_ai or seen.in_transfer or not seen.agent_here or seen.agent_speaking:
        return None
    return max(seen.heard_at or seen.started_at, seen.since) + SILENCE


def _silent(seen: Seen, start: datetime) -> Reason:
    says = gettext("Nobody has begun to speak since then. The caller may be gone, or cannot be heard.")
    return Reason(3, "volume-off", gettext("Silence"), start - SILENCE, says)


RULES: Sequence[Rule] = (  # the worst first
    (_agent_lost_from, _agent_lost),
    (_long_hold_from, _long_hold),
    (_asked_twice_from, _asked_twice),
    (_silent_from, _silent),
)


def look(seen: Seen, at: datetime) -> tuple[tuple[Reason, ...], datetime | None]:
    """Why somebody should look at the call now, the worst first (empty: all is well), and when another reason will
    hold if nothing happens until then."""
    starts = [start(seen) for start, _ in RULES]
    found = tuple(
        reason(seen, begun) for begun, (_, reason) in zip(starts, RULES, strict=True) if begun and begun <= at
    )
    return found, min((begun for begun in starts if begun and begun > at), default=None)
