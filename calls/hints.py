"""Hints after commit: they make work start now; without them the clock finds it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import transaction

logger = logging.getLogger(__name__)

T = TypeVar("T")

HINT_LIFE_SECONDS = 1


def hint(task: Any, *args: Any, queue: str = "control") -> None:
    """Send `task` to a worker once the transaction has committed. A failure only costs the clock's delay."""

    def send() -> None:
        try:
            task.apply_async(args=args, queue=queue, expires=HINT_LIFE_SECONDS, retry=False)
        except Exception as error:  # whatever the broker's client raises: a hint may be lost
            logger.warning("hint lost", extra={"task": task.name, "error": type(error).__name__})

    transaction.on_commit(send)


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the transaction has committed; it must not raise."""
    transaction.on_commit(action, robust=True)


def each(rows: Iterable[T], do: Callable[[T], object]) -> None:
    """The clock's way through what is due: one row that fails does not keep the others waiting."""
    for row in rows:
        try:
            do(row)
        except Exception as error:
            logger.exception("a row was passed over", extra={"error": type(error).__name__})
