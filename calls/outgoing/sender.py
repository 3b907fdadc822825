"""The requests themselves: outside every transaction, on an event loop of their own, never to a private address.

A name that nobody answers for holds a helper thread for seconds: not one of those that dial.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from django.conf import settings

from calls.effects import in_thread
from calls.loop_thread import LoopThread
from calls.models import WebhookMessage
from calls.outgoing import messages
from calls.outgoing.signing import Letter, letter
from calls.timing import now

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
AT_ONCE = 12  # of one process
LONGEST_WISH_SECONDS = 24 * 3600.0  # of a receiver that says when to come again

_thread = LoopThread("webhooks-loop")
_under_way: set[Future[None]] = set()


class PrivateAddress(OSError):
    """The name leads into our own network."""


@dataclass(frozen=True)
class Outcome:
    status: int | None
    error: str
    took_ms: int
    pause_s: float = 0


def tick() -> None:
    """The clock's part: make messages, take what is due, start sending it. Waits for no receiver."""
    if not messages.anybody():
        return
    messages.fan_out()
    for future in [one for one in _under_way if one.done()]:
        _under_way.discard(future)
    for message in messages.claim_due(AT_ONCE - len(_under_way)):
        _under_way.add(_thread.submit(send(message)))


def tidy() -> None:
    """The clock's part that has time."""
    messages.release_stale()
    messages.forget_old()


async def send(message: WebhookMessage) -> None:
    """Send a claimed message and write down how that went."""
    try:
        outcome = await post(await in_thread(partial(letter, message, at=now())))
    except Exception as error:  # ours: it is tried again like any failure, and the log has its name
        logger.exception("a webhook was not sent", extra={"error": type(error).__name__})
        outcome = Outcome(None, "our own fault", 0)
    settled = partial(
        messages.settle,
        message,
        status=outcome.status,
        error=outcome.error,
        took_ms=outcome.took_ms,
        pause_s=outcome.pause_s,
    )
    await in_thread(settled)  # if the database is away: its claim goes stale and it is sent again


async def post(sent: Letter) -> Outcome:
    """One request. A redirect is not followed: whoever moves says so in the administration."""
    began = time.monotonic()

    def took() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        connector = aiohttp.TCPConnector(socket_factory=_socket)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(sent.url, data=sent.body, headers=sent.headers, allow_redirects=False) as answer,
        ):
            return Outcome(answer.status, "", took(), _pause(answer.headers.get("Retry-After", "")))
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(None, _words(error), took())


def _pause(asked: str) -> float:
    return min(float(asked), LONGEST_WISH_SECONDS) if asked.isdecimal() else 0


def _words(error: Exception) -> str:
    """Without the address: that is the administrators' to see."""
    if isinstance(error, TimeoutError):
        return f"no answer in {TIMEOUT_SECONDS:.0f} s"
    if isinstance(getattr(error, "os_error", error), PrivateAddress):
        return "a private address, which is not allowed"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "its certificate does not hold"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "could not connect"
    return f"broke off ({type(error).__name__})"


def _socket(address: Any) -> socket.socket:
    """Of every connection, after the name was looked up: what it is checked for is where it goes."""
    family, kind, proto, _, where = address
    if not settings.PRIVATE_WEBHOOKS and not is_public(str(where[0])):
        raise PrivateAddress("private address")
    made = socket.socket(family, kind, proto)
    made.setblocking(False)
    return made


def is_public(text: str) -> bool:
    """Whether an address is out in the internet; one inside another (IPv4 in IPv6) is judged, too."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return is_public(str(inner))
        if address in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


NAT64 = ipaddress.ip_network("64:ff9b::/96")
