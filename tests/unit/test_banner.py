"""The banner tells what stays ill, not what was late once."""

from __future__ import annotations

import pytest

from calls import health
from calls.health import Ailment


def test_a_part_is_told_when_two_looks_in_a_row_find_it_ill(monkeypatch: pytest.MonkeyPatch) -> None:
    late, down = Ailment("LiveKit", "It does not answer."), Ailment("Valkey", "It is down.")
    looks = iter(((late,), (), (late, down), (down,), ()))
    monkeypatch.setattr(health, "_ill", frozenset())
    monkeypatch.setattr(health, "ailments", lambda: next(looks))
    told = [health.banner() for _ in range(5)]
    assert [("LiveKit" in one, "Valkey" in one) for one in told] == [
        (False, False),
        (False, False),
        (False, False),
        (False, True),
        (False, False),
    ]
    assert health.last_banner() == ""
