"""Voice activity on spoken words, noise and silence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from livekit import rtc
from livekit.agents import vad

from calls.agents.speech import ears, voice
from calls.agents.speech.activity import RATE, OfflineVAD

Samples = npt.NDArray[np.int16]
START, END = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.END_OF_SPEECH


@pytest.fixture(scope="module")
def words() -> Samples:
    samples, rate = voice.synthesize("I was charged twice for my order.")
    return ears.resample(samples, rate, RATE)


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds), dtype=np.int16)


async def events(*parts: Samples, rate: int = RATE, frame_ms: int = 60) -> list[vad.VADEvent]:
    """What the stream tells of these samples, pushed as frames, without what it tells of single windows."""
    stream = OfflineVAD().stream()
    samples, size = np.concatenate(parts), rate * frame_ms // 1000
    for start in range(0, len(samples), size):
        part = samples[start : start + size]
        stream.push_frame(rtc.AudioFrame(part.tobytes(), rate, 1, len(part)))
    stream.end_input()
    return [event async for event in stream if event.type in (START, END)]


async def test_spoken_words_begin_and_end_once_and_are_whole(words: Samples) -> None:
    told = await events(silence(1), words, silence(1))
    assert [event.type for event in told] == [START, END]
    (frame,) = told[1].frames
    heard = ears.recognize(np.frombuffer(frame.data, dtype=np.int16), frame.sample_rate)
    assert "charged twice" in heard.lower()
    assert told[1].speech_duration == pytest.approx(len(words) / RATE, abs=0.5)


async def test_two_turns_are_two(words: Samples) -> None:
    told = await events(silence(0.5), words, silence(1), words, silence(1))
    assert [event.type for event in told] == [START, END, START, END]


async def test_silence_a_hum_and_noise_are_nobody() -> None:
    t = np.arange(RATE * 2) / RATE
    hum = (np.sin(2 * np.pi * 440 * t) * 600).astype(np.int16)
    noise = (np.random.default_rng(7).normal(0, 200, RATE * 2)).astype(np.int16)
    assert await events(silence(2), hum, noise) == []


async def test_another_rate_is_heard_as_well() -> None:
    samples, rate = voice.synthesize("Please connect me with a person.")
    told = await events(np.zeros(rate, dtype=np.int16), samples, np.zeros(rate, dtype=np.int16), rate=rate)
    assert [event.type for event in told] == [START, END]


async def test_a_flush_forgets_what_was_heard(words: Samples) -> None:
    stream = OfflineVAD().stream()
    stream.push_frame(rtc.AudioFrame(words.tobytes(), RATE, 1, len(words)))
    stream.flush()
    stream.push_frame(rtc.AudioFrame(silence(2).tobytes(), RATE, 1, 2 * RATE))
    stream.end_input()
    assert [e.type async for e in stream if e.type == END] == []


async def test_a_short_noise_never_lasts_long_enough_to_interrupt(words: Samples) -> None:
    begins = int(np.argmax(np.abs(words) > 1500))
    burst = words[begins : begins + int(RATE * 0.2)]
    stream = OfflineVAD().stream()
    samples = np.concatenate((silence(0.5), burst, silence(1)))
    for start in range(0, len(samples), 960):
        part = samples[start : start + 960]
        stream.push_frame(rtc.AudioFrame(part.tobytes(), RATE, 1, len(part)))
    stream.end_input()
    told = [event async for event in stream]
    assert any(event.type == START for event in told), "the burst is not heard at all: the test tests nothing"
    assert max(event.speech_duration for event in told) < 0.4


def test_of_a_click_no_phrase_is_believed(words: Samples) -> None:
    click = np.concatenate((silence(0.3), words[4000:6400], silence(0.35)))  # 0.15 s of sound
    assert not ears.plausible("Thank you for watching.", click, RATE)
    assert ears.plausible("Yes.", click, RATE)
    assert ears.plausible("I was charged twice for my order.", words, RATE)
    assert not ears.plausible("I'm just a little", silence(2), RATE)
