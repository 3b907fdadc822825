"""What one measure found: samples summed up, and the conditions that its bar consists of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


def percentile(samples: Sequence[float], per_cent: float) -> float:
    """Nearest rank: the smallest sample that at least `per_cent` of all do not exceed. Raises without samples."""
    if not samples:
        raise ValueError("no samples")
    rank = max(1, ceil(len(samples) * per_cent / 100))
    return sorted(samples)[rank - 1]


@dataclass(frozen=True)
class Spread:
    """A distribution, in the measure's unit."""

    n: int
    p50: float
    p95: float
    p99: float
    max: float


def spread(samples: Sequence[float]) -> Spread:
    p50, p95, p99 = (percentile(samples, per_cent) for per_cent in (50, 95, 99))
    return Spread(len(samples), p50, p95, p99, max(samples))


@dataclass(frozen=True)
class Part:
    """A further figure of a measure. With a `bar` it has to hold too (at most that much); without, it informs."""

    what: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def ok(self) -> bool | None:
        return None if self.bar is None else self.value <= self.bar


@dataclass(frozen=True)
class Reading:
    """`value` is the figure that the bar is about; None where nothing could be measured.

    `why` says what is missing. A reading that is not `judged` shows its value without a verdict.
    """

    value: float | None
    spread: Spread | None = None
    parts: tuple[Part, ...] = ()
    why: str = ""
    judged: bool = True


def unmeasured(why: str) -> Reading:
    return Reading(None, why=why, judged=False)
