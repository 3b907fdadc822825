"""The carrier simulator does what livekit-sip does: the table of `tests/sip_table.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from calls.telephony.gateway import InlineTrunk
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.setup import PhoneLine, apply, plan
from tests import carrier as carriers
from tests.carrier import Carrier
from tests.livekit import LiveKitServer
from tests.sip_table import INBOUND_HAS, TABLE, check

pytestmark = pytest.mark.contract

NUMBERS = {
    "hangs up": "+12025550101",
    "presses a key": "+12025550101",
    "is busy": "+12025550102",
    "refuses": "+12025550104",
    "is unavailable": "+12025550118",
    "is not in service": "+12025550133",
    "rings out": "+12025550103",
}


class Simulated:
    """A line of the simulator."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier, self.url = carrier, carrier.server.url

    @property
    def gateway(self) -> LiveKitGateway:
        return self.carrier.gateway

    async def phone(self, way: str) -> tuple[str, InlineTrunk]:
        number = NUMBERS[way]
        if number == NUMBERS["hangs up"]:
            await self.carrier.ask("POST", "/scripts", {"to": number, "scenario": "silent", "rings_s": 0.3})
        return number, InlineTrunk("carrier.invalid", "+12025550199")

    async def press(self, key: str) -> None:
        await self._do({"press": key})

    async def hang_up(self) -> None:
        await self._do({"hang_up": True})

    async def _do(self, deed: object) -> None:
        record = await self.carrier.last()
        await self.carrier.ask("POST", f"/requests/{record['id']}/do", deed)


@pytest.fixture
async def carrier(livekit_server: LiveKitServer) -> AsyncIterator[Carrier]:
    async with carriers.running(livekit_server) as one:
        yield one


@pytest.mark.parametrize("way", TABLE)
async def test_a_simulated_phone_is_like_a_real_one(carrier: Carrier, way: str) -> None:
    await check(Simulated(carrier), way)


async def test_a_simulated_caller_has_what_a_real_one_has(carrier: Carrier) -> None:
    line = PhoneLine("table", "patchbay-table", "carrier.invalid", ("+12025550199",), ("+12025550190",))
    await apply(carrier.gateway, await plan(carrier.gateway, line))
    placed = await carrier.ask("POST", "/calls", {"story": "charged-twice", "at_most_s": 30})
    (caller,) = await carrier.gateway.list_participants(placed["room"])
    assert {name for name in caller.attributes if name.startswith("sip.")} == INBOUND_HAS
    await carrier.ask("DELETE", f"/calls/{placed['id']}")
