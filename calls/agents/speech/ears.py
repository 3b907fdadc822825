"""Offline recognition: Moonshine's tiny English model, which its wheel carries."""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000
MOST_LETTERS_PER_SECOND = 30.0  # people speak about 15
SPARE_LETTERS = 4  # "yes", in whatever was left of it
SOUNDS = 200  # int16; the peak of 20 ms that are not quiet
Samples = npt.NDArray[np.int16]
_lock = threading.Lock()  # one recognition at a time: the model uses one core


@cache
def _transcriber() -> Any:
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber
    from moonshine_voice.utils import get_assets_path

    # `vad_threshold` 0: what we pass is one utterance already, cut by our own voice activity detection.
    return Transcriber(str(get_assets_path() / "tiny-en"), ModelArch.TINY, options={"vad_threshold": "0.0"})


def prewarm() -> None:
    """Load the model; 0.3 s."""
    recognize(np.zeros(RATE // 2, dtype=np.int16), RATE)


def resample(samples: Samples, rate: int, target: int) -> Samples:
    """Mono int16 from one rate to another by linear interpolation: enough for speech."""
    if rate == target or len(samples) == 0:
        return samples
    length = int(len(samples) * target / rate)
    positions = np.linspace(0, len(samples) - 1, length)
    return np.interp(positions, np.arange(len(samples)), samples).astype(np.int16)


def plausible(text: str, samples: Samples, rate: int) -> bool:
    """Whether so much can have been said in the sounding part of it: of a click the model makes whole phrases."""
    window = max(1, rate // 50)
    windows = np.abs(samples[: len(samples) // window * window].astype(np.int32)).reshape(-1, window)
    sounding_s = float((windows.max(axis=1) > SOUNDS).sum()) * window / rate if len(windows) else 0.0
    letters = sum(character.isalnum() for character in text)
    return letters <= SPARE_LETTERS + MOST_LETTERS_PER_SECOND * sounding_s


def recognize(samples: Samples, rate: int) -> str:
    """What was said in one utterance of mono int16 `samples`; empty if nothing was."""
    from moonshine_voice.errors import check_error
    from moonshine_voice.moonshine_api import TranscriptC

    audio = np.ascontiguousarray(resample(samples, rate, RATE), dtype=np.float32) / np.float32(32768)
    model = _transcriber()
    out = ctypes.POINTER(TranscriptC)()
    with _lock:
        # The binding's own method copies the samples through a Python list; the library takes a pointer.
        check_error(
            model._lib.moonshine_transcribe_without_streaming(
                model._handle,
                audio.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
                len(audio),
                RATE,
                0,
                ctypes.byref(out),
            )
        )
        if not out:
            return ""
        lines = (out.contents.lines[i].text for i in range(out.contents.line_count))
        texts = [ctypes.string_at(text).decode("utf-8", "ignore").strip() for text in lines if text]
    text = " ".join(text for text in texts if text)
    return text if plausible(text, samples, rate) else ""
