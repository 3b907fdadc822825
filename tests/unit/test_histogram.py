"""Percentiles from buckets against those of the samples themselves."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import percentile as exact
from transfers.reports.histogram import BOUNDS, ERROR, LONGEST_MS, bucket_of, percentile

durations = st.one_of(st.integers(0, 60), st.integers(0, 10_000), st.integers(0, LONGEST_MS))


@given(st.lists(durations, min_size=1, max_size=60), st.sampled_from((1, 50, 90, 99, 100)))
def test_a_percentile_is_within_the_error_of_the_exact_one(samples: list[int], per_cent: int) -> None:
    found = percentile(Counter(map(bucket_of, samples)), per_cent)
    true = exact(samples, per_cent)
    assert found is not None
    assert abs(found - true) <= ERROR * true


@given(st.lists(durations, max_size=30), st.lists(durations, max_size=50))
def test_histograms_of_two_days_add_up_to_that_of_both(one: list[int], other: list[int]) -> None:
    def counted(samples: list[int]) -> Counter[int]:
        return Counter(map(bucket_of, samples))

    assert counted(one) + counted(other) == counted(one + other)


def test_bounds_grow_by_a_twentieth_at_most_beyond_what_is_exact() -> None:
    assert all(low < high <= max(low + 1, low * 1.05) for low, high in pairwise(BOUNDS))
    assert len(BOUNDS) < 2**15


@pytest.mark.parametrize(("ms", "told"), [(0, 0), (1, 1), (20, 20), (LONGEST_MS * 9, LONGEST_MS)])
def test_the_shortest_are_exact_and_the_longest_are_told_as_a_day(ms: int, told: int) -> None:
    assert percentile({bucket_of(ms): 3}, 50) == told


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile({}, 50) is None
