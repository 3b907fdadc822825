"""When things happened, in epoch seconds, and what follows: spans of who may hear whom, and durations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calls.telephony.hears import Phase

EDGE_S = 0.35  # at both ends of a span: sound is under way for up to that long


@dataclass
class Marks:
    """None: it has not happened."""

    joined: float | None = None
    greeted: float | None = None
    clicked: float | None = None
    held: float | None = None  # the row
    hold_heard: float | None = None  # the first sound after the click
    dialled: float | None = None
    rang: float | None = None
    answered: float | None = None
    briefing: float | None = None  # the row
    briefing_heard: float | None = None
    decided: float | None = None
    bridged: float | None = None
    merged: float | None = None
    caller_heard: float | None = None  # the manager's tone begins at the caller
    manager_heard: float | None = None  # and the other way round
    closed: float | None = None  # the attempt ended without a merge
    parted: float | None = None  # the two are no longer joined
    returned: float | None = None
    ended: float | None = None


@dataclass(frozen=True)
class Span:
    phase: Phase
    since: float
    until: float

    @property
    def inner(self) -> Span:
        """Without its edges; may be empty."""
        return Span(self.phase, self.since + EDGE_S, max(self.since + EDGE_S, self.until - EDGE_S))


@dataclass(frozen=True)
class Phases:
    """Durations, None where they cannot be measured. Seconds, the relay's delay in milliseconds."""

    click_to_hold_s: float | None = None
    click_to_dial_s: float | None = None
    answer_to_briefing_s: float | None = None
    accept_to_heard_s: float | None = None
    relay_delay_ms: float | None = None


def spans(marks: Marks) -> Sequence[Span]:
    """The phases that the call went through, in order. Between acceptance and merge nothing is judged.

    The introduction is part of `MERGED`: caller and manager hear each other in both.
    """
    found: list[Span] = []

    def add(phase: Phase, since: float | None, *untils: float | None) -> None:
        ends = [until for until in untils if until is not None]
        if since is not None and ends and min(ends) > since:
            found.append(Span(phase, since, min(ends)))

    add(Phase.WITH_AI, marks.joined, marks.held, marks.ended)
    add(Phase.ON_HOLD, marks.held, marks.answered, marks.returned, marks.ended)
    add(Phase.BRIEFING, marks.answered, marks.decided, marks.closed, marks.returned, marks.ended)
    heard = [at for at in (marks.merged, marks.caller_heard, marks.manager_heard) if at is not None]
    add(Phase.MERGED, max(heard) if marks.merged is not None else None, marks.parted, marks.returned, marks.ended)
    add(Phase.WITH_AI, marks.returned, marks.ended)
    return found


def phases(marks: Marks, *, relay_delay_ms: float | None = None) -> Phases:
    heard = [at for at in (marks.caller_heard, marks.manager_heard) if at is not None]
    return Phases(
        click_to_hold_s=_between(marks.clicked, marks.hold_heard),
        click_to_dial_s=_between(marks.clicked, marks.dialled),
        answer_to_briefing_s=_between(marks.answered, marks.briefing_heard or marks.briefing),
        accept_to_heard_s=_between(marks.decided, max(heard)) if len(heard) == 2 else None,
        relay_delay_ms=round(relay_delay_ms, 1) if relay_delay_ms is not None else None,
    )


def _between(since: float | None, until: float | None) -> float | None:
    return round(until - since, 3) if since is not None and until is not None else None
