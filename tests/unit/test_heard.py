"""What the caller heard, from made-up rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from calls.models import Event, Utterance
from transfers.heard import Sound, heard
from transfers.models import Attempt, Transfer

ASKED = datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return ASKED + timedelta(seconds=seconds)


def event(seconds: float, kind: str, **facts: object) -> Event:
    return Event(at=at(seconds), type=kind, facts=facts)


def moved(seconds: float, to: str) -> Event:
    return event(seconds, "call.moved", to_with=to)


def turn(seconds: float, speaker: str, lasts: float) -> Utterance:
    return Utterance(side="call", speaker=speaker, text="x" * round((lasts - 1) * 14), started_at=at(seconds))


def told(found) -> list[tuple]:
    def seconds(when: datetime | None) -> float | None:
        return round((when - ASKED).total_seconds(), 1) if when else None

    return [(one.sound.value, seconds(one.began), seconds(one.ended)) for one in found.stretches]


def test_a_whole_transfer_sound_by_sound() -> None:
    transfer = Transfer(requested_at=at(0), held_at=at(9), merged_at=at(40), ended_at=at(100))
    attempts = [Attempt(nth=1), Attempt(nth=2, merged_at=at(40), heard_at=at(41))]
    said = [turn(-2, "caller", 4), turn(2.5, "ai", 2.5), turn(44, "manager", 3)]
    events = [
        moved(9, "hold"),
        event(20, "hold.progress", count=1),
        event(25, "agent.left", role="transfer"),
        event(30, "agent.left", role="support"),
        event(33, "agent.joined", role="support"),
        moved(40, "manager"),
    ]
    found = heard(transfer, attempts, events, said, at=at(500))
    assert told(found) == [
        ("caller", 0, 2.5),  # and a pause that nobody minds
        ("ai", 2.5, 5),
        ("silence", 5, 9),
        ("music", 9, 16),
        ("announcement", 16, 20),
        ("music", 20, 30),
        ("silence", 30, 33),
        ("music", 33, 40),
        ("silence", 40, 41),
        ("manager", 41, 100),
    ]
    assert found.words == "Longest silence 4 s, told once, 41 s from asking to a person"


def test_hold_take_over_and_an_end_without_anybody() -> None:
    transfer = Transfer(requested_at=at(0), held_at=at(1), ended_at=at(30))
    events = [moved(1, "hold"), moved(10, "supervisor"), moved(20, "hold"), moved(30, "ai")]
    found = heard(transfer, [], events, [], at=at(500))
    assert told(found) == [("ai", 0, 1), ("music", 1, 10), ("supervisor", 10, 20), ("music", 20, 30)]
    assert found.words == "No silence, never told on hold that we are trying, no person"


def test_without_events_its_own_times_tell_and_one_that_goes_on_has_no_end() -> None:
    found = heard(Transfer(requested_at=at(0), held_at=at(2)), [], [], [], at=at(8))
    assert told(found) == [("ai", 0, 2), ("music", 2, None)]
    assert told(heard(Transfer(requested_at=at(0)), [], [], [], at=at(0))) == []


KINDS = st.sampled_from(("ai", "hold", "manager", "supervisor", "hold.progress", "agent.left", "agent.joined"))


@given(
    st.lists(st.tuples(st.floats(-40, 140), KINDS), max_size=12),
    st.lists(st.tuples(st.floats(-40, 140), st.sampled_from(("ai", "caller")), st.floats(1, 20)), max_size=8),
)
def test_every_moment_is_accounted_for_once(happened, spoken) -> None:
    events = [
        event(when, kind, role="support", count=1) if "." in kind else moved(when, kind)
        for when, kind in sorted(happened)
        if when > 0
    ]
    said = [turn(*one) for one in sorted(spoken)]
    transfer = Transfer(requested_at=at(0), merged_at=at(50), ended_at=at(100))
    found = heard(transfer, [], events, said, at=at(100)).stretches
    assert found[0].began == at(0)
    assert found[-1].ended == at(100)
    for one, following in pairwise(found):
        assert one.ended == following.began
        assert one.lasted(at(100)) > timedelta(0)
        assert one.sound != following.sound or one.sound == Sound.SILENCE
