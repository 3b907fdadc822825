"""One reader a process: takes frames from Valkey, reads a changed row once, renders it once a lens, fans out.

Valkey only carries hints. When it cannot be read, or frames were missed, pages are told to fetch themselves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from django.conf import settings
from pydantic import BaseModel, ValidationError

from calls import health
from calls.effects import in_thread
from calls.live import publish, views
from calls.live.frames import Banner, Envelope, Frame, Piece, Pieces, Position, Resync
from calls.live.summaries import Place, Summaries

logger = logging.getLogger(__name__)

BANNER_SECONDS = 2.0
BLIND_SECONDS = 3.0  # while Valkey is away, pages fetch themselves this often
BATCH = 200

Send = Callable[[str], None]


@dataclass(eq=False)
class Subscriber:
    """One view of one browser. `send` takes a message as text and never waits."""

    view: str
    id: str
    lens: Hashable
    audiences: frozenset[str]
    send: Send = field(repr=False)

    @property
    def place(self) -> Place:
        return (self.view, self.id, self.lens)


class Hub:
    def __init__(self) -> None:
        self._pages: set[Send] = set()
        self._by_audience: dict[str, set[Subscriber]] = defaultdict(set)
        self._positions: dict[str, tuple[str, int]] = {}
        self._epoch = ""
        self._queue: asyncio.Queue[Envelope] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._summaries = Summaries(self._to_all_at)
        self._reading = asyncio.Event()
        self.banner = ""

    # ── subscriptions ────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Once a process and event loop, with the first browser."""
        loop = asyncio.get_running_loop()
        if self._loop is loop and all(not task.done() for task in self._tasks):
            return
        self.__init__()  # type: ignore[misc]
        self._loop = loop
        parts = (self._read, self._render, self._watch, self._summaries.run)
        self._tasks = [asyncio.create_task(part()) for part in parts]

    async def stop(self) -> None:
        """Cancelled until it has ended: under Python 3.11 `wait_for`, which the Valkey client sends with, can
        swallow a cancellation that comes as it finishes (bpo-37658)."""
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=0.1)
        self._tasks, self._loop = [], None

    async def ready(self) -> None:
        """Wait until frames are being read (tests)."""
        await self._reading.wait()

    def enter(self, send: Send) -> None:
        """A page is open, with or without a view: it is told how the house is, now and whenever that changes."""
        self._pages.add(send)
        send(_text(Banner(html=self.banner)))

    def leave(self, send: Send) -> None:
        self._pages.discard(send)

    async def add(self, subscriber: Subscriber) -> None:
        """Begin to fan out to it, then tell it where its audiences stand."""
        for audience in subscriber.audiences:
            self._by_audience[audience].add(subscriber)
        for audience, (epoch, seq) in (await in_thread(publish.positions, subscriber.audiences)).items():
            place = Position(view=subscriber.view, id=subscriber.id, audience=audience, epoch=epoch, seq=seq)
            subscriber.send(_text(place))

    def remove(self, subscriber: Subscriber) -> None:
        for audience in subscriber.audiences:
            self._by_audience[audience].discard(subscriber)
            if not self._by_audience[audience]:
                del self._by_audience[audience]

    def _everyone(self) -> set[Subscriber]:
        return {subscriber for group in self._by_audience.values() for subscriber in group}

    def resync(self, subscribers: Iterable[Subscriber] | None = None) -> None:
        text = _text(Resync())
        for subscriber in self._everyone() if subscribers is None else list(subscribers):
            subscriber.send(text)

    # ── frames ───────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        while True:
            try:
                client = redis.asyncio.Redis.from_url(settings.VALKEY_URL, socket_connect_timeout=1)
                async with client, client.pubsub() as pubsub:
                    await pubsub.subscribe(publish.CHANNEL)
                    while (await pubsub.get_message(timeout=2) or {}).get("type") != "subscribe":
                        pass
                    self._positions.clear()
                    self._reading.set()
                    self.resync()  # whatever was said before nobody heard
                    await self._listen(client, pubsub)
            except (redis.RedisError, OSError) as error:
                logger.warning("live frames unheard", extra={"error": type(error).__name__})
            self._reading.clear()
            await asyncio.sleep(0.5)

    async def _listen(self, client: Any, pubsub: Any) -> None:
        quiet = 0
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if message is None:
                quiet += 1
                if quiet % 2 == 0:
                    async with asyncio.timeout(1.0):
                        await pubsub.ping()
                continue
            if message["type"] == "message":
                self.heard(message["data"])

    def heard(self, data: bytes) -> None:
        """One published frame: note its place, and have it rendered."""
        try:
            envelope = Envelope.model_validate_json(data)
        except ValidationError as error:
            logger.warning("unreadable live frame", extra={"errors": error.error_count()})
            return
        if self._epoch and envelope.epoch != self._epoch:
            self._positions.clear()
            self.resync()
        self._epoch = envelope.epoch
        known = self._positions.get(envelope.audience)
        if known and known[0] == envelope.epoch and envelope.seq != known[1] + 1:
            self.resync(self._by_audience.get(envelope.audience, ()))
        self._positions[envelope.audience] = (envelope.epoch, envelope.seq)
        if envelope.audience in self._by_audience:
            self._queue.put_nowait(envelope)

    async def _render(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
            began = time.monotonic()
            try:
                await self._deliver(batch)
            except Exception as error:  # a page that cannot be rendered fetches itself
                logger.exception("live frames not rendered", extra={"error": type(error).__name__})
                self.resync()
            await rest(time.monotonic() - began)

    async def _deliver(self, batch: list[Envelope]) -> None:
        jobs: list[tuple[Envelope, Place, list[Subscriber]]] = []
        for envelope in batch:
            groups: dict[Place, list[Subscriber]] = defaultdict(list)
            for subscriber in self._by_audience.get(envelope.audience, ()):
                groups[subscriber.place].append(subscriber)
            jobs += [(envelope, key, members) for key, members in groups.items()]
        if not jobs:
            return
        rendered = await in_thread(_render_all, [(envelope, key) for envelope, key, _ in jobs])
        at = _now_ms()
        for (envelope, (view, id, _), members), pieces in zip(jobs, rendered, strict=True):
            told = Pieces(
                view=view,
                id=id,
                audience=envelope.audience,
                epoch=envelope.epoch,
                seq=envelope.seq,
                now=at,
                pieces=pieces,
            )
            text = _text(told)
            for subscriber in members:
                subscriber.send(text)
        for place in {place for _, place, _ in jobs}:
            self._summaries.changed(place)

    def _to_all_at(self, place: Place, text: str) -> None:
        for subscriber in self._everyone():
            if subscriber.place == place:
                subscriber.send(text)

    # ── the house's health ───────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        blind_since = 0.0
        while True:
            try:
                html = await in_thread(health.banner)
            except Exception as error:
                logger.exception("health not read", extra={"error": type(error).__name__})
                html = health.database_banner()
            if html != self.banner:
                self.banner = html
                text = _text(Banner(html=html))
                for send in self._pages:
                    send(text)
            if self._reading.is_set():
                blind_since = time.monotonic()
            elif time.monotonic() - blind_since > BLIND_SECONDS:
                blind_since = time.monotonic()
                self.resync()
            await asyncio.sleep(BANNER_SECONDS)


def _render_all(
    jobs: list[tuple[Envelope, Place]],
) -> list[tuple[Piece, ...]]:
    """In a thread: each row of the batch is read and rendered once for each lens, as it is now."""
    frames: dict[Place, dict[Any, Frame]] = defaultdict(dict)
    for envelope, place in jobs:
        frames[place][_same(envelope.frame)] = envelope.frame
    done: dict[Any, tuple[Piece, ...]] = {}
    for (name, id, lens), wanted in frames.items():
        if view := views.view(name):
            rendered = view.render(list(wanted.values()), id, lens)
            done |= {(name, id, lens, key): tuple(one) for key, one in zip(wanted, rendered, strict=True)}
    return [done.get((*place, _same(envelope.frame)), ()) for envelope, place in jobs]


async def rest(took: float) -> None:
    """After a batch that took so many seconds: what changes meanwhile is read together, and costs hardly more.

    However much changes, the pages take half of the process at most, and webhooks and agents have the rest.
    """
    await asyncio.sleep(took)


def _same(frame: Frame) -> tuple[str, str, str]:
    """Frames that are rendered alike."""
    return (frame.kind, frame.id, frame.words)


def _text(message: BaseModel) -> str:
    return message.model_dump_json()


def _now_ms() -> int:
    return round(time.time() * 1000)


hub = Hub()
