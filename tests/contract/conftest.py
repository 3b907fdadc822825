"""One suite, two gateways: the shipped fake, and the real one on a real livekit-server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from livekit import api, rtc

from calls.telephony.gateway import Gateway
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.memory import MemoryGateway
from tests.livekit import KEY, SECRET, LiveKitServer


class Side(Protocol):
    """A gateway and a way to be a participant on its server."""

    @property
    def gateway(self) -> Gateway: ...
    async def join(self, room: str, identity: str) -> None: ...
    async def close(self) -> None: ...


@dataclass
class Fake:
    gateway: MemoryGateway = field(default_factory=MemoryGateway)

    async def join(self, room: str, identity: str) -> None:
        self.gateway.join(room, identity)

    async def close(self) -> None:
        await self.gateway.close()


@dataclass
class Real:
    server: LiveKitServer
    gateway: LiveKitGateway
    joined: list[rtc.Room] = field(default_factory=list)

    async def join(self, room: str, identity: str) -> None:
        grants = api.VideoGrants(room_join=True, room=room)
        token = api.AccessToken(KEY, SECRET).with_identity(identity).with_grants(grants).to_jwt()
        joining = rtc.Room()
        await joining.connect(self.server.url, token)
        self.joined.append(joining)

    async def close(self) -> None:
        for room in self.joined:
            await room.disconnect()
        for left in await self.gateway.list_rooms():
            await self.gateway.delete_room(left.name)
        await self.gateway.close()


@pytest.fixture(scope="session")
def livekit_server() -> Iterator[LiveKitServer]:
    server = LiveKitServer()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=["memory", "livekit"])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    if request.param == "memory":
        one: Side = Fake()
    else:
        server = request.getfixturevalue("livekit_server")
        one = Real(server, LiveKitGateway(server.api_url, KEY, SECRET))
    try:
        yield one
    finally:
        await one.close()


@pytest.fixture
def gateway(side: Side) -> Gateway:
    return side.gateway
