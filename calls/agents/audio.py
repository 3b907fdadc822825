"""Small parts of sound that the agents share: a voice into a track, ears on a track."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from livekit import rtc
from livekit.agents import stt, tts, vad

Samples = npt.NDArray[np.int16]
EARS_HZ = 16_000


def frame_of(samples: Samples, rate: int) -> rtc.AudioFrame:
    """One mono frame of int16 samples."""
    return rtc.AudioFrame(samples.tobytes(), rate, 1, len(samples))


async def spoken(voice: tts.TTS[Any], text: str, *, rate: int) -> AsyncIterator[rtc.AudioFrame]:
    """`text` as mono frames at `rate` Hz, by any voice of LiveKit Agents."""
    resampler: rtc.AudioResampler | None = None
    async with voice.synthesize(text) as stream:
        async for event in stream:
            frame = event.frame
            if frame.sample_rate == rate:
                yield frame
                continue
            resampler = resampler or rtc.AudioResampler(frame.sample_rate, rate, num_channels=1)
            for resampled in resampler.push(frame):
                yield resampled
    for resampled in resampler.flush() if resampler else ():
        yield resampled


def audio_track(room: rtc.Room, identity: str) -> rtc.RemoteAudioTrack | None:
    """The microphone of a participant, if it is subscribed to."""
    who = room.remote_participants.get(identity)
    for publication in who.track_publications.values() if who else ():
        if isinstance(publication.track, rtc.RemoteAudioTrack):
            return publication.track
    return None


async def voice_activity(track: rtc.Track, detector: vad.VAD, tell: Callable[[bool], None]) -> None:
    """Says whether somebody speaks on a track, until it ends or the task is cancelled. Nothing is recognised."""
    async with _fed(detector.stream(), track) as stream:
        async for event in stream:
            if event.type == vad.VADEventType.START_OF_SPEECH:
                tell(True)
            elif event.type == vad.VADEventType.END_OF_SPEECH:
                tell(False)


async def recognised(
    track: rtc.Track, recogniser: stt.STT[Any], detector: vad.VAD
) -> AsyncIterator[tuple[str, datetime]]:
    """Every finished turn on a track, with the time when it was begun to be spoken (about)."""
    ears = recogniser if recogniser.capabilities.streaming else stt.StreamAdapter(stt=recogniser, vad=detector)
    began: datetime | None = None
    async with _fed(ears.stream(), track) as stream:
        async for event in stream:
            if event.type == stt.SpeechEventType.START_OF_SPEECH:
                began = datetime.now(tz=UTC)
            elif event.type == stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                text = event.alternatives[0].text.strip()
                if text:
                    yield text, began or datetime.now(tz=UTC)
                began = None


Ears = TypeVar("Ears", vad.VADStream, stt.RecognizeStream)


@asynccontextmanager
async def _fed(ears: Ears, track: rtc.Track) -> AsyncIterator[Ears]:
    """A stream of ears that is given what comes on the track."""
    sound = rtc.AudioStream.from_track(track=track, sample_rate=EARS_HZ, num_channels=1, frame_size_ms=60)

    async def feed() -> None:
        async for event in sound:
            ears.push_frame(event.frame)
        ears.end_input()

    feeding = asyncio.create_task(feed())
    try:
        yield ears
    finally:
        feeding.cancel()
        await sound.aclose()
        await ears.aclose()
