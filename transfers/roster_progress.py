"""How far an import of managers is, for the page that waits: told through Valkey, which every web process reads.

It is a hint. Without Valkey the page says only that the import goes on.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.conf import settings
from django.utils.translation import gettext

from calls.live.publish import valkey

logger = logging.getLogger(__name__)

EVERY_S = 0.3
KEPT_S = 600
RUN = re.compile(r"[\w-]{8,64}")

Tell = Callable[[int, int, str], None]  # so many of so many steps are done; what is being done


def of(user_id: str, run: str) -> dict[str, Any] | None:
    """`done`, `of` and `words` of this person's import; None where nothing is known of it."""
    if not RUN.fullmatch(run):
        return None
    try:
        kept = valkey().get(_key(user_id, run))
    except redis.RedisError:
        return None
    return dict(json.loads(kept)) if isinstance(kept, bytes) else None


@contextmanager
def shown(user_id: str, run: str) -> Iterator[Tell]:
    """What is told inside is shown by a thread of its own: an import, and its transaction, waits for nobody."""
    newest: tuple[int, int, str] = (0, 1, gettext("The file is being read."))
    over = threading.Event()

    def tell(done: int, whole: int, words: str) -> None:
        nonlocal newest
        newest = (done, whole, words)

    def write() -> None:
        done, whole, words = newest
        try:
            valkey().set(_key(user_id, run), json.dumps({"done": done, "of": whole, "words": words}), ex=KEPT_S)
        except redis.RedisError as error:
            logger.warning("an import's progress was not told", extra={"error": type(error).__name__})

    def keep_telling() -> None:
        while not over.wait(EVERY_S):
            write()
        write()

    teller = threading.Thread(target=keep_telling, name="import progress", daemon=True)
    if RUN.fullmatch(run):
        teller.start()
    try:
        yield tell
    finally:
        over.set()
        if teller.ident:
            teller.join()


def _key(user_id: str, run: str) -> str:
    return f"patchbay:{settings.PATCHBAY_INSTALLATION}:import:{user_id}:{run}"
