"""The one clock of the console's decisions; tests replace it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone

_source: Callable[[], datetime] = timezone.now


def now() -> datetime:
    """Aware, in UTC."""
    return _source()


def midnight() -> datetime:
    """The last one, in UTC."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


@contextmanager
def clock_of(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` be the clock inside the block."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
