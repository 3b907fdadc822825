"""The carrier simulator in the test's own event loop, before a real livekit-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from livekit import api

from calls.telephony.livekit import LiveKitGateway
from calls.telephony.simulator.party import Party
from calls.telephony.simulator.server import application
from calls.telephony.simulator.settings import Settings
from tests.livekit import KEY, SECRET, LiveKitServer

TOKEN = "carrier-token-for-tests"


class Carrier:
    """`gateway` is the product's real one, through the simulator; `ask` uses the carrier's own switches."""

    def __init__(self, server: LiveKitServer, url: str, http: aiohttp.ClientSession) -> None:
        self.server, self.url, self.http = server, url, http
        self.gateway = LiveKitGateway(url, KEY, SECRET)
        self.parties: list[Party] = []

    async def ask(self, method: str, path: str, body: Any = None, *, token: str = TOKEN) -> Any:
        """The answer's JSON, with its status under `status` where that is no success."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.request(method, f"{self.url}/carrier{path}", json=body, headers=headers) as answer:
            found = await answer.json()
            return found if answer.status < 300 else found | {"status": answer.status}

    async def last(self) -> dict[str, Any]:
        """The newest dial, with its events."""
        rows = (await self.ask("GET", "/requests"))["requests"]
        found: dict[str, Any] = await self.ask("GET", f"/requests/{rows[-1]['id']}")
        return found

    async def join(self, room: str, identity: str, *, listens: bool = False) -> Party:
        party = await join(self.server.url, room, identity, listens=listens)
        self.parties.append(party)
        return party

    async def close(self) -> None:
        for party in self.parties:
            await party.leave()
        for room in await self.gateway.list_rooms():
            await self.gateway.delete_room(room.name)
        await self.gateway.close()


async def join(url: str, room: str, identity: str, *, listens: bool = False) -> Party:
    """Somebody with a voice and ears in a room of the tests' livekit-server."""
    grants = api.VideoGrants(room_join=True, room=room)
    token = api.AccessToken(KEY, SECRET).with_identity(identity).with_grants(grants).to_jwt()
    party = Party(url, token, listens=listens)
    await party.connect()
    return party


@asynccontextmanager
async def running(server: LiveKitServer, *, moves: bool = False) -> AsyncIterator[Carrier]:
    app = application(Settings(port=0, token=TOKEN, url=server.url, key=KEY, secret=SECRET, moves=moves))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        carrier = Carrier(server, f"http://127.0.0.1:{runner.addresses[0][1]}", http)
        try:
            yield carrier
        finally:
            await carrier.close()
            await runner.cleanup()
