"""The clock's parts that have time."""

from __future__ import annotations

import pytest

from calls import clock


def test_tidying_up_is_done_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    at, done = [100.0], []
    monkeypatch.setattr("calls.clock.monotonic", lambda: at[0])
    part = clock.seldom(lambda: done.append(at[0]), seconds=10)
    for at[0] in (100.0, 105.0, 110.0, 119.0, 120.0):
        part()
    assert done == [100.0, 110.0, 120.0]
