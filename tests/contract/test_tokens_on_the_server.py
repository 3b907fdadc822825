"""Every token before the real livekit-server: it opens its own room, no other, and administers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import aiohttp
import pytest
from livekit import rtc
from livekit.protocol.rtc import SignalResponse
from livekit.rtc.participant import PublishTrackError

from calls.agents.link_token import sign_link_token
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.tokens import TABLE, Purpose, mint
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

MINE, OTHER = "call-mine", "call-other"
ADMIN_CALLS = {
    "RoomService": (
        "CreateRoom",
        "ListRooms",
        "DeleteRoom",
        "ListParticipants",
        "GetParticipant",
        "RemoveParticipant",
        "MutePublishedTrack",
        "UpdateParticipant",
        "UpdateSubscriptions",
        "SendData",
        "UpdateRoomMetadata",
        "ForwardParticipant",
        "MoveParticipant",
        "PerformRpc",
    ),
    "AgentDispatchService": ("CreateDispatch", "ListDispatch", "DeleteDispatch"),
    "SIP": (
        "CreateSIPParticipant",
        "TransferSIPParticipant",
        "CreateSIPOutboundTrunk",
        "CreateSIPInboundTrunk",
        "CreateSIPDispatchRule",
        "ListSIPOutboundTrunk",
        "ListSIPInboundTrunk",
        "ListSIPDispatchRule",
        "DeleteSIPTrunk",
        "DeleteSIPDispatchRule",
    ),
    "Egress": ("StartRoomCompositeEgress", "ListEgress", "StopEgress"),
    "Ingress": ("CreateIngress", "ListIngress", "DeleteIngress"),
}


@pytest.fixture
async def rooms(livekit_server: LiveKitServer) -> AsyncIterator[LiveKitGateway]:
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    for room in (MINE, OTHER):
        await gateway.create_room(room)
    try:
        yield gateway
    finally:
        for room in (MINE, OTHER):
            await gateway.delete_room(room)
        await gateway.close()


@pytest.fixture
async def http(livekit_server: LiveKitServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(livekit_server.api_url, timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def room_joined(http: aiohttp.ClientSession, token: str, *, asked: str) -> tuple[str, str]:
    """The room and identity that the server gives to a client that asks for room `asked`."""
    params = {"access_token": token, "room": asked, "protocol": "16", "auto_subscribe": "1"}
    async with http.ws_connect("/rtc", params=params) as socket:
        async with asyncio.timeout(PATIENCE_S):
            first = SignalResponse.FromString(await socket.receive_bytes())
    return first.join.room.name, first.join.participant.identity


@pytest.mark.parametrize("purpose", get_args(Purpose))
async def test_a_token_opens_its_own_room_whatever_is_asked(
    rooms: LiveKitGateway, http: aiohttp.ClientSession, purpose: Purpose
) -> None:
    token = mint(purpose, room=MINE, subject="x")
    assert await room_joined(http, token, asked=OTHER) == (MINE, TABLE[purpose].identity.format("x"))
    assert list(await rooms.list_participants(OTHER)) == []


@pytest.mark.parametrize("purpose", get_args(Purpose))
async def test_a_token_administers_nothing(
    rooms: LiveKitGateway, http: aiohttp.ClientSession, purpose: Purpose
) -> None:
    token = mint(purpose, room=MINE, subject="x")
    before = [(one.name, one.metadata) for one in await rooms.list_rooms()]
    for room in (MINE, OTHER):
        body = {"room": room, "identity": "x", "destinationRoom": OTHER, "name": room, "metadata": "changed"}
        body |= {"roomName": room, "participantIdentity": "x", "transferTo": "tel:+12025550100"}
        body |= {"sipCallTo": "+12025550100", "sipTrunkId": "ST_1"}
        for service, methods in ADMIN_CALLS.items():
            for method in methods:
                async with http.post(
                    f"/twirp/livekit.{service}/{method}",
                    json=_known(service, method, body),
                    headers={"Authorization": f"Bearer {token}"},
                ) as answer:
                    assert answer.status in (401, 403), (service, method, room, await answer.text())
    assert [(one.name, one.metadata) for one in await rooms.list_rooms()] == before


def _known(service: str, method: str, body: dict[str, str]) -> dict[str, str]:
    """Twirp's JSON refuses fields that a message does not have, and that would be another refusal."""
    fields = {
        "CreateRoom": ("name", "metadata"),
        "ListRooms": (),
        "MoveParticipant": ("room", "identity", "destinationRoom"),
        "ForwardParticipant": ("room", "identity", "destinationRoom"),
        "UpdateParticipant": ("room", "identity", "metadata"),
        "UpdateRoomMetadata": ("room", "metadata"),
        "TransferSIPParticipant": ("roomName", "participantIdentity", "transferTo"),
        "CreateSIPParticipant": ("roomName", "participantIdentity", "sipCallTo", "sipTrunkId"),
    }
    if method in fields:
        names: tuple[str, ...] = fields[method]
    elif service == "RoomService":
        names = ("room", "identity") if "Participant" in method and method != "ListParticipants" else ("room",)
    else:
        names = ("room",) if service == "AgentDispatchService" else ()
    return {name: body[name] for name in names}


async def test_the_agent_link_s_token_opens_nothing(http: aiohttp.ClientSession) -> None:
    token = sign_link_token(room=MINE, job_id="AJ_1", role="support", key=KEY, secret=SECRET)
    async with http.get("/rtc/validate", params={"access_token": token}) as answer:
        assert answer.status == 401


async def test_a_listener_is_unseen_and_can_say_nothing(
    rooms: LiveKitGateway, livekit_server: LiveKitServer
) -> None:
    caller, listener = rtc.Room(), rtc.Room()
    heard = asyncio.Event()
    caller.on("data_received", lambda _: heard.set())
    caller.on("participant_connected", lambda _: heard.set())
    try:
        await caller.connect(livekit_server.url, mint("test_caller", room=MINE, subject="1"))
        await listener.connect(livekit_server.url, mint("listen", room=MINE, subject="g1"))
        source = rtc.AudioSource(48000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        with pytest.raises((TimeoutError, PublishTrackError)):  # the server answers such a wish with silence
            await asyncio.wait_for(listener.local_participant.publish_track(track), 1)
        await listener.local_participant.publish_data(b"psst", reliable=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(heard.wait(), 0.3)
        assert dict(caller.remote_participants) == {}
        assert {one.identity: one.tracks for one in await rooms.list_participants(MINE)} == {
            "caller-1": (),
            "listen-g1": (),
        }
        await rooms.remove_participant(MINE, "listen-g1")
    finally:
        await listener.disconnect()
        await caller.disconnect()
