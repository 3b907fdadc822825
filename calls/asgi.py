"""What the ASGI apps beside Django's pages share: whose request it is, and a short answer in plain text."""

from __future__ import annotations

from typing import Any

PLAIN = "text/plain; charset=utf-8"


def header(scope: dict[str, Any], name: bytes) -> str:
    """The first of that name (in small letters), else an empty text."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


async def respond(
    send: Any, status: int, content: str | bytes, *, kind: str = PLAIN, more: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    body = content.encode() if isinstance(content, str) else content
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
