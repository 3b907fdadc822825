"""Cuts what is heard into utterances by voice activity and recognises them, one at a time in a thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from livekit.local_inference import VAD, VAD_WINDOW_SAMPLES

from calls.agents.speech import ears
from calls.telephony.simulator.recording import RATE, Samples

WINDOW_S = VAD_WINDOW_SAMPLES / RATE
QUIET = 80  # int16; below this peak nobody speaks, and the model is not asked
BEGINS, GOES_ON = 0.5, 0.35  # probabilities of speech
ENDS_AFTER_S = 0.45
BEFORE_S = 0.3
SHORTEST_S = 0.1
LONGEST_S = 15.0

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ears")


def prewarm() -> asyncio.Future[None]:
    """Load the model, in its thread."""
    return asyncio.get_running_loop().run_in_executor(_thread, ears.prewarm)


@dataclass(frozen=True)
class Utterance:
    """What was recognised, with the epoch seconds at which the speech began and ended."""

    text: str
    started_at: float
    ended_at: float


@dataclass(frozen=True)
class Segment:
    samples: Samples
    started_at: float
    ended_at: float


class Segmenter:
    """Feed windows of `VAD_WINDOW_SAMPLES` in order; a finished stretch of speech comes out."""

    def __init__(self) -> None:
        self._vad = VAD()
        self._before: deque[Samples] = deque(maxlen=int(BEFORE_S / WINDOW_S))
        self._windows: list[Samples] = []
        self._began = 0.0
        self._spoken = 0
        self._silent = 0

    @property
    def speaking(self) -> bool:
        return bool(self._windows)

    def push(self, window: Samples, at: float) -> Segment | None:
        """`at` is the epoch second of the window's first sample."""
        loud = int(window.max()) > QUIET or int(window.min()) < -QUIET
        probability = float(self._vad.predict(window)) if loud else 0.0
        if not self.speaking:
            if probability >= BEGINS:
                self._windows = [*self._before, window]
                self._began, self._spoken, self._silent = at, 1, 0
            self._before.append(window)
            return None
        self._windows.append(window)
        heard = probability >= GOES_ON
        self._spoken += heard
        self._silent = 0 if heard else self._silent + 1
        over = self._silent * WINDOW_S >= ENDS_AFTER_S or len(self._windows) * WINDOW_S >= LONGEST_S
        return self._finish(at) if over else None

    def _finish(self, at: float) -> Segment | None:
        windows, self._windows = self._windows, []
        self._before.clear()
        self._vad.reset()
        if self._spoken * WINDOW_S < SHORTEST_S:
            return None
        ended_at = at + WINDOW_S - self._silent * WINDOW_S
        return Segment(np.concatenate(windows), self._began, ended_at)


class Hearing:
    """Feed what is heard; `on_utterance` is called for each one that has words in it."""

    def __init__(self, on_utterance: Callable[[Utterance], Awaitable[None]]) -> None:
        self._on_utterance = on_utterance
        self._segmenter = Segmenter()
        self._segments: asyncio.Queue[Segment] = asyncio.Queue()
        self._recognising = False
        self._worker = asyncio.create_task(self._work())

    @property
    def busy(self) -> bool:
        """Whether somebody is speaking, or what they said is still being recognised."""
        return self._segmenter.speaking or self._recognising or not self._segments.empty()

    @property
    def speech(self) -> bool:
        return self._segmenter.speaking

    def push(self, window: Samples, at: float) -> None:
        segment = self._segmenter.push(window, at)
        if segment:
            self._segments.put_nowait(segment)

    def forget(self) -> None:
        """Drop what is not recognised yet."""
        self._segmenter = Segmenter()
        while not self._segments.empty():
            self._segments.get_nowait()

    def close(self) -> None:
        self._worker.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            segment = await self._segments.get()
            self._recognising = True
            try:
                text = await loop.run_in_executor(_thread, ears.recognize, segment.samples, RATE)
            finally:
                self._recognising = False
            if text:
                await self._on_utterance(Utterance(text, segment.started_at, segment.ended_at))
