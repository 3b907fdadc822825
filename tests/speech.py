"""Spoken words as a WAV file: what Chromium's fake microphone plays."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calls.agents.speech import voice


def write_speech(path: Path, parts: Sequence[str | float]) -> Path:
    """Texts are spoken, numbers are seconds of silence, in order; mono, 16 bit, at the voice's rate."""
    sounds = []
    for part in parts:
        if isinstance(part, str):
            sounds.append(voice.synthesize(part)[0])
        else:
            sounds.append(np.zeros(int(voice.RATE * part), dtype=np.int16))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(voice.RATE)
        out.writeframes(np.concatenate(sounds).tobytes())
    return path
