"""What the caller heard from asking on: the AI, music, an announcement, a person, or nothing. Pure.

Who the caller was with is an event; when somebody began to speak is in the transcript, and how long they spoke is
guessed from what they said. On hold there is music, but for announcements and for when no agent was there to play.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from django.utils.translation import gettext, ngettext

from calls.models import Event, Utterance
from calls.states import CallerWith
from transfers.models import Attempt, Transfer

CHARACTERS_A_SECOND = 14  # of speech at an easy pace
PAUSE = timedelta(seconds=1)  # between two turns; longer is a silence
ANNOUNCED = timedelta(seconds=4)  # an announcement is told of when it has been spoken
UNFINISHED = timedelta(seconds=30)  # a turn that began so long before may still last


class Sound(StrEnum):
    AI = "ai"
    CALLER = "caller"  # they speak themselves
    MUSIC = "music"
    ANNOUNCEMENT = "announcement"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"
    SILENCE = "silence"


S = Sound


@dataclass(frozen=True)
class Stretch:
    """Of one sound; the last of a transfer that goes on has no end yet."""

    sound: Sound
    began: datetime
    ended: datetime | None

    def lasted(self, at: datetime) -> timedelta:
        return (self.ended or at) - self.began


@dataclass(frozen=True)
class Heard:
    """`told`: how often the caller on hold was told that we are trying. `to_person` is None if nobody came."""

    stretches: tuple[Stretch, ...]
    longest_silence: timedelta
    told: int
    to_person: timedelta | None

    @property
    def words(self) -> str:
        silence = round(self.longest_silence.total_seconds())
        quiet = (
            gettext("Longest silence %(seconds)s s") % {"seconds": silence} if silence else gettext("No silence")
        )
        times = {
            0: gettext("never told on hold that we are trying"),
            1: gettext("told once"),
            2: gettext("told twice"),
        }
        often = ngettext("told %(count)s time", "told %(count)s times", self.told) % {"count": self.told}
        came = (
            gettext("%(seconds).0f s from asking to a person") % {"seconds": self.to_person.total_seconds()}
            if self.to_person
            else gettext("no person")
        )
        told = times.get(self.told, often)
        return gettext("%(quiet)s, %(told)s, %(came)s") % {"quiet": quiet, "told": told, "came": came}


@dataclass(frozen=True)
class Period:
    caller_with: CallerWith
    began: datetime
    ended: datetime


def heard(
    transfer: Transfer,
    attempts: Sequence[Attempt],
    events: Sequence[Event],
    said: Iterable[Utterance],
    *,
    at: datetime,
) -> Heard:
    """`events` are the transfer's and its call's meanwhile; `said` what was said in the call, both in order."""
    end = transfer.ended_at or max(at, transfer.requested_at)
    turns = [turn for turn in said if turn.side == "call" and turn.started_at < end]
    came = _first_words_of_a_person(transfer, attempts)
    found: list[Stretch] = []
    for period in _periods(transfer, events, end):
        found += _sounds(period, events, turns, came)
    whole = _joined(found)
    silences = [one.lasted(end) for one in whole if one.sound == S.SILENCE]
    if whole and transfer.ended_at is None:
        whole[-1] = replace(whole[-1], ended=None)
    return Heard(
        stretches=tuple(whole),
        longest_silence=max(silences, default=timedelta(0)),
        told=sum(event.type == "hold.progress" for event in events),
        to_person=came - transfer.requested_at if came else None,
    )


def _first_words_of_a_person(transfer: Transfer, attempts: Sequence[Attempt]) -> datetime | None:
    """When the manager could be heard, which is a moment after the two were joined."""
    heard_at = next((attempt.heard_at for attempt in attempts if attempt.merged_at and attempt.heard_at), None)
    return max(heard_at, transfer.merged_at) if heard_at and transfer.merged_at else transfer.merged_at


def _periods(transfer: Transfer, events: Sequence[Event], end: datetime) -> Iterator[Period]:
    """With whom the caller was: by the events, else by what the transfer's own times say."""
    moves = [(event.at, CallerWith(event.facts["to_with"])) for event in events if event.type == "call.moved"]
    if not moves:
        own = ((transfer.held_at, CallerWith.HOLD), (transfer.merged_at, CallerWith.MANAGER))
        moves = [(when, whom) for when, whom in own if when]
    changes = [(transfer.requested_at, CallerWith.AI), *moves, (end, CallerWith.AI)]
    for (began, whom), (ended, _) in pairwise(changes):
        if began < (until := min(ended, end)):
            yield Period(whom, began, until)


def _sounds(
    period: Period, events: Sequence[Event], turns: Sequence[Utterance], came: datetime | None
) -> Iterator[Stretch]:
    match period.caller_with:
        case CallerWith.HOLD:
            return _on_hold(period, events)
        case CallerWith.MANAGER:
            return _with_manager(period, came)
        case CallerWith.SUPERVISOR:
            return iter([Stretch(S.SUPERVISOR, period.began, period.ended)])
    return _conversation(period, turns)


def _conversation(period: Period, turns: Sequence[Utterance]) -> Iterator[Stretch]:
    """Turn by turn; where nothing was written down, nothing is known but that the AI was there."""
    inside = [t for t in turns if period.began - UNFINISHED < t.started_at < period.ended]
    if not any(_end_of(turn) > period.began for turn in inside):
        yield Stretch(S.AI, period.began, period.ended)
        return
    on = period.began
    for turn, following in zip(inside, [*inside[1:], None], strict=True):
        began, ended = max(turn.started_at, on), min(_end_of(turn), period.ended)
        if following:
            ended = min(ended, following.started_at)
        if ended <= began:
            continue
        yield from _gap(on, began)
        yield Stretch(S.CALLER if turn.speaker == "caller" else S.AI, began, ended)
        on = ended
    yield from _gap(on, period.ended)


def _end_of(turn: Utterance) -> datetime:
    return turn.started_at + PAUSE + timedelta(seconds=len(turn.text) / CHARACTERS_A_SECOND)


def _gap(began: datetime, ended: datetime) -> Iterator[Stretch]:
    if ended > began:
        yield Stretch(S.SILENCE, began, ended)


def _on_hold(period: Period, events: Sequence[Event]) -> Iterator[Stretch]:
    on, playing = period.began, True
    for event in events:
        if not period.began < event.at < period.ended:
            continue
        if event.type == "hold.progress" and playing:
            began = max(on, event.at - ANNOUNCED)
            yield from _music(on, began)
            yield Stretch(S.ANNOUNCEMENT, began, event.at)
            on = event.at
        elif event.type in ("agent.left", "agent.joined") and event.facts["role"] == "support":
            yield from _music(on, event.at) if playing else _gap(on, event.at)
            on, playing = event.at, event.type == "agent.joined"
    yield from _music(on, period.ended) if playing else _gap(on, period.ended)


def _music(began: datetime, ended: datetime) -> Iterator[Stretch]:
    if ended > began:
        yield Stretch(S.MUSIC, began, ended)


def _with_manager(period: Period, came: datetime | None) -> Iterator[Stretch]:
    began = min(came, period.ended) if came and came > period.began else period.began
    yield from _gap(period.began, began)
    if period.ended > began:
        yield Stretch(S.MANAGER, began, period.ended)


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """A pause belongs to what was before it; two of the same sound in a row are one."""
    found: list[Stretch] = []
    for one in stretches:
        assert one.ended is not None
        short = one.sound == S.SILENCE and one.ended - one.began < PAUSE
        if found and found[-1].ended == one.began and (short or found[-1].sound == one.sound):
            found[-1] = replace(found[-1], ended=one.ended)
        else:
            found.append(one)
    return found
