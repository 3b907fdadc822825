"""What adds up from many rows: made once for all who see the same, at most once a second after they changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from contextlib import suppress

from calls.effects import in_thread
from calls.live import views
from calls.live.frames import Resync, Summary

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0

Place = tuple[str, str, Hashable]  # a view, its id, and the lens through which it is seen


class Summaries:
    """`send` takes a message as text, for everybody who sees a place, if there still is anybody."""

    def __init__(self, send: Callable[[Place, str], None]) -> None:
        self._send = send
        self._owed: set[Place] = set()
        self._begun: dict[Place, float] = {}  # monotonic, in seconds
        self._more = asyncio.Event()

    def changed(self, place: Place) -> None:
        """Something of it has changed, and may have changed what it adds up to."""
        view = views.view(place[0])
        if view and view.summary and place not in self._owed:
            self._owed.add(place)
            self._more.set()

    async def run(self) -> None:
        while True:
            place = min(self._owed, key=self._due_at, default=None)
            if place is None:
                await self._rest(None)
            elif (rest := self._due_at(place) - time.monotonic()) > 0:
                await self._rest(rest)
            else:
                await self._tell(place)

    async def _rest(self, seconds: float | None) -> None:
        """Until more is owed, which may be due at once; `seconds` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._more.wait()
        self._more.clear()

    def _due_at(self, place: Place) -> float:
        return self._begun.get(place, 0.0) + EVERY_SECONDS

    async def _tell(self, place: Place) -> None:
        began = time.monotonic()
        self._begun = {one: at for one, at in self._begun.items() if at > began - EVERY_SECONDS} | {place: began}
        self._owed.discard(place)  # what changes from now on is owed anew
        name, id, lens = place
        view = views.view(name)
        if view is None or view.summary is None:
            return
        try:
            html = await in_thread(view.summary, id, lens)
        except Exception as error:  # a page that cannot be rendered fetches itself
            logger.exception("summary not rendered", extra={"error": type(error).__name__})
            self._send(place, Resync().model_dump_json())
            return
        self._send(place, Summary(view=name, id=id, html=html).model_dump_json())
