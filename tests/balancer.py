"""What stands before several consoles: passes connections on in turn, past one that does not answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import count

CHUNK = 65536
Address = tuple[str, int]


class Balancer:
    """From `start` to `stop`, on a thread of its own."""

    def __init__(self, at: Address, consoles: Sequence[Address]) -> None:
        self._at, self._consoles = at, consoles
        self._turn = count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._talks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._thread.start()
        listening = asyncio.start_server(self._take, *self._at)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result(5)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(self._turn)
        for n in range(len(self._consoles)):
            try:
                there = await asyncio.open_connection(*self._consoles[(first + n) % len(self._consoles)])
            except OSError:
                continue
            await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
            return
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side has nothing more to say, or is gone."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
