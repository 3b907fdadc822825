"""How much later one recording hears what another heard. Pure."""

from __future__ import annotations

import numpy as np

from transfers.rehearsal.sound import RATE, Recording

BAND_HZ = (250.0, 1600.0)  # speech, below the test tones
CLEAR = 8.0  # times the usual strength of a lag that is none


def lag_s(earlier: Recording, later: Recording, *, most_s: float = 1.0) -> float | None:
    """Seconds by which `later` lags behind `earlier` on the wall clock; None if they have nothing in common.

    Cross-correlation of the whitened speech band: two codecs change levels, not when a sound is.
    """
    since, until = max(earlier.began, later.began), min(earlier.ended, later.ended)
    one, two = earlier.part(since, until).samples, later.part(since, until).samples
    size = min(len(one), len(two))
    if size < RATE // 2:
        return None
    padded = 1 << (2 * size - 1).bit_length()
    frequencies = np.fft.rfftfreq(padded, 1 / RATE)
    band = (frequencies > BAND_HZ[0]) & (frequencies < BAND_HZ[1])
    cross = np.fft.rfft(two[:size].astype(np.float64), padded) * np.conj(
        np.fft.rfft(one[:size].astype(np.float64), padded)
    )
    whitened = np.where(band, cross / (np.abs(cross) + 1e-9), 0)
    strength = np.abs(np.fft.irfft(whitened, padded))
    reach = int(most_s * RATE)
    lags = np.concatenate([strength[-reach:], strength[: reach + 1]])
    best = int(np.argmax(lags))
    return (best - reach) / RATE if lags[best] > CLEAR * np.median(lags) else None
