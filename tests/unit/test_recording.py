"""What a party hears is placed by the wall clock, however its frames arrive."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from calls.telephony.simulator.recording import RATE, Recording, Samples

BEGAN = 1_000.0
FRAME_S = 0.05
FRAME = int(RATE * FRAME_S)
TOLERANCE_S = 0.03


def level(value: int) -> Samples:
    return np.full(FRAME, value, dtype=np.int16)


def loud_from(recording: Recording, until: float) -> float:
    """The epoch second of the first sample that is no silence."""
    found = recording.samples(BEGAN, until)
    return BEGAN + int(np.flatnonzero(found)[0]) / RATE


@pytest.mark.parametrize("jitter", [(0.0,), (0.0, 0.02, 0.009), (0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.0)])
def test_frames_are_placed_where_they_were_heard(jitter: tuple[float, ...]) -> None:
    """Also when the first ones were held up and came at once."""
    recording = Recording(BEGAN)
    for n in range(40):
        late = jitter[n % len(jitter)] if len(jitter) < 4 else jitter[min(n, len(jitter) - 1)]
        recording.add("a", level(1000 if n >= 20 else 0), BEGAN + 1 + (n + 1) * FRAME_S + late)
    assert loud_from(recording, BEGAN + 5) == pytest.approx(BEGAN + 2, abs=TOLERANCE_S)


def test_a_lane_that_fell_behind_the_clock_is_put_right() -> None:
    recording = Recording(BEGAN)
    for n in range(60):
        gap = 0.2 if n >= 10 else 0.0
        recording.add("a", level(1000 if n >= 40 else 0), BEGAN + (n + 1) * FRAME_S + gap)
    assert loud_from(recording, BEGAN + 5) == pytest.approx(BEGAN + 2.2, abs=TOLERANCE_S)


def test_lanes_are_mixed_and_nothing_overflows() -> None:
    recording = Recording(BEGAN)
    for lane in ("a", "b"):
        for n in range(3):
            recording.add(lane, level(1000 if n < 2 else 30_000), BEGAN + (n + 1) * FRAME_S)
    mixed = recording.samples(BEGAN, BEGAN + 0.2)
    assert (mixed[0], mixed[FRAME * 2], mixed[FRAME * 3]) == (2000, 32767, 0)


def test_silence_where_nothing_was_heard() -> None:
    recording = Recording(BEGAN)
    recording.add("a", level(7), BEGAN + 1)
    around = recording.samples(BEGAN - 1, BEGAN + 2)
    assert len(around) == 3 * RATE
    assert np.flatnonzero(around)[0] == 2 * RATE - FRAME
    assert len(recording.samples(BEGAN + 1, BEGAN)) == 0


def test_what_is_settled_waits_for_the_slowest_lane_that_lives() -> None:
    recording = Recording(BEGAN)
    assert recording.settled(BEGAN) == 0
    recording.add("a", level(1), BEGAN + 1.0)
    recording.add("b", level(1), BEGAN + 1.1)
    assert recording.settled(BEGAN + 1.1) == RATE
    assert recording.settled(BEGAN + 1.55) == int(1.1 * RATE)  # "a" has stalled
    recording.end("a")
    recording.end("b")
    assert recording.settled(BEGAN + 2) == pytest.approx(2 * RATE, abs=0.2 * RATE)


def test_the_wav_is_what_was_kept() -> None:
    recording = Recording(BEGAN)
    recording.add("a", level(5), BEGAN + 1)
    with wave.open(io.BytesIO(recording.wav_bytes())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            RATE,
            RATE,
        )
