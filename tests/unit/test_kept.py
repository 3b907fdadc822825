"""What a process keeps: made once for a key, and only so much of it."""

from __future__ import annotations

from calls.kept import Kept


def test_a_result_is_made_once_for_its_key() -> None:
    kept: Kept[list[int]] = Kept(2)
    first = kept.get("a", lambda: [1])
    assert kept.get("a", lambda: [2]) is first
    assert kept.get("b", lambda: [3]) == [3]


def test_the_oldest_goes_when_there_are_too_many() -> None:
    kept: Kept[int] = Kept(2)
    for key in (1, 2, 3):
        kept.put(key, key)
    assert [kept.find(key) for key in (1, 2, 3)] == [None, 2, 3]
