"""Words of our own to the manager, on a track without a queue: LiveKit takes 10 ms at a time there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from transfers.agents import bridge as bridges
from transfers.agents.bridge import FRAME_MS, RATE, SUPPORT, Bridge


class Ears(rtc.AudioSource):
    """A real source that remembers when it was given what."""

    def __init__(self) -> None:
        super().__init__(RATE, 1, queue_size_ms=0)
        self.heard: list[int] = []
        self.at: list[float] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.heard += np.frombuffer(frame.data, dtype=np.int16).tolist()
        self.at.append(asyncio.get_running_loop().time())


@pytest.mark.parametrize("sizes", [(480,), (1858, 1858, 300), (100, 200), (4800,)])
async def test_words_of_any_frame_size_arrive_whole_and_as_they_are_spoken(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = np.arange(1, sum(sizes) + 1, dtype=np.int16)

    async def spoken(*_: object, **__: object) -> AsyncIterator[rtc.AudioFrame]:
        start = 0
        for size in sizes:
            yield rtc.AudioFrame(said[start : start + size].tobytes(), RATE, 1, size)
            start += size

    monkeypatch.setattr(bridges, "spoken", spoken)
    carried, ears = Bridge(rtc.Room(), "dana", url="", token="", heard=lambda who: None), Ears()
    carried._to_manager[SUPPORT] = ears
    voice: Any = None
    began = asyncio.get_running_loop().time()
    await carried.tell_manager(voice, "The caller has hung up.")
    once = ears.heard
    assert once[: len(said)] == said.tolist()
    assert not any(once[len(said) :])  # the last frame is filled up with silence
    assert len(once) % (RATE * FRAME_MS // 1000) == 0
    # Never faster than it is heard: on a busy machine later, but not sooner.
    due = [began + nth * FRAME_MS / 1000 for nth in range(len(ears.at))]
    assert all(at >= soonest for at, soonest in zip(ears.at, due, strict=True))
