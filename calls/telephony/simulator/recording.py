"""What a party hears, as one timeline of mono int16 at 16 kHz that is aligned to the wall clock."""

from __future__ import annotations

import io
import wave
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

RATE = 16_000
AT_MOST_S = 1800  # 58 MB; what comes later is not kept
OFF_S = 0.03  # a lane that is off the clock by more is put right
EARLY_S = 0.01
STALLED_S = 0.5
SETTLES_S = 0.1  # without a lane, nothing can come for what is older
WINDOW = 20  # frames over which a lane was late at least so much before it counts as late

Samples = npt.NDArray[np.int16]


@dataclass
class Lane:
    """One remote track. Its frames follow each other without a gap; when they arrive, jitters."""

    position: int  # of its next sample
    late: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))


class Recording:
    """All lanes mixed; silence where nothing came. `started_at` is the epoch second of sample 0."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self._kept = np.zeros(RATE * 30, dtype=np.int16)
        self._length = 0
        self._lanes: dict[str, Lane] = {}

    def add(self, lane: str, samples: Samples, at: float) -> None:
        """One frame whose last sample arrived at epoch second `at`."""
        by_the_clock = self._index(at) - len(samples)
        known = self._lanes.setdefault(lane, Lane(by_the_clock))
        late = by_the_clock - known.position
        known.late.append(late)
        if late < -EARLY_S * RATE:  # the frames before it had been held up
            known.position = by_the_clock
            known.late.clear()
        elif len(known.late) == WINDOW and (least := min(known.late)) > OFF_S * RATE:
            known.position += least
            known.late.clear()
        self._mix(known.position, samples)
        known.position += len(samples)

    def end(self, lane: str) -> None:
        self._lanes.pop(lane, None)

    def settled(self, now: float) -> int:
        """The sample index before which nothing more is expected at epoch second `now`."""
        stalled = self._index(now - STALLED_S)
        ahead = [lane.position for lane in self._lanes.values() if lane.position > stalled]
        return max(0, min(ahead, default=self._index(now - SETTLES_S)))

    def slice(self, begins: int, ends: int) -> Samples:
        """Samples by index, silence where there are none."""
        found = np.zeros(max(0, ends - begins), dtype=np.int16)
        first, last = max(begins, 0), min(ends, self._length)
        if last > first:
            found[first - begins : last - begins] = self._kept[first:last]
        return found

    def samples(self, from_t: float, to_t: float) -> Samples:
        """Between two epoch seconds; silence outside of what was heard."""
        return self.slice(self._index(from_t), self._index(to_t))

    def wav_bytes(self) -> bytes:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self._kept[: self._length].tobytes())
        return out.getvalue()

    def _index(self, at: float) -> int:
        return round((at - self.started_at) * RATE)

    def _mix(self, position: int, samples: Samples) -> None:
        if position < 0:
            position, samples = 0, samples[-position:]
        samples = samples[: max(0, AT_MOST_S * RATE - position)]
        end = position + len(samples)
        if not len(samples):
            return
        if end > len(self._kept):
            grown = np.zeros(max(end, 2 * len(self._kept)), dtype=np.int16)
            grown[: self._length] = self._kept[: self._length]
            self._kept = grown
        there = self._kept[position:end]
        np.clip(there.astype(np.int32) + samples, -32768, 32767, out=there, casting="unsafe")
        self._length = max(self._length, end)
