"""Hints after commit: they make work start now; without them the clock finds it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction

logger = logging.getLogger(__name__)

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
