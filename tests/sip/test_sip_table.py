"""livekit-sip and SIPp's phones do what the table says, as the carrier simulator does in `tests/contract`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from calls.telephony.gateway import DialRequest, InlineTrunk
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.setup import PhoneLine, apply, plan
from tests.carrier import join
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.sip.rtp import RATE
from tests.sip.service import SipService
from tests.sip.sipp import HOST, Phone
from tests.sip_table import INBOUND_HAS, TABLE, check
from tests.watching import loudness, until

pytestmark = [pytest.mark.sip, pytest.mark.timeout(90)]

SHOWN, DIALLED, CALLER = "+12025550199", "+12025550190", "+12025550141"
PHONES: Mapping[str, Callable[[], Phone]] = {
    "hangs up": lambda: Phone("hangs_up", talks="1500"),
    "presses a key": lambda: Phone("hangs_up", talks="3000"),
    "is busy": lambda: Phone("refuses_at_once", status="486 Busy Here"),
    "refuses": lambda: Phone("refuses", status="603 Decline"),
    "is unavailable": lambda: Phone("refuses", status="480 Temporarily Unavailable"),
    "is not in service": lambda: Phone("refuses_at_once", status="404 Not Found"),
    "rings out": lambda: Phone("rings"),
}


class Real:
    """A line of livekit-sip to a phone of SIPp."""

    def __init__(self, server: LiveKitServer) -> None:
        self.url, self._gateway = server.url, LiveKitGateway(server.api_url, KEY, SECRET)
        self.phones: list[Phone] = []

    @property
    def gateway(self) -> LiveKitGateway:
        return self._gateway

    async def phone(self, way: str) -> tuple[str, InlineTrunk]:
        return await self.add(PHONES[way]())

    async def add(self, phone: Phone) -> tuple[str, InlineTrunk]:
        self.phones.append(await phone.start())
        return "+12025550101", InlineTrunk(f"{HOST}:{phone.port}", SHOWN, transport="udp")

    async def press(self, key: str) -> None:
        self.phones[-1].sound.press(key)

    async def hang_up(self) -> None:
        """Its scenario does, a moment later."""

    async def close(self) -> None:
        for phone in self.phones:
            await phone.close()
        for room in await self._gateway.list_rooms():
            await self._gateway.delete_room(room.name)
        await self._gateway.close()


@pytest.fixture
async def line(sip_server: LiveKitServer, sip: SipService) -> AsyncIterator[Real]:
    one = Real(sip_server)
    yield one
    await one.close()


@pytest.mark.parametrize("way", TABLE)
async def test_a_real_phone_does_what_the_table_says(line: Real, way: str) -> None:
    await check(line, way)
    assert await line.phones[-1].ended() == ""


async def test_a_real_phone_hears_and_is_heard(line: Real) -> None:
    agent = await join(line.url, "consult-1", "agent")
    agent.set_tone(440, 0.1)
    phone = Phone("answers")
    to, trunk = await line.add(phone)
    phone.sound.hz = 1000
    await line.gateway.dial(DialRequest("consult-1", "manager-1", to, trunk))

    def agent_hears() -> bool:
        now = time.time()
        return loudness(agent.recording.samples(now - 0.6, now - 0.1), 1000) > 1000

    await until(agent_hears)
    await until(lambda: loudness(phone.sound.last(0.5), 440, RATE) > 1000)
    await line.gateway.remove_participant("consult-1", "manager-1")  # hangs it up
    assert await phone.ended() == ""
    await agent.leave()


async def test_a_real_caller_comes_in_through_the_rule_that_we_make(line: Real, sip: SipService) -> None:
    wanted = PhoneLine("sip", "patchbay-sip", f"{HOST}:{sip.port}", (SHOWN,), (DIALLED,))
    made = await apply(line.gateway, await plan(line.gateway, wanted))
    assert made.missing == ()
    phone = Phone("calls", dialled=DIALLED, shown=CALLER, talks="4000")
    line.phones.append(await phone.start(calls=sip.address))

    await until(line.gateway.list_rooms)
    (room,) = await line.gateway.list_rooms()
    assert room.name.startswith("call-_")
    assert CALLER not in room.name
    assert [one.agent_name for one in await line.gateway.list_dispatch(room.name)] == ["patchbay-sip"]

    async def status() -> str:
        inside = {one.kind: one for one in await line.gateway.list_participants(room.name)}
        return inside["sip"].attributes["sip.callStatus"] if "sip" in inside else ""

    await until(status)
    assert await status() == "ringing"  # it is picked up when somebody in the room listens to it
    agent = await join(line.url, room.name, "agent")

    async def active() -> bool:
        return await status() == "active"

    await until(active)
    await agent.leave()
    (caller,) = await line.gateway.list_participants(room.name)
    assert {name for name in caller.attributes if name.startswith("sip.")} == INBOUND_HAS
    assert (caller.attributes["sip.phoneNumber"], caller.attributes["sip.trunkPhoneNumber"]) == (CALLER, DIALLED)
    assert (caller.attributes["sip.ruleID"], caller.attributes["sip.trunkID"]) == (made.rule_id, made.inbound_id)
    assert await phone.ended() == ""
