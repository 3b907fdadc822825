"""A transfer as lanes of time: the caller, what they heard, the AI, the transfer agent, each manager tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext, gettext_noop

from calls.display import clock
from transfers.display import BACK_BECAUSE, attempt_words
from transfers.heard import Heard, Sound
from transfers.models import Attempt, Transfer
from transfers.states import AttemptState, EndReason, TransferState

SHORTEST = timedelta(seconds=10)
TINY = 0.08  # of the scale: too narrow for words
SOUNDS = {
    Sound.AI: ("ai", "message-chatbot", gettext_noop("The AI")),
    Sound.CALLER: ("ended", "microphone", gettext_noop("Speaks")),
    Sound.MUSIC: ("hold", "music", gettext_noop("Music")),
    Sound.ANNOUNCEMENT: ("approval", "speakerphone", gettext_noop("Announcement")),
    Sound.MANAGER: ("merged", "users", gettext_noop("The manager")),
    Sound.SUPERVISOR: ("merged", "headset", gettext_noop("A supervisor")),
    Sound.SILENCE: ("failed", "volume-off", gettext_noop("Silence")),
}


@dataclass(frozen=True)
class Segment:
    """One stretch of a lane. `start` and `size` are shares of the scale; an open one still grows."""

    role: str
    icon: str
    label: str
    began: datetime
    ended: datetime | None
    start: float = 0.0
    size: float = 0.0
    facts: str = ""

    @property
    def tiny(self) -> bool:
        return self.size < TINY

    @property
    def right(self) -> bool:
        return self.start > 0.55


@dataclass(frozen=True)
class Lane:
    name: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Swimlane:
    lanes: tuple[Lane, ...]
    start: datetime
    end: datetime
    growing: bool
    marks: tuple[str, ...] = field(default=())


def swimlane(
    transfer: Transfer, attempts: Sequence[Attempt], *, at: datetime, sounds: Heard | None = None
) -> Swimlane:
    """`attempts` in order, with their managers; `at` is the end of a scale that still grows.

    `sounds` is what the caller heard, for a lane of its own.
    """
    growing = transfer.ended_at is None
    start = transfer.requested_at
    end = max(transfer.ended_at or at, start + SHORTEST)
    lanes = [
        Lane(gettext("Caller"), _caller(transfer, attempts)),
        Lane(gettext("Hears"), _heard(sounds) if sounds else ()),
        Lane(gettext("AI"), _ai(transfer)),
        Lane(gettext("Transfer agent"), _agent(attempts)),
        *(Lane(name, segments) for name, segments in _managers(attempts)),
    ]
    scaled = tuple(Lane(lane.name, _scaled(lane.segments, start, end)) for lane in lanes if lane.segments)
    middle = start + (end - start) / 2
    marks = ("0:00", clock(middle - start), clock(end - start))
    return Swimlane(scaled, start, end, growing, marks)


def _scaled(segments: Sequence[Segment], start: datetime, end: datetime) -> tuple[Segment, ...]:
    length = (end - start).total_seconds()
    shown = []
    for s in segments:
        until = s.ended or end
        took = until - s.began
        to = clock(until - start) if s.ended else gettext("now")
        facts = f"{s.label}: {clock(s.began - start)} – {to}, {clock(took)}"
        began = (s.began - start).total_seconds() / length
        size = took.total_seconds() / length
        shown.append(
            Segment(s.role, s.icon, s.label, s.began, s.ended, max(0.0, began), max(0.0, size), s.facts or facts)
        )
    return tuple(shown)


def _caller(transfer: Transfer, attempts: Sequence[Attempt]) -> tuple[Segment, ...]:
    first = transfer.held_at or transfer.merged_at or transfer.ended_at
    waiting = transfer.state == TransferState.REQUESTED
    role, label = ("approval", gettext("With AI, needs approval")) if waiting else ("ai", gettext("With AI"))
    lane = [Segment(role, "message-chatbot", label, transfer.requested_at, first)]
    if transfer.held_at:
        off = transfer.merged_at or transfer.ended_at
        lane.append(Segment("hold", "player-pause", gettext("On hold"), transfer.held_at, off))
    if transfer.merged_at:
        name = attempts[-1].manager.name if attempts else gettext("a manager")
        lane.append(
            Segment(
                "merged", "users", gettext("With %(name)s") % {"name": name}, transfer.merged_at, transfer.ended_at
            )
        )
    return tuple(lane)


def _heard(sounds: Heard) -> tuple[Segment, ...]:
    return tuple(_sound(one.sound, one.began, one.ended) for one in sounds.stretches)


def _sound(sound: Sound, began: datetime, ended: datetime | None) -> Segment:
    role, icon, words = SOUNDS[sound]
    return Segment(role, icon, gettext(words), began, ended)


def _ai(transfer: Transfer) -> tuple[Segment, ...]:
    lane = [
        Segment(
            "ai", "message-chatbot", gettext("Talks"), transfer.requested_at, transfer.held_at or transfer.ended_at
        )
    ]
    if transfer.held_at:
        off = transfer.merged_at or transfer.ended_at
        lane.append(Segment("hold", "music", gettext("Plays music"), transfer.held_at, off))
    if transfer.ended_at and not transfer.merged_at and transfer.end_reason in BACK_BECAUSE:
        why = BACK_BECAUSE[EndReason(transfer.end_reason)]
        ended = transfer.ended_at
        lane.append(
            Segment(
                "failed", "arrow-back-up", gettext("Caller is back: %(why)s") % {"why": gettext(why)}, ended, ended
            )
        )
    return tuple(lane)


def _agent(attempts: Sequence[Attempt]) -> tuple[Segment, ...]:
    lane = []
    for attempt in attempts:
        if attempt.answered_at:
            off = attempt.merged_at or attempt.ended_at
            lane.append(Segment("brief", "messages", gettext("Briefs"), attempt.answered_at, off))
        if attempt.merged_at and attempt.strategy == "relay":
            lane.append(
                Segment("ended", "route", gettext("Carries the line"), attempt.merged_at, attempt.ended_at)
            )
    return tuple(lane)


def _managers(attempts: Sequence[Attempt]) -> list[tuple[str, tuple[Segment, ...]]]:
    lanes: dict[str, list[Segment]] = {}
    for attempt in attempts:
        lane = lanes.setdefault(attempt.manager.name, [])
        lane += _attempt(attempt)
    return [(name, tuple(segments)) for name, segments in lanes.items()]


def _attempt(attempt: Attempt) -> list[Segment]:
    rang = attempt.dialed_at or attempt.reserved_at
    failed = attempt.state == AttemptState.FAILED
    words = attempt_words(attempt) if failed else ""
    over = attempt.ended_at
    lane = []
    if failed and not attempt.answered_at:
        return [Segment("failed", "phone-x", words, rang, over)]
    lane.append(Segment("hold", "phone-outgoing", gettext("Rings"), rang, attempt.answered_at or over))
    if attempt.answered_at:
        role = "failed" if failed else "brief"
        label = words if failed else gettext("Hears the briefing")
        lane.append(Segment(role, "messages", label, attempt.answered_at, attempt.merged_at or over))
    if attempt.merged_at:
        lane.append(Segment("merged", "users", gettext("With the caller"), attempt.merged_at, over))
    return lane
