"""LiveKit's webhooks as its server sends them: signed, at a steady rate, a room's one after another."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import aiohttp
from livekit import api

_ids = count(1)


@dataclass
class Webhook:
    """`due_at` (epoch, seconds) and `status` are filled in when it goes out."""

    kind: str
    room: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)
    due_at: float = 0.0
    status: int = 0
    body: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)

    def sign(self, key: str, secret: str) -> None:
        event = {
            "event": self.kind,
            "id": f"EV_bench{next(_ids)}",
            "createdAt": str(int(time.time())),
            "room": self.room,
            **self.more,
        }
        self.body = json.dumps(event).encode()
        digest = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
        token = api.AccessToken(key, secret).with_sha256(digest).with_ttl(timedelta(minutes=10))
        self.token = token.to_jwt()


async def send(webhooks: Sequence[Webhook], url: str, *, per_second: float) -> None:
    """Signed ones, each due on time whatever became of those before; a room's next waits for its last answer."""
    rooms: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    async with aiohttp.ClientSession() as session:
        began = time.monotonic()
        sending = []
        for nth, webhook in enumerate(webhooks):
            await asyncio.sleep(max(0.0, began + nth / per_second - time.monotonic()))
            webhook.due_at = time.time()
            sending.append(asyncio.create_task(_post(session, url, webhook, rooms[webhook.room["name"]])))
        await asyncio.gather(*sending)


async def _post(session: aiohttp.ClientSession, url: str, webhook: Webhook, turn: asyncio.Lock) -> None:
    headers = {"Authorization": webhook.token, "Content-Type": "application/webhook+json"}
    async with turn, session.post(url, data=webhook.body, headers=headers) as answer:
        webhook.status = answer.status
