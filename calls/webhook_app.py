"""LiveKit's webhooks as an ASGI app of their own: pages wait for no webhook, and no webhook for a page.

Django runs every synchronous view in one thread; fifty webhooks a second would fill it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.db import Error

from calls.asgi import header, respond
from calls.effects import in_thread
from calls.webhooks import answer

logger = logging.getLogger(__name__)

PATH = "/webhooks/livekit"
LONGEST = 1_000_000  # bytes
AT_ONCE = 2  # more would only wait for each other's rows
_slots = asyncio.Semaphore(AT_ONCE)


def is_webhook(scope: dict[str, Any]) -> bool:
    return (scope["type"], scope.get("path"), scope.get("method")) == ("http", PATH, "POST")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = await _body(receive)
    if body is None:
        await respond(send, 413, "This is too long for a webhook.")
        return
    authorization = header(scope, b"authorization")
    try:
        async with _slots:
            status, words = await in_thread(answer, body, authorization)
    except Error as error:  # LiveKit sends it again
        logger.warning("webhook not stored", extra={"error": type(error).__name__})
        status, words = 503, "The database does not answer."
    await respond(send, status, words)


async def _body(receive: Any) -> bytes | None:
    """The whole of it; None if it is too long."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST:
            return None
        if not message.get("more_body"):
            return b"".join(parts)
