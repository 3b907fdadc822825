"""A webhook's round trip: a real livekit-server signs it, the console's own door takes it, the row is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiohttp import web
from pytest_django import Settings

from calls import webhook_trip
from calls.effects import in_thread
from calls.models import Call, Room, WebhookDelivery
from calls.telephony import loop
from calls.telephony.livekit import LiveKitGateway
from calls.webhooks import answer
from tests.livekit import KEY, SECRET, LiveKitServer

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

SURELY_S, SHORTLY_S = 15.0, 1.0


class Door:
    """The console's door for webhooks; a `signed` that is False loses the signature on the way."""

    def __init__(self, *, signed: bool) -> None:
        self.signed = signed
        self.statuses: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        authorization = request.headers["Authorization"] if self.signed else ""
        status, words = await in_thread(answer, await request.read(), authorization)
        self.statuses.append(status)
        return web.Response(status=status, text=words)


@asynccontextmanager
async def sending_to(door: Door) -> AsyncIterator[LiveKitServer]:
    """A livekit-server that was told the door's address."""
    app = web.Application()
    app.router.add_post("/webhooks/livekit", door.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = LiveKitServer(webhook_url=f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/livekit")
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        await asyncio.to_thread(server.stop)
        await runner.cleanup()


async def tried(settings: Settings, server: LiveKitServer, *, within_s: float) -> float | None:
    """As a command does it, in a thread; the gateway is the process's real one."""
    for name, value in server.environment.items():
        setattr(settings, name, value)
    loop.use(None)
    try:
        took_s: float | None = await in_thread(partial(webhook_trip.round_trip, within_s=within_s))
        return took_s
    finally:
        await asyncio.to_thread(lambda: loop.run(loop.gateway().close()))
        loop.use(None)


async def test_a_signed_webhook_comes_back_and_leaves_no_call(settings: Settings) -> None:
    door = Door(signed=True)
    async with sending_to(door) as server:
        took_s = await tried(settings, server, within_s=SURELY_S)
    assert took_s is not None
    assert 0 < took_s < SURELY_S
    assert set(door.statuses) == {200}
    assert await in_thread(lambda: list(Room.objects.values_list("kind", flat=True))) == [Room.Kind.FOREIGN]
    assert not await in_thread(Call.objects.exists)


async def test_an_unsigned_one_proves_nothing(settings: Settings) -> None:
    door = Door(signed=False)
    async with sending_to(door) as server:
        assert await tried(settings, server, within_s=SHORTLY_S) is None
    assert set(door.statuses) == {401}
    assert not await in_thread(WebhookDelivery.objects.exists)


async def test_a_livekit_that_sends_them_elsewhere_is_found_out(
    settings: Settings, livekit_server: LiveKitServer
) -> None:
    assert await tried(settings, livekit_server, within_s=SHORTLY_S) is None
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    assert not [room for room in await gateway.list_rooms() if room.name.startswith("check-")]  # it is gone
    await gateway.close()
