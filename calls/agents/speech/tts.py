"""Offline voice as LiveKit Agents' TTS, a sentence at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts, utils

from calls.agents.speech import voice

SCRIPTED_TONE_HZ = 620.0


class OfflineTTS(tts.TTS[Any]):
    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=voice.RATE, num_channels=1)

    @property
    def model(self) -> str:
        return "piper-joe"

    @property
    def provider(self) -> str:
        return "offline"

    def parts(self, text: str) -> Iterator[voice.Samples]:
        return voice.sentences(text)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Stream(tts=self, input_text=text, conn_options=conn_options)


class ToneTTS(OfflineTTS):
    """`SPEECH=scripted`: a short tone for any text."""

    def parts(self, text: str) -> Iterator[voice.Samples]:
        t = np.arange(int(voice.RATE * 0.4)) / voice.RATE
        yield (np.sin(2 * np.pi * SCRIPTED_TONE_HZ * t) * 4000).astype(np.int16)


class _Stream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        assert isinstance(self._tts, OfflineTTS)
        output_emitter.initialize(
            request_id=utils.shortuuid(), sample_rate=voice.RATE, num_channels=1, mime_type="audio/pcm"
        )
        parts = self._tts.parts(self._input_text)
        while (samples := await asyncio.to_thread(next, parts, None)) is not None:
            output_emitter.push(samples.tobytes())
        output_emitter.flush()
