"""Somebody's own hold audio becomes samples that can be looped."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip

from calls.agents.hold_audio import samples_of

RATE = 24_000


@pytest.fixture
def beep(tmp_path: Path) -> str:
    """Half a second at another rate than ours."""
    path = tmp_path / "beep.wav"
    tone = (np.sin(np.arange(8000) / 16_000 * 2 * np.pi * 440) * 8000).astype(np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(tone.tobytes())
    return str(path)


async def test_a_short_file_is_repeated_to_a_second_at_our_rate(beep: str) -> None:
    samples = await samples_of(beep, RATE)
    assert samples.dtype == np.int16
    assert RATE <= len(samples) < 2 * RATE
    assert 6000 < np.abs(samples).max() < 9000


async def test_its_volume_counts(beep: str) -> None:
    loud, quiet = await samples_of(beep, RATE), await samples_of(AudioConfig(beep, volume=0.25), RATE)
    assert np.abs(quiet).max() == pytest.approx(np.abs(loud).max() / 4, rel=0.01)


async def test_a_built_in_clip_and_nothing_at_all() -> None:
    assert np.abs(await samples_of(BuiltinAudioClip.HOLD_MUSIC, RATE)).max() > 1000
    assert not (await samples_of(None, RATE)).any()
    assert not (await samples_of([AudioConfig(BuiltinAudioClip.HOLD_MUSIC, probability=0.0)], RATE)).any()


async def test_a_stream_of_frames_cannot_be_looped() -> None:
    async def frames() -> AsyncIterator[rtc.AudioFrame]:
        yield rtc.AudioFrame.create(RATE, 1, 10)

    with pytest.raises(ValueError, match="give a file"):
        await samples_of(frames(), RATE)
