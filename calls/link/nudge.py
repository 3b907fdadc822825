"""Nudges over Valkey: a consumer that has directives to send is woken at once instead of within 500 ms."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict

import redis
import redis.asyncio
from django.conf import settings

from calls.hints import after_commit
from calls.live.publish import valkey

logger = logging.getLogger(__name__)

PREFIX = "patchbay:nudge:"


def nudge(topic: str) -> None:
    """After commit, wake whoever waits for `topic`. A failure costs them their next look."""

    def send() -> None:
        try:
            valkey().publish(PREFIX + topic, b"")
        except redis.RedisError as error:
            logger.warning("nudge lost", extra={"error": type(error).__name__})

    after_commit(send)


class Nudges:
    """One reader a process; each waiter has an event of its own."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None

    def subscribe(self, topic: str) -> asyncio.Event:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        event = asyncio.Event()
        self._waiters[topic].add(event)
        return event

    def unsubscribe(self, topic: str, event: asyncio.Event) -> None:
        self._waiters[topic].discard(event)
        if not self._waiters[topic]:
            del self._waiters[topic]

    async def _read(self) -> None:
        while True:
            try:
                client = redis.asyncio.Redis.from_url(settings.VALKEY_URL)
                async with client, client.pubsub() as pubsub:
                    await pubsub.psubscribe(PREFIX + "*")
                    async for message in pubsub.listen():
                        if message["type"] == "pmessage":
                            topic = message["channel"].decode()[len(PREFIX) :]
                            for event in self._waiters.get(topic, ()):
                                event.set()
            except (redis.RedisError, OSError) as error:
                logger.warning("nudges unheard", extra={"error": type(error).__name__})
                await asyncio.sleep(0.5)


nudges = Nudges()
