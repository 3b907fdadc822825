"""`/healthz`, `/healthz/ready` and `/metrics` as an ASGI app of their own.

Who asks is a machine: a load balancer or a kubelet that calls this process by whatever address it has, over plain
HTTP, and whose question must not stand in line with the pages.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from calls.asgi import header, respond
from calls.effects import in_thread
from calls.readiness import READINESS

FORWARDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"via")
NO_STORE = ((b"cache-control", b"no-store"),)
Answer = Callable[[dict[str, Any], Any], Awaitable[None]]


class Probes:
    """`boot` is said by `/healthz`, `token` opens `/metrics` from other machines (empty: not at all)."""

    def __init__(self, *, boot: str, token: str) -> None:
        self._alive = f"ok {boot}".strip()
        self._token = token
        self._paths: dict[str, Answer] = {
            "/healthz": self._live,
            "/healthz/ready": self._ready,
            "/metrics": self._metrics,
        }

    def answers(self, scope: dict[str, Any]) -> bool:
        return scope["type"] == "http" and scope.get("path") in self._paths

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await respond(send, 405, "Only GET.")
            return
        await self._paths[scope["path"]](scope, partial(respond, send, more=NO_STORE))

    async def _live(self, scope: dict[str, Any], answer: Any) -> None:
        """Says only that this process answers."""
        await answer(200, self._alive)

    async def _ready(self, scope: dict[str, Any], answer: Any) -> None:
        """Whether pages and agents should be sent here, and of each part why not."""
        found = await in_thread(READINESS.look)
        await answer(200 if found.ready else 503, found.words)

    async def _metrics(self, scope: dict[str, Any], answer: Any) -> None:
        if not self._may_see_metrics(scope):
            words = "Metrics are for this machine, and for whoever sends METRICS_TOKEN as a bearer token."
            await answer(403, words)
            return
        await answer(200, await in_thread(generate_latest), kind=CONTENT_TYPE_LATEST)

    def _may_see_metrics(self, scope: dict[str, Any]) -> bool:
        sent = header(scope, b"authorization").removeprefix("Bearer ").strip()
        if self._token and secrets.compare_digest(sent.encode(), self._token.encode()):
            return True
        return _of_this_machine(scope)


def _of_this_machine(scope: dict[str, Any]) -> bool:
    """By its address; a proxy on this machine speaks for others."""
    if any(header(scope, name) for name in FORWARDED):
        return False
    try:
        return ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False
