"""Whether somebody has a call's page open: asked for every job every second, read once a second for all."""

from __future__ import annotations

import time
from uuid import UUID

from calls.presence import watched_calls

FRESH_SECONDS = 1.0

_known: tuple[float, frozenset[UUID]] = (0.0, frozenset())


def is_watched(call_id: UUID) -> bool:
    global _known
    if time.monotonic() - _known[0] > FRESH_SECONDS:
        _known = (time.monotonic(), watched_calls())
    return call_id in _known[1]
