"""The product's gateway before a stand-in for LiveKit Cloud; docs/cloud.md says what this cannot prove."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api

from calls.telephony.gateway import DialRequest, InlineTrunk, Permanent, Retryable
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.setup import PhoneLine, apply, plan
from calls.telephony.simulator.party import Party
from tests import carrier as carriers
from tests import cloud as clouds
from tests.carrier import Carrier
from tests.cloud import PROJECT, REGIONS, Cloud
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.watching import loudness, until

pytestmark = pytest.mark.contract

TRUNK = InlineTrunk("carrier.invalid", "+12025550199")
DIAL = DialRequest(room="consult-1", identity="manager-1", to="+12025550101", trunk=TRUNK)


@pytest.fixture
async def cloud(livekit_server: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    clouds.names_lead_here(monkeypatch)
    async with carriers.running(livekit_server, moves=True) as carrier, clouds.running(carrier) as one:
        yield one


@pytest.fixture
async def gateway(cloud: Cloud) -> AsyncIterator[LiveKitGateway]:
    one = clouds.gateway(cloud)
    yield one
    await one.close()


async def dials(carrier: Carrier) -> int:
    return len((await carrier.ask("GET", "/requests"))["requests"])


async def answered(gateway: LiveKitGateway) -> bool:
    """Whether the manager's leg says so."""
    legs = {one.identity: one for one in await gateway.list_participants(DIAL.room)}
    return DIAL.identity in legs and legs[DIAL.identity].attributes["sip.callStatus"] == "active"


# ── a dial is sent once ──────────────────────────────────────────────────────────────────────────


async def test_a_dial_whose_answer_is_lost_is_not_sent_again(cloud: Cloud, gateway: LiveKitGateway) -> None:
    await cloud.carrier.ask("POST", "/scripts", {"to": DIAL.to, "rings_s": 0})
    cloud.lose_answers("CreateSIPParticipant", times=3)
    with pytest.raises(Retryable) as lost:
        await gateway.dial(DIAL)
    assert (lost.value.code, lost.value.sip_status) == ("unavailable", None)
    assert cloud.seen == [(PROJECT, "CreateSIPParticipant")]
    assert (cloud.asked_for_regions, await dials(cloud.carrier)) == (0, 1)
    await until(lambda: answered(gateway))  # only the leg tells


async def test_the_sdk_left_to_itself_dials_again_in_another_region(cloud: Cloud) -> None:
    """Why the gateway does not leave it to itself, and that the stand-in would show it."""
    await cloud.carrier.ask("POST", "/scripts", {"to": DIAL.to, "rings_s": 0})
    cloud.lose_answers("CreateSIPParticipant", times=1)
    request = api.CreateSIPParticipantRequest(
        sip_call_to=DIAL.to,
        room_name=DIAL.room,
        participant_identity=DIAL.identity,
        sip_number=TRUNK.sip_number,
        trunk=api.SIPOutboundConfig(hostname=TRUNK.hostname),
        ringing_timeout=Duration(seconds=5),
        wait_until_answered=True,
    )
    async with api.LiveKitAPI(cloud.url, KEY, SECRET) as livekit:
        await livekit.sip.create_sip_participant(request, timeout=20)
    assert cloud.seen == [(PROJECT, "CreateSIPParticipant"), (REGIONS[0], "CreateSIPParticipant")]
    assert await dials(cloud.carrier) == 2


async def test_whatever_else_is_asked_is_asked_once_too(cloud: Cloud, gateway: LiveKitGateway) -> None:
    """Effects come back to what may be repeated; each of their tries is one request."""
    cloud.lose_answers("ListRooms")
    with pytest.raises(Retryable):
        await gateway.list_rooms()
    assert await gateway.list_rooms() == []
    assert cloud.count("ListRooms") == 2
    assert cloud.asked_for_regions == 0


# ── a leg is moved ───────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def talking(cloud: Cloud, gateway: LiveKitGateway) -> AsyncIterator[Party]:
    """A manager's phone that sends a tone in the consultation; and who listens in the caller's room."""
    caller = await cloud.carrier.join("call-1", "caller-1")
    script = {"to": DIAL.to, "scenario": "silent", "rings_s": 0, "tone_hz": 1000}
    await cloud.carrier.ask("POST", "/scripts", script)
    await gateway.dial(replace(DIAL, attributes={"ours": "kept"}))
    await until(lambda: answered(gateway))
    yield caller


def hears_tone(listener: Party) -> bool:
    now = time.time()
    return loudness(listener.recording.samples(now - 0.6, now - 0.1), 1000) > 300


async def test_a_moved_leg_goes_on_in_the_caller_s_room(cloud: Cloud, gateway: LiveKitGateway) -> None:
    async with talking(cloud, gateway) as caller:
        (before,) = await gateway.list_participants("consult-1")
        await gateway.move_participant("consult-1", "manager-1", "call-1")
        legs = {one.identity: one for one in await gateway.list_participants("call-1")}
        assert set(legs) == {"caller-1", "manager-1"}
        moved = legs["manager-1"]
        kept = ("sip.callID", "sip.callStatus", "ours")
        assert moved.kind == "sip"
        assert {n: moved.attributes[n] for n in kept} == {n: before.attributes[n] for n in kept}

        async def consultation_is_empty() -> bool:
            return not await gateway.list_participants("consult-1")

        await until(consultation_is_empty)
        await until(lambda: hears_tone(caller))
        with pytest.raises(Permanent) as absent:
            await gateway.move_participant("consult-1", "manager-1", "call-1")
        assert absent.value.code == "not_found"
        await gateway.remove_participant("call-1", "manager-1")  # and is hung up there

        async def over() -> bool:
            return bool((await cloud.carrier.last())["ended_at"])

        await until(over)


async def test_a_move_whose_answer_is_lost_is_found_done(cloud: Cloud, gateway: LiveKitGateway) -> None:
    async with talking(cloud, gateway):
        cloud.lose_answers("MoveParticipant")
        with pytest.raises(Retryable):
            await gateway.move_participant("consult-1", "manager-1", "call-1")
        assert cloud.count("MoveParticipant") == 1
        assert "manager-1" in {one.identity for one in await gateway.list_participants("call-1")}


async def test_who_may_not_move_moves_nobody(cloud: Cloud, gateway: LiveKitGateway) -> None:
    async with talking(cloud, gateway):
        grants = api.VideoGrants(room_admin=True, room="consult-1", destination_room="elsewhere")
        token = api.AccessToken(KEY, SECRET).with_grants(grants).to_jwt()
        body = {"room": "consult-1", "identity": "manager-1", "destination_room": "call-1"}
        url = f"{cloud.carrier.url}/twirp/livekit.RoomService/MoveParticipant"
        headers = {"Authorization": f"Bearer {token}"}
        async with cloud.carrier.http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 403
        assert [one.identity for one in await gateway.list_participants("consult-1")] == ["manager-1"]


# ── the phone line ───────────────────────────────────────────────────────────────────────────────


async def test_a_password_that_is_not_told_again_is_not_set_for_ever(gateway: LiveKitGateway) -> None:
    line = PhoneLine(
        installation="cloud",
        agent_name="patchbay-cloud",
        address="sip.example.com",
        shown_numbers=("+12025550173",),
        dialled_numbers=("+12025550172",),
        username="user",
        password="secret",
    )
    made = await apply(gateway, await plan(gateway, line))
    assert made.missing == ()
    other = await plan(gateway, replace(line, username="another"))
    assert other.outbound.says == "its username, password"
    assert (await plan(gateway, replace(line, password_is_new=True))).outbound.says == "its password"
