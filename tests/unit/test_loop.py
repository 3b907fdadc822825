"""One loop and one gateway a process, for synchronous callers on any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from calls.telephony import loop
from calls.telephony.gateway import Retryable, Uncertain
from calls.telephony.memory import MemoryGateway


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    loop.use(None)


def test_many_threads_share_one_loop_and_one_gateway() -> None:
    async def thread() -> int:
        return threading.get_ident()

    with ThreadPoolExecutor(8) as pool:
        threads = set(pool.map(lambda _: loop.run(thread()), range(16)))
        gateways = set(pool.map(lambda _: id(loop.gateway()), range(16)))
    assert len(threads) == 1
    assert len(gateways) == 1
    assert threading.get_ident() not in threads
    loop.run(loop.gateway().close())


def test_a_slow_call_is_given_up_and_stopped() -> None:
    stopped = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            raise

    with pytest.raises(Uncertain):
        loop.run(slow(), within_s=0.05)
    assert stopped.wait(2)


def test_errors_of_the_gateway_come_through() -> None:
    fake = MemoryGateway()
    fake.fail("list_rooms", Retryable("down"))
    loop.use(fake)
    with pytest.raises(Retryable, match="down"):
        loop.run(loop.gateway().list_rooms())
    assert loop.run(loop.gateway().list_rooms()) == []
