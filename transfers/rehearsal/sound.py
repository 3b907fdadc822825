"""What a party heard, on the wall clock: cut, cleaned of test tones, measured. Pure."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 16_000
FRAME_S = 0.05
AUDIBLE = 0.004  # RMS of full scale (-48 dB): quieter is silence, also with what a codec adds to it

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """Mono int16 samples at `RATE`; `began` is the epoch second of the first."""

    samples: Samples
    began: float

    @property
    def ended(self) -> float:
        return self.began + len(self.samples) / RATE

    def part(self, since: float, until: float) -> Recording:
        """What was heard between two epoch seconds, as far as there is any."""
        first = min(max(0, round((since - self.began) * RATE)), len(self.samples))
        last = min(max(first, round((until - self.began) * RATE)), len(self.samples))
        return Recording(self.samples[first:last], self.began + first / RATE)

    def wav(self) -> bytes:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self.samples.tobytes())
        return out.getvalue()


NOTHING = Recording(np.zeros(0, dtype=np.int16), 0.0)


def of_wav(content: bytes, began: float) -> Recording:
    """Raises ValueError for anything but mono 16-bit at `RATE`."""
    with wave.open(io.BytesIO(content)) as file:
        shape = file.getnchannels(), file.getsampwidth(), file.getframerate()
        if shape != (1, 2, RATE):
            raise ValueError(f"not mono 16-bit at {RATE} Hz but {shape}")
        return Recording(np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16), began)


def without_tones(recording: Recording, tones: Sequence[float], *, width_hz: float = 12.0) -> Recording:
    """The same with narrow bands taken out, so that speech can be measured and recognised alone."""
    size = len(recording.samples)
    if size == 0:
        return recording
    spectrum = np.fft.rfft(recording.samples.astype(np.float64))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    for hz in tones:
        spectrum[np.abs(frequencies - hz) <= width_hz] = 0
    cleaned = np.fft.irfft(spectrum, size).clip(-32768, 32767).astype(np.int16)
    return Recording(cleaned, recording.began)


def loudness(recording: Recording) -> Floats:
    """RMS of full scale, one value a frame of `FRAME_S`."""
    frame = int(RATE * FRAME_S)
    count = len(recording.samples) // frame
    frames = recording.samples[: count * frame].reshape(count, frame).astype(np.float64) / 32768
    rms: Floats = np.sqrt((frames**2).mean(axis=1)) if count else np.zeros(0)
    return rms


def first_sound(recording: Recording, *, frames: int = 2) -> float | None:
    """The epoch second at which something is heard for `frames` frames in a row; None if nothing is."""
    audible = loudness(recording) > AUDIBLE
    for index in range(len(audible) - frames + 1):
        if audible[index : index + frames].all():
            return recording.began + index * FRAME_S
    return None


def silent(recording: Recording) -> bool:
    return not (loudness(recording) > AUDIBLE).any()


def audible_share(recording: Recording) -> float:
    """How much of the time something is heard, 0 to 1."""
    levels = loudness(recording)
    return float((levels > AUDIBLE).mean()) if len(levels) else 0.0
