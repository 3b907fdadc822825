"""What a dialled phone does, and what of it shows in the room and in the answer: one table, checked against both.

`tests/contract` runs it on the carrier simulator, `tests/sip` on livekit-sip with SIPp's phones, so that the
simulator stays what it imitates. One difference is known: a real caller's call rings (`sip.callStatus=ringing`)
until somebody in the room listens to it, and is picked up only then; the simulator's callers are there at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from livekit import rtc

from calls.telephony.gateway import DialRequest, Gateway, GatewayError, InlineTrunk, outcome_of
from tests.watching import until, watch

RINGING_S = 3  # for a phone that nobody picks up
KEY_PRESSED = "5"

# Over an inline trunk. Nothing of numbers and hosts: the product asks for them to be hidden.
RINGING_HAS = frozenset({"sip.callID", "sip.callStatus"})
ANSWERED_HAS = RINGING_HAS | {"sip.callTag", "sip.callIDFull"}
INBOUND_HAS = frozenset(
    {
        "sip.callID",
        "sip.callIDFull",
        "sip.callStatus",
        "sip.callTag",
        "sip.hostname",
        "sip.phoneNumber",
        "sip.ruleID",
        "sip.trunkID",
        "sip.trunkPhoneNumber",
    }
)

RINGS = ("joined dialing", "callStatus=ringing", "track")
ANSWERS = (*RINGS, "callStatus=active")


@dataclass(frozen=True)
class Way:
    """`order` is what the room sees; `error` (code, SIP status, the attempt's outcome) what the dial raises.

    Who refuses at once may be gone before the room is told of them: then `order` and `left` are empty.
    """

    order: tuple[str, ...]
    error: tuple[str, int | None, str] | None = None
    left: str = ""


TABLE: Mapping[str, Way] = {
    "hangs up": Way(ANSWERS, left="CLIENT_INITIATED"),
    "presses a key": Way((*ANSWERS, f"key {KEY_PRESSED}"), left="CLIENT_INITIATED"),
    "is busy": Way((), ("resource_exhausted", 486, "busy")),
    "refuses": Way(RINGS, ("permission_denied", 603, "declined"), "USER_REJECTED"),
    "is unavailable": Way(RINGS, ("resource_exhausted", 480, "no_answer"), "USER_UNAVAILABLE"),
    "is not in service": Way((), ("not_found", 404, "invalid_number")),
    "rings out": Way(RINGS, ("canceled", None, "no_answer"), "USER_UNAVAILABLE"),
}


class Line(Protocol):
    """A phone line with a phone that does one of the table's ways."""

    url: str  # of the livekit-server, for clients

    @property
    def gateway(self) -> Gateway: ...
    async def phone(self, way: str) -> tuple[str, InlineTrunk]:
        """The number of one that does this when it is dialled, and the trunk to it."""

    async def press(self, key: str) -> None: ...
    async def hang_up(self) -> None: ...


@dataclass(frozen=True)
class Seen:
    way: Way
    attributes: frozenset[str]


async def dialled(line: Line, way: str) -> Seen:
    """Dial a phone of this way, let it do it, and say what was seen."""
    to, trunk = await line.phone(way)
    room = f"consult-{uuid4()}"
    watcher, seen = await watch(line.url, room)
    has: set[str] = set()
    watcher.on("participant_disconnected", lambda who: has.update(n for n in who.attributes if "sip." in n))
    request = DialRequest(room, "manager-1", to, trunk, ringing_timeout_s=RINGING_S)
    error: tuple[str, int | None, str] | None = None
    try:
        await line.gateway.dial(request)
        await until(lambda: "callStatus=active" in seen)
        if way == "presses a key":
            await line.press(KEY_PRESSED)
            await until(lambda: f"key {KEY_PRESSED}" in seen)
        await line.hang_up()
    except GatewayError as raised:
        error = (raised.code, raised.sip_status, outcome_of(raised))
    if not TABLE[way].left:
        await watcher.disconnect()
        return Seen(Way((), error), frozenset())
    await until(lambda: any(what.startswith("left") for what in seen))
    await watcher.disconnect()
    left = next(int(what.split()[1]) for what in seen if what.startswith("left"))
    reason = rtc.DisconnectReason.Name(left)  # type: ignore[arg-type]
    return Seen(Way(_order(seen), error, reason), frozenset(has))


def _order(seen: list[str]) -> tuple[str, ...]:
    """Without ids, and without the leaving itself.

    The server tells the others of a leg without a track in batches: it may be there only when it rings already.
    The track comes some milliseconds before or after the ringing, and always before the answer.
    """
    order = [what for what in seen if what.startswith(("joined", "callStatus=", "track", "key"))]
    order = [what for what in order if what != "callStatus=hangup"]
    if order and order[0] == "joined ringing":
        order[:1] = list(RINGS[:2])
    if order[1:3] == ["track", "callStatus=ringing"]:
        order[1:3] = list(RINGS[1:])
    return tuple(order)


async def check(line: Line, way: str) -> None:
    """What the table says, and nothing else."""
    async with asyncio.timeout(40):
        seen = await dialled(line, way)
    assert seen.way == TABLE[way], seen.way
    if not seen.way.left:
        return
    assert seen.attributes == (RINGING_HAS if seen.way.error else ANSWERED_HAS)
