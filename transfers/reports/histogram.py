"""Durations in buckets a twentieth wide: from how many are in each, a percentile is read within 2.5 %. Pure.

The bounds are whole milliseconds, so that PostgreSQL's `width_bucket` and `bucket_of` never differ.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil

LONGEST_MS = 24 * 3600 * 1000  # whatever takes longer is told as this
ERROR = 0.025  # of what is told, at most


def _bounds() -> tuple[int, ...]:
    bounds = [1]
    while bounds[-1] < LONGEST_MS:
        bounds.append(max(bounds[-1] + 1, bounds[-1] * 21 // 20))
    return tuple(bounds)


BOUNDS = _bounds()
"""Bucket 0 is below the first, bucket n from the n-th up to the next."""


def bucket_of(ms: int) -> int:
    return bisect_right(BOUNDS, ms)


def middle_of(bucket: int) -> float:
    """In milliseconds."""
    if bucket == 0:
        return 0.0
    if bucket == len(BOUNDS):
        return float(LONGEST_MS)
    return (BOUNDS[bucket - 1] + BOUNDS[bucket] - 1) / 2


def percentiles(counts: Mapping[int, int], per_cents: Sequence[float]) -> list[float | None]:
    """For each, the milliseconds that at least so many do not exceed (nearest rank); None where nothing is."""
    buckets = sorted(counts)
    below = list(accumulate(counts[bucket] for bucket in buckets))
    if not below:
        return [None] * len(per_cents)
    ranks = (max(1, ceil(below[-1] * per_cent / 100)) for per_cent in per_cents)
    return [middle_of(buckets[bisect_left(below, rank)]) for rank in ranks]


def percentile(counts: Mapping[int, int], per_cent: float) -> float | None:
    return percentiles(counts, (per_cent,))[0]
