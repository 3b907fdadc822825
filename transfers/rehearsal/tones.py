"""Each party's quiet tone, and where it is heard. Pure.

A tone counts as heard where it stands out of the frequencies beside it: speech and music have their energy
spread there, so that even a tone 40 dB below them is found, and they are never taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transfers.rehearsal.sound import RATE, Floats, Recording

# Far from the hold music (below 400 Hz), the scripted voice (620 Hz) and the keys' tones (697 to 1633 Hz),
# inside a telephone's band, and neither is a multiple of the other.
CALLER_HZ = 1830.0
MANAGER_HZ = 2590.0
LEVEL = 0.01  # of full scale: -40 dB, speech is 20 dB louder

WINDOW = 4096  # 256 ms
HOP = 1024
BESIDE_HZ = (24.0, 220.0)  # the frequencies that a tone is compared with
STANDS_OUT = 3.2  # times their RMS: 10 dB
SKIRT_HZ = (11.0, 40.0)  # a sine has nothing there; a held vowel that looks like one at a distance has
SHARP = 2.0  # times the most of it
FAINTEST = 0.0004  # of full scale: -68 dB
SHORT = 512  # 32 ms, to find a beginning
SHORT_HOP = 160

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Presence:
    """Of one tone in one recording: a flag for each window that begins at `at` (epoch seconds)."""

    at: Floats
    there: Flags

    def within(self, since: float, until: float) -> Presence:
        """Only windows that lie in this span as a whole."""
        inside = (self.at >= since) & (self.at + WINDOW / RATE <= until)
        return Presence(self.at[inside], self.there[inside])

    @property
    def share(self) -> float:
        """Of the windows, how many have the tone; 0 without any window."""
        return float(self.there.mean()) if len(self.there) else 0.0

    @property
    def longest(self) -> int:
        """The most windows in a row that have the tone."""
        best = run = 0
        for flag in self.there:
            run = run + 1 if flag else 0
            best = max(best, run)
        return best


def presence(recording: Recording, hz: float) -> Presence:
    windows = _windows(recording, WINDOW, HOP)
    if not len(windows):
        return Presence(np.zeros(0), np.zeros(0, dtype=bool))
    shaped = windows * np.hanning(WINDOW)
    tone = _amplitude(shaped, hz)
    away = np.abs(np.fft.rfftfreq(WINDOW, 1 / RATE) - hz)
    spectrum = np.abs(np.fft.rfft(shaped)) * 2 / np.hanning(WINDOW).sum()
    beside = np.sqrt((spectrum[:, (away > BESIDE_HZ[0]) & (away < BESIDE_HZ[1])] ** 2).mean(axis=1))
    skirt = spectrum[:, (away > SKIRT_HZ[0]) & (away < SKIRT_HZ[1])].max(axis=1)
    there = (tone > STANDS_OUT * beside) & (tone > SHARP * skirt) & (tone > FAINTEST)
    return Presence(recording.began + np.arange(len(windows)) * HOP / RATE, there)


def begins(recording: Recording, hz: float) -> float | None:
    """The epoch second at which the tone is first heard; None if it never is.

    Found roughly by `presence`, then finely: back from there to where it has less than half of its strength.
    """
    found = presence(recording, hz)
    steady = [i for i in range(len(found.there) - 1) if found.there[i] and found.there[i + 1]]
    if not steady:
        return None
    starts = found.at[steady[0]]
    around = recording.part(starts - WINDOW / RATE, starts + 2 * WINDOW / RATE)
    strength = _amplitude(_windows(around, SHORT, SHORT_HOP) * np.hanning(SHORT), hz)
    full = float(np.median(strength[-WINDOW // SHORT_HOP :]))
    surely = min(len(strength) - 1, round((starts + WINDOW / RATE - around.began) * RATE / SHORT_HOP))
    first = next((i + 1 for i in range(surely, -1, -1) if strength[i] < full / 2), 0)
    return around.began + (first * SHORT_HOP + SHORT / 2) / RATE


def _windows(recording: Recording, size: int, hop: int) -> Floats:
    samples = recording.samples.astype(np.float64) / 32768
    if len(samples) < size:
        return np.zeros((0, size))
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]


def _amplitude(shaped: Floats, hz: float) -> Floats:
    """Of the sine at exactly `hz`, one value a (shaped) window."""
    size = shaped.shape[1]
    wave = np.exp(-2j * np.pi * hz * np.arange(size) / RATE)
    amplitude: Floats = np.abs(shaped @ wave) * 2 / np.hanning(size).sum()
    return amplitude
