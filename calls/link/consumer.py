"""The console's end of the agent link: one WebSocket a job, speaking `calls/agents/protocol.py`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error
from pydantic import ValidationError

from calls.agents import protocol as p
from calls.agents.link_token import InvalidLinkToken, verify_link_token
from calls.effects import in_thread
from calls.link import shutdown, watching
from calls.link.nudge import nudges
from calls.models import OwnerRole
from calls.owners import own
from calls.services import links

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
WATCHED_SECONDS = 2.5  # said again with every heartbeat, which comes every second
BACK_WITHIN_SECONDS = 0.5
REFUSED, SUPERSEDED = 4401, 4409


class LinkConsumer(AsyncWebsocketConsumer):
    """Stores what comes up before it acknowledges; sends what is stored, in order, until acknowledged."""

    job_id = ""
    call_id: UUID | None = None
    epoch = 0
    sent = 0
    pump: asyncio.Task[None] | None = None
    watchdog: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        try:
            self.claims = verify_link_token(self._bearer())
        except InvalidLinkToken as error:
            logger.warning("agent link refused", extra={"reason": str(error)})
            await self.close(code=REFUSED)
            return
        await in_thread(own, OwnerRole.WEB)
        shutdown.watch()
        await self.accept()
        self._expect_word()

    def _bearer(self) -> str:
        headers = dict(self.scope["headers"])
        return str(headers.get(b"authorization", b"").decode().removeprefix("Bearer ").strip())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._expect_word()
        try:
            frame = p.agent_frames.validate_json(text_data or bytes_data or b"")
        except ValidationError as error:
            logger.warning("agent link: unreadable frame", extra={"errors": error.error_count()})
            await self.close(code=REFUSED)
            return
        match frame:
            case p.Hello():
                await self._hello(frame)
            case p.Up():
                await self._up(frame)
            case p.Ack():
                await in_thread(links.acknowledged, self.job_id, frame.seq)
            case p.Heartbeat():
                if not await in_thread(links.seen, self.job_id, self.epoch):
                    await self._superseded()
                    return
                await self._send(p.Heartbeat())
                if self.call_id and await in_thread(watching.is_watched, self.call_id):
                    await self._send(p.Watched(seconds=WATCHED_SECONDS))
            case p.Levels() if self.call_id:
                await in_thread(links.levels_told, self.job_id, self.call_id, frame)

    async def _hello(self, hello: p.Hello) -> None:
        claims = self.claims
        if (hello.job_id, hello.room, hello.role) != (claims.job_id, claims.room, claims.role):
            await self.close(code=REFUSED)
            return
        try:
            welcome = await in_thread(links.open_link, hello)
        except links.NotOurs:
            await self._superseded()
            return
        self.job_id, self.epoch, self.sent = hello.job_id, welcome.epoch, hello.received
        self.call_id = await in_thread(links.call_of, hello.job_id)
        await self._send(welcome)
        if self.pump is None:
            self.pump = asyncio.create_task(self._push())

    async def _up(self, frame: p.Up) -> None:
        safe = await in_thread(links.apply_up, self.job_id, self.epoch, frame)
        if safe is None:
            await self._superseded()
        else:
            await self._send(p.Ack(seq=safe))

    async def _push(self) -> None:
        topic = f"link:{self.job_id}"
        woken = nudges.subscribe(topic)
        try:
            while True:
                woken.clear()
                for down in await self._pending():
                    await self._send(down)
                    self.sent = down.seq
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await woken.wait()
                except TimeoutError:
                    continue
        finally:
            nudges.unsubscribe(topic, woken)

    async def _pending(self) -> list[p.Down]:
        """A database that is away for a moment must not end the pump: the socket may outlive it."""
        try:
            found: list[p.Down] = await in_thread(links.pending, self.job_id, self.sent)
        except Error as error:
            logger.warning("directives not read", extra={"error": type(error).__name__})
            return []
        return found

    async def _superseded(self) -> None:
        await self._send(p.Superseded())
        await self.close(code=SUPERSEDED)

    async def _send(self, frame: Any) -> None:
        await self.send(text_data=frame.model_dump_json())

    def _expect_word(self) -> None:
        """Close a link that has been silent for too long: the agent comes back with a new epoch."""
        if self.watchdog:
            self.watchdog.cancel()
        loop = asyncio.get_running_loop()
        self.watchdog = loop.call_later(p.DEAD_AFTER_SECONDS, lambda: asyncio.ensure_future(self.close()))

    async def disconnect(self, code: int) -> None:
        if self.watchdog:
            self.watchdog.cancel()
        if self.pump:
            self.pump.cancel()
        if self.job_id:
            task = asyncio.create_task(_lost(self.job_id, self.epoch))
            _waiting.add(task)
            task.add_done_callback(_waiting.discard)


_waiting: set[asyncio.Task[None]] = set()


async def _lost(job_id: str, epoch: int) -> None:
    """A killed job's connection closes at once; one that only broke is back before this has waited."""
    await pause()
    if not shutdown.begun():  # our own end closes every link, and no agent has gone
        await in_thread(links.link_lost, job_id, epoch)


async def pause() -> None:
    await asyncio.sleep(BACK_WITHIN_SECONDS)
