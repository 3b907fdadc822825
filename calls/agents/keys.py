"""Keys of a manager who talks to the caller: `*` and then one digit, so that no key is pressed by mistake."""

from __future__ import annotations

import time
from typing import Final

from calls.agents import protocol as p

WITHIN_SECONDS = 3.0
MEANINGS: Final = {"0": p.HandedOver(to="back"), "1": p.HandedOver(to="another")}


class StarKeys:
    """`pressed` tells what a sequence means when it is complete, else None. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._star_at: float | None = None

    def pressed(self, digit: str, at: float | None = None) -> p.HandedOver | None:
        at = time.monotonic() if at is None else at
        star, self._star_at = self._star_at, at if digit == "*" else None
        if star is None or at - star > WITHIN_SECONDS:
            return None
        return MEANINGS.get(digit)
