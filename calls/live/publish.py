"""One function tells the live pages what changed: a frame's kind, id and row version, never its content."""

from __future__ import annotations


def changed(
    kind: str, pk: str, version: int, *, department_id: int | None = None, call_id: str | None = None
) -> None:
    """Announce on commit that a row changed. Nobody listens yet: the page's load is the truth."""
