"""A party's voice: speech, recorded sound and a test tone on one published track.

Speech is queued ahead, so that a busy event loop tears no holes into it; a tone is not, so that it can be
switched to the moment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from livekit import rtc

from calls.agents.speech import voice
from calls.agents.speech.ears import resample
from calls.telephony.simulator.recording import Samples

RATE = 24_000
TONE_FRAME = RATE // 50  # 20 ms
TONE_AHEAD_S = 0.04
SPEECH_FRAME = RATE // 10
QUEUE_MS = 300
KEPT_LINES = 64  # demo people say the same things again and again

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice")
_lines: OrderedDict[str, list[Samples]] = OrderedDict()


def prewarm() -> asyncio.Future[None]:
    """Load the voice, in its thread."""
    return asyncio.get_running_loop().run_in_executor(_thread, voice.prewarm)


async def spoken(text: str) -> AsyncIterator[Samples]:
    """The text as int16 at `RATE`, a sentence at a time as each is made."""
    if text in _lines:
        _lines.move_to_end(text)
        for part in _lines[text]:
            yield part
        return
    loop = asyncio.get_running_loop()
    parts: list[Samples] = []
    making = voice.sentences(text)
    while (made := await loop.run_in_executor(_thread, next, making, None)) is not None:
        parts.append(resample(made, voice.RATE, RATE))
        yield parts[-1]
    _lines[text] = parts
    while len(_lines) > KEPT_LINES:
        _lines.popitem(last=False)


class Mouth:
    """Its track carries silence on its own while there is nothing to say."""

    def __init__(self) -> None:
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        self.track = self.new_track()
        self._turn = asyncio.Lock()
        self._waiting: deque[Samples] = deque()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._tone = (0.0, 0.0)
        self._phase = 0.0
        self._closed = False
        self._pump = asyncio.create_task(self._run())

    def new_track(self) -> rtc.LocalAudioTrack:
        """Each room that the voice is published in needs one of its own."""
        return rtc.LocalAudioTrack.create_audio_track("microphone", self._source)

    @property
    def speaking(self) -> bool:
        return self._turn.locked()

    def set_tone(self, hz: float, level: float) -> None:
        self._tone = (hz, level)
        self._wake.set()

    async def say(self, text: str) -> None:
        """Returns when it was played out, or when cut off by `close`."""
        async with self._turn:
            try:
                async for part in spoken(text):
                    self._push(part)
                await self._played()
            finally:
                self._waiting.clear()

    async def play(self, samples: Samples, rate: int) -> None:
        async with self._turn:
            try:
                self._push(resample(samples, rate, RATE))
                await self._played()
            finally:
                self._waiting.clear()

    async def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._drained.set()
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        await self._source.aclose()

    def _push(self, samples: Samples) -> None:
        if len(samples) and not self._closed:
            self._drained.clear()
            self._waiting.append(samples)
            self._wake.set()

    async def _played(self) -> None:
        if self._waiting:
            await self._drained.wait()
            await asyncio.sleep(self._source.queued_duration)

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._drained.set()
                if not self._tone[0]:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
            if self._tone[0]:
                await asyncio.sleep(self._source.queued_duration - TONE_AHEAD_S)
            samples = self._next(TONE_FRAME if self._tone[0] else SPEECH_FRAME)
            await self._source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))

    def _next(self, size: int) -> Samples:
        frame = np.zeros(size, dtype=np.int16)
        filled = 0
        while self._waiting and filled < size:
            part = self._waiting[0]
            taken = part[: size - filled]
            frame[filled : filled + len(taken)] = taken
            filled += len(taken)
            if len(taken) == len(part):
                self._waiting.popleft()
            else:
                self._waiting[0] = part[len(taken) :]
        return self._with_tone(frame)

    def _with_tone(self, frame: Samples) -> Samples:
        hz, level = self._tone
        if not hz:
            return frame
        turns = self._phase + hz / RATE * np.arange(1, len(frame) + 1)
        self._phase = float(turns[-1] % 1.0)
        sine = np.sin(2 * np.pi * turns) * (level * 32767)
        np.clip(frame + sine, -32768, 32767, out=frame, casting="unsafe")
        return frame
