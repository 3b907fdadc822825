"""Somebody's own hold audio, in the forms that LiveKit Agents' background audio takes, as samples that loop."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import cast

import numpy as np
from livekit.agents.utils.audio import audio_frames_from_file
from livekit.agents.voice.background_audio import AudioConfig, AudioSource, BuiltinAudioClip

from calls.agents.audio import Samples

HoldAudio = AudioSource | AudioConfig | list[AudioConfig] | None


async def samples_of(audio: HoldAudio, rate: int) -> Samples:
    """Mono int16 at `rate`, at least one second; None is silence.

    Of a list one is drawn by its probabilities, which may leave silence. Raises ValueError for a stream of frames,
    which cannot be looped.
    """
    chosen = _drawn(audio) if isinstance(audio, list) else audio
    volume = chosen.volume if isinstance(chosen, AudioConfig) else 1.0
    source = chosen.source if isinstance(chosen, AudioConfig) else chosen
    if source is None:
        return np.zeros(rate, np.int16)
    if isinstance(source, AsyncIterator):
        raise ValueError("hold_audio cannot be a stream of frames, for it is looped: give a file")
    path = source.path() if isinstance(source, BuiltinAudioClip) else source
    parts = [np.frombuffer(frame.data, np.int16) async for frame in audio_frames_from_file(path, rate, 1)]
    whole = np.concatenate(parts or [np.zeros(0, np.int16)])
    repeated = np.tile(whole, -(-rate // len(whole))) if 0 < len(whole) < rate else whole
    return cast(
        Samples, (repeated * volume).clip(-32768, 32767).astype(np.int16) if len(whole) else np.zeros(rate)
    )


def _drawn(configs: list[AudioConfig]) -> AudioConfig | None:
    at = random.random()
    for config in configs:
        at -= config.probability
        if at < 0:
            return config
    return None
