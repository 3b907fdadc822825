"""Hold music made here: slow, soft chords that loop without a seam."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

RATE = 24_000
CHORD_SECONDS = 4.0
LEVEL = 2600
# A calm turn in C: C, Am, F, G, each with its root an octave below (Hz).
CHORDS = (
    (130.81, 261.63, 329.63, 392.00),
    (110.00, 220.00, 261.63, 329.63),
    (87.31, 174.61, 261.63, 349.23),
    (98.00, 196.00, 246.94, 293.66),
)


@cache
def loop() -> npt.NDArray[np.int16]:
    """16 s of mono int16 at `RATE`."""
    size = int(RATE * CHORD_SECONDS)
    t = np.arange(size) / RATE
    swell = np.sin(np.pi * t / CHORD_SECONDS) ** 0.7
    parts = []
    for chord in CHORDS:
        tones = sum(np.sin(2 * np.pi * f * t) * (0.6 if i == 0 else 0.4) for i, f in enumerate(chord))
        shimmer = 1 + 0.15 * np.sin(2 * np.pi * 0.75 * t)
        parts.append(tones * swell * shimmer)
    music = np.concatenate(parts)
    loud: npt.NDArray[np.int16] = (music / np.abs(music).max() * LEVEL).astype(np.int16)
    return loud
