"""An agent job's end of the link to the console: one WebSocket, kept up for the life of the job.

What is reported is kept until the console has committed it; directives are applied one after the other, once.
If the console is away the job goes on by itself, and everything is told when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import websockets
from pydantic import ValidationError

from calls.agents import protocol as p
from calls.agents import tracing
from calls.agents.link_token import sign_link_token

logger = logging.getLogger("patchbay.agents")

RETRY_SECONDS = (0.1, 0.2, 0.5)
OPEN_SECONDS = 3.0
LAST_WORDS_SECONDS = 2.0
DEFAULT_CONSOLE = "http://127.0.0.1:8000"

Handler = Callable[[p.DirectiveBody], Awaitable[None]]


def link_url(console: str = "") -> str:
    """ws(s)://…/agents/link of PATCHBAY_CONSOLE_URL."""
    parts = urlsplit(console or os.environ.get("PATCHBAY_CONSOLE_URL", "") or DEFAULT_CONSOLE)
    scheme = "wss" if parts.scheme in ("https", "wss") else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/agents/link", "", ""))


class AgentLink:
    """`start`, `report` at any time, and `serve`: directives in order, each when the last is done."""

    def __init__(self, hello: p.Hello, *, url: str = "") -> None:
        self.hello = hello
        self.url = url or link_url()
        self.snapshot: asyncio.Future[p.Snapshot] = asyncio.get_running_loop().create_future()
        self.superseded = asyncio.Event()
        self._sequence = 0
        self._outbox: deque[p.Up] = deque()
        self._unsent = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._taken = 0  # the last directive that this job has, applied or waiting
        self._applied = 0
        self._looked_at = asyncio.Event()
        self._watched_until = 0.0  # on the loop's clock
        self._socket: websockets.ClientConnection | None = None
        self._directives: asyncio.Queue[p.Down] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    # ── for the job ──────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._keep_up()))

    def serve(self, handler: Handler) -> None:
        """From now on `handler` does what the console says; what it said before was waiting."""
        self._tasks.append(asyncio.create_task(self._apply(handler)))

    def report(self, body: p.UpBody) -> None:
        """Keep it until the console has it. Never blocks, never fails."""
        self._sequence += 1
        self._outbox.append(p.Up(seq=self._sequence, at=datetime.now(tz=UTC), body=body))
        self._drained.clear()
        self._unsent.set()

    def show(self, body: p.UpBody) -> None:
        """What is only worth knowing now: told while the console is there, and not kept for it."""
        if self._socket:
            self.report(body)

    async def looked_at(self) -> None:
        """Returns while somebody has the call's page open."""
        while asyncio.get_running_loop().time() > self._watched_until:
            self._looked_at.clear()
            await self._looked_at.wait()

    async def tell(self, frame: p.Levels) -> None:
        """Now or never: it is not stored."""
        if self._socket:
            with suppress(websockets.WebSocketException, OSError):
                await self._socket.send(frame.model_dump_json())

    async def close(self) -> None:
        """Give the last reports a moment to be committed, then hang up."""
        if not self.superseded.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), LAST_WORDS_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._socket:
            with suppress(Exception):
                await self._socket.close()

    # ── the connection ───────────────────────────────────────────────────────────────────────────

    async def _keep_up(self) -> None:
        tries = 0
        while not self.superseded.is_set():
            try:
                await self._connection()
                tries = 0
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                tries += 1
                if tries == 1:
                    logger.warning("the console is out of reach (%s)", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])

    async def _connection(self) -> None:
        token = sign_link_token(room=self.hello.room, job_id=self.hello.job_id, role=self.hello.role)
        async with websockets.connect(
            self.url,
            additional_headers={"Authorization": f"Bearer {token}"},
            open_timeout=OPEN_SECONDS,
            ping_interval=None,
            proxy=None,
        ) as socket:
            await socket.send(self.hello.model_copy(update={"received": self._taken}).model_dump_json())
            welcome = await asyncio.wait_for(socket.recv(), OPEN_SECONDS)
            if not self._welcomed(welcome):
                return
            self._socket = socket
            await self._acknowledge()
            talk = [asyncio.create_task(self._send(socket)), asyncio.create_task(self._beat(socket))]
            try:
                await self._listen(socket)
            finally:
                self._socket = None
                for task in talk:
                    task.cancel()

    def _welcomed(self, text: str | bytes) -> bool:
        frame = _frame(text)
        if isinstance(frame, p.Superseded):
            self.superseded.set()
            return False
        if not isinstance(frame, p.Welcome):
            return False
        self._committed(frame.received)
        if frame.snapshot and not self.snapshot.done():
            self.snapshot.set_result(frame.snapshot)
        return True

    async def _listen(self, socket: websockets.ClientConnection) -> None:
        while True:
            async with asyncio.timeout(p.DEAD_AFTER_SECONDS):
                frame = _frame(await socket.recv())
            match frame:
                case p.Ack():
                    self._committed(frame.seq)
                case p.Down() if frame.seq == self._taken + 1:
                    self._taken = frame.seq
                    self._directives.put_nowait(frame)
                case p.Watched():
                    self._watched_until = asyncio.get_running_loop().time() + frame.seconds
                    self._looked_at.set()
                case p.Superseded():
                    self.superseded.set()
                    return
                case _:
                    pass

    async def _send(self, socket: websockets.ClientConnection) -> None:
        """Everything that is not committed, from the oldest; then whatever comes."""
        sent = 0
        while True:
            self._unsent.clear()
            for frame in [frame for frame in self._outbox if frame.seq > sent]:
                await socket.send(frame.model_dump_json())
                sent = frame.seq
            await self._unsent.wait()

    async def _beat(self, socket: websockets.ClientConnection) -> None:
        while True:
            await socket.send(p.Heartbeat().model_dump_json())
            await asyncio.sleep(p.HEARTBEAT_SECONDS)

    def _committed(self, seq: int) -> None:
        while self._outbox and self._outbox[0].seq <= seq:
            self._outbox.popleft()
        if not self._outbox:
            self._drained.set()

    # ── directives ───────────────────────────────────────────────────────────────────────────────

    async def _apply(self, handler: Handler) -> None:
        while True:
            down = await self._directives.get()
            await self._apply_one(handler, down)
            self._applied = down.seq
            with suppress(websockets.WebSocketException, OSError):
                await self._acknowledge()

    async def _acknowledge(self) -> None:
        if self._socket and self._applied:
            await self._socket.send(p.Ack(seq=self._applied).model_dump_json())

    async def _apply_one(self, handler: Handler, down: p.Down) -> None:
        transfer = tracing.transfer_of(down.traceparent)
        try:
            with tracing.span(f"directive {down.body.kind}", transfer):
                await handler(down.body)
        except Exception as error:
            logger.exception("a directive failed", extra={"directive": down.body.kind})
            self.report(p.DirectiveFailed(directive_id=down.directive_id, error=type(error).__name__))
        else:
            self.report(p.DirectiveDone(directive_id=down.directive_id))


def _frame(text: str | bytes) -> p.ConsoleFrame | None:
    try:
        return p.console_frames.validate_json(text)
    except ValidationError:
        logger.warning("a frame of the console is unreadable: are both of one version?")
        return None
