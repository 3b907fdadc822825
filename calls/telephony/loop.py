"""This process's event loop for the gateway: one thread, so that no worker thread waits for a phone to ring."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from django.conf import settings

from calls.loop_thread import LoopThread
from calls.telephony.gateway import Gateway, Uncertain

T = TypeVar("T")

_thread = LoopThread("gateway-loop")
_making = threading.Lock()
_gateway: Gateway | None = None


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start `work` on the loop; the caller goes on."""
    return _thread.submit(work)


def run(work: Coroutine[Any, Any, T], *, within_s: float = 15.0) -> T:
    """Do `work` on the loop and wait for it; given up after `within_s`, and then `Uncertain`."""
    future = submit(work)
    try:
        return future.result(within_s)
    except TimeoutError:
        future.cancel()
        raise Uncertain(f"nothing within {within_s:g} s", code="timeout") from None


def gateway() -> Gateway:
    """The process's gateway, for work on the loop; not to be called there. Tests put the fake here with `use`."""
    global _gateway
    with _making:
        if _gateway is None:
            _gateway = run(_make())
        return _gateway


async def _make() -> Gateway:
    from calls.telephony.livekit import LiveKitGateway

    return LiveKitGateway(settings.LIVEKIT_API_URL, settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)


def use(gateway: Gateway | None) -> None:
    """Replace the process's gateway; None makes the real one again at the next need."""
    global _gateway
    _gateway = gateway
