"""Lets a stream wait for who reads it: what is sent faster than it is read would all stand in memory.

ASGI has no word for that, and Daphne hands on whatever it is given. Its requests are Twisted's, which tell whoever
writes when to pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.web.http import Request

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Pace:
    """Twisted's idea of a push producer; `open` is set while more may be written."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:
        self.open.clear()

    def resumeProducing(self) -> None:
        self.open.set()

    def stopProducing(self) -> None:
        """The reader has gone: the next piece is told so."""
        self.open.set()


def paced(send: Send) -> Send:
    """`send` that comes back when the reader has caught up. One that is not Daphne's is left as it is."""
    whose = next(iter(getattr(send, "args", ())), None)
    if not isinstance(whose, Request):
        return send
    request: Any = whose  # what is registered with it is not typed
    pace: Pace | None = None

    async def slowly(message: Mapping[str, Any]) -> None:
        nonlocal pace
        more = message["type"] == "http.response.body" and message.get("more_body", False)
        if more and pace is None and request.channel is not None:
            pace = Pace()
            request.registerProducer(pace, True)
        elif not more and pace is not None:
            pace = None
            if request.channel is not None:
                request.unregisterProducer()
        await send(message)
        if more and pace is not None:
            await pace.open.wait()

    return slowly
