"""The carrier simulator before a real livekit-server: what the product sees of it is what LiveKit would show."""

from __future__ import annotations

import asyncio
import io
import json
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from livekit import api, rtc

from calls.telephony.gateway import (
    DialRequest,
    GatewayError,
    InlineTrunk,
    Permanent,
    Retryable,
    Uncertain,
    outcome_of,
)
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.setup import PhoneLine, apply, plan
from calls.telephony.simulator.recording import RATE
from tests import carrier as carriers
from tests.carrier import Carrier
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.watching import loudness, until, watch

pytestmark = pytest.mark.contract

TRUNK = InlineTrunk("carrier.invalid", "+12025550199")
ACCEPTS = DialRequest(room="consult-1", identity="manager-1", to="+12025550101", trunk=TRUNK)
LINE = PhoneLine("sim", "patchbay-sim", "carrier.invalid", ("+12025550199",), ("+12025550190", "+12025550192"))


@pytest.fixture
async def carrier(livekit_server: LiveKitServer) -> AsyncIterator[Carrier]:
    async with carriers.running(livekit_server) as one:
        yield one


async def failure(carrier: Carrier, request: DialRequest) -> GatewayError:
    with pytest.raises(GatewayError) as raised:
        await carrier.gateway.dial(request)
    return raised.value


# ── dialling ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_dialled_phone_shows_itself_as_a_sip_leg_does(carrier: Carrier) -> None:
    watcher, seen = await watch(carrier.server.url, "consult-1")
    await carrier.ask("POST", "/scripts", {"to": ACCEPTS.to, "rings_s": 0.3})
    result = await carrier.gateway.dial(replace(ACCEPTS, dtmf="w1#", attributes={"ours": "kept"}))
    await until(lambda: "callStatus=active" in seen)
    order = [what for what in seen if not what.startswith("call") or "Status" in what]
    if order[0] == "joined ringing":  # the server tells the others about a leg without a track in batches
        order[:1] = ["joined dialing", "callStatus=ringing"]
    assert order == ["joined dialing", "callStatus=ringing", "track", "callStatus=automation", "callStatus=active"]
    assert {"callTag", "callIDFull"} <= set(seen)
    leg = (await carrier.gateway.list_participants("consult-1"))[-1]
    assert (leg.kind, leg.identity, leg.sid) == ("sip", "manager-1", result.participant_sid)
    assert leg.attributes["sip.callID"] == result.sip_call_id
    assert leg.attributes["ours"] == "kept"
    assert not {"sip.phoneNumber", "sip.trunkPhoneNumber", "sip.hostname"} & set(leg.attributes)  # hidden
    await carrier.gateway.remove_participant("consult-1", "manager-1")
    await until(lambda: seen[-1].startswith("left"))
    record = await carrier.last()
    assert (record["to_masked"], record["trunk"], record["dtmf"]) == ("…0101", "inline", "w1#")
    assert [event["what"] for event in record["events"]][:3] == ["ringing", "answered", "digits"]
    await watcher.disconnect()


REFUSALS = {
    "+12025550102": (486, "busy", Retryable, "resource_exhausted"),
    "+12025550104": (603, "declined", Permanent, "permission_denied"),
    "+12025550118": (480, "no_answer", Retryable, "resource_exhausted"),
    "+12025550119": (503, "trunk_error", Retryable, "failed_precondition"),
    "+12025550133": (404, "invalid_number", Permanent, "not_found"),
    "sip:busy@pbx.example.com": (486, "busy", Retryable, "resource_exhausted"),
}


async def test_a_refusal_is_livekit_s_own_error(carrier: Carrier) -> None:
    async def one(number: int, to: str) -> GatewayError:
        return await failure(carrier, replace(ACCEPTS, room=f"consult-{number}", to=to))

    errors = await asyncio.gather(*(one(n, to) for n, to in enumerate(REFUSALS)))
    found = {to: (e.sip_status, outcome_of(e), type(e), e.code) for to, e in zip(REFUSALS, errors, strict=True)}
    assert found == REFUSALS


async def test_the_sdk_says_busy_in_its_own_words(carrier: Carrier) -> None:
    request = api.CreateSIPParticipantRequest(
        sip_call_to="+12025550102",
        room_name="consult-1",
        participant_identity="m",
        sip_number="+12025550199",
        trunk=api.SIPOutboundConfig(hostname="carrier.invalid"),
        wait_until_answered=True,
    )
    async with api.LiveKitAPI(carrier.url, KEY, SECRET, failover=False) as livekit:
        with pytest.raises(api.SipCallError) as raised:
            await livekit.sip.create_sip_participant(request)
    assert str(raised.value) == "SIP call failed: 486 Busy Here (resource_exhausted)"
    assert raised.value.metadata["error_details"]


async def test_nobody_answers_and_the_ringing_runs_out(carrier: Carrier) -> None:
    watcher, seen = await watch(carrier.server.url, "consult-1")
    error = await failure(carrier, replace(ACCEPTS, to="+12025550103", ringing_timeout_s=1))
    assert (error.code, error.sip_status, outcome_of(error)) == ("canceled", None, "no_answer")
    await until(lambda: f"left {rtc.DisconnectReason.USER_UNAVAILABLE}" in seen)
    await watcher.disconnect()


async def test_removing_a_leg_or_its_room_ends_the_dial(carrier: Carrier) -> None:
    for end in (
        lambda: carrier.gateway.remove_participant("consult-1", "manager-1"),
        lambda: carrier.gateway.delete_room("consult-1"),
    ):
        dial = asyncio.create_task(failure(carrier, replace(ACCEPTS, to="+12025550103")))
        await until(lambda: carrier.gateway.list_participants("consult-1"))
        await end()
        assert (await dial).code == "canceled"
        assert (await carrier.last())["ended_at"]
        assert not (await carrier.gateway.list_participants("consult-1"))


async def test_without_waiting_the_answer_comes_at_dialing(carrier: Carrier) -> None:
    request = api.CreateSIPParticipantRequest(
        sip_call_to="+12025550103",
        room_name="consult-1",
        sip_number="+12025550199",
        trunk=api.SIPOutboundConfig(hostname="carrier.invalid"),
    )
    async with api.LiveKitAPI(carrier.url, KEY, SECRET, failover=False) as livekit:
        info = await livekit.sip.create_sip_participant(request)
    assert info.participant_identity == "sip_+12025550103"  # LiveKit's default
    leg = (await carrier.gateway.list_participants("consult-1"))[0]
    assert leg.attributes["sip.phoneNumber"] == "+12025550103"
    assert leg.attributes["sip.trunkPhoneNumber"] == "+12025550199"


async def test_referring_a_phone_ends_its_leg_only_if_the_other_answers(carrier: Carrier) -> None:
    await carrier.ask("POST", "/scripts", {"to": ACCEPTS.to, "rings_s": 0})
    await carrier.gateway.dial(ACCEPTS)
    with pytest.raises(Retryable) as busy:
        await carrier.gateway.transfer_sip("consult-1", "manager-1", "tel:+12025550102")
    assert busy.value.sip_status == 486
    assert await carrier.gateway.list_participants("consult-1")
    await carrier.gateway.transfer_sip("consult-1", "manager-1", "tel:+12025550117")
    assert not await carrier.gateway.list_participants("consult-1")
    with pytest.raises(Permanent) as absent:
        await carrier.gateway.transfer_sip("consult-1", "manager-1", "tel:+12025550117")
    assert absent.value.code == "not_found"


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


async def test_what_livekit_refuses_is_refused(carrier: Carrier) -> None:
    async def refusal(grants: api.SIPGrants, **fields: object) -> tuple[int, str]:
        whole = {
            "sip_call_to": "+12025550101",
            "room_name": "consult-1",
            "participant_identity": "m",
            "sip_number": "+12025550199",
            "trunk": {"hostname": "carrier.invalid"},
        } | fields
        token = api.AccessToken(KEY, SECRET).with_identity("t").with_sip_grants(grants).to_jwt()
        url = f"{carrier.url}/twirp/livekit.SIP/CreateSIPParticipant"
        async with carrier.http.post(url, json=whole, headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, (await answer.json())["msg"]

    call = api.SIPGrants(call=True)
    assert await refusal(api.SIPGrants(admin=True)) == (401, "permissions denied")
    assert await refusal(call, sip_trunk_id="ST_none", trunk=None) == (404, "requested sip trunk does not exist")
    assert await refusal(call, sip_number="") == (412, "twirp error unknown: no numbers on outbound trunk")
    assert (await refusal(call, sip_call_to="sip:a@example.com"))[0] == 400
    assert (await refusal(call, room_name=""))[1] == "missing room name"
    assert (await refusal(call, dtmf="12x"))[0] == 400
    assert (await carrier.ask("GET", "/requests"))["requests"] == []  # nobody was dialled


async def test_a_wrong_secret_is_refused(carrier: Carrier) -> None:
    gateway = LiveKitGateway(carrier.url, KEY, "another-secret-of-32-characters-or-more")
    with pytest.raises(Permanent, match="LIVEKIT_API_KEY"):
        await gateway.dial(ACCEPTS)
    with pytest.raises(Permanent, match="LIVEKIT_API_KEY"):
        await gateway.list_rooms()
    await gateway.close()


async def test_the_carrier_s_own_switches_need_its_token(carrier: Carrier) -> None:
    assert (await carrier.ask("GET", "/phones", token="guess"))["status"] == 401
    assert (await carrier.ask("POST", "/calls", {"story": "nobody"}))["status"] == 404
    assert (await carrier.ask("POST", "/scripts", {"to": "+12025550101", "scenario": "sings"}))["status"] == 400
    assert (await carrier.ask("POST", "/faults", {"method": "X", "fault": "late"}))["status"] == 400
    assert (await carrier.ask("POST", "/requests/1/do", {"say": "hi"}))["status"] == 404


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "code"), [("500", "internal"), ("503", "unavailable"), ("429", "resource_exhausted")]
)
async def test_a_fault_fails_the_next_request_only(carrier: Carrier, fault: str, code: str) -> None:
    await carrier.ask("POST", "/faults", {"method": "ListRooms", "fault": fault})
    with pytest.raises(Retryable) as raised:
        await carrier.gateway.list_rooms()
    assert raised.value.code == code
    assert await carrier.gateway.list_rooms() == []


async def test_no_answer_at_all_is_uncertain(carrier: Carrier) -> None:
    impatient = LiveKitGateway(carrier.url, KEY, SECRET, request_s=0.2)
    await carrier.ask("POST", "/faults", {"method": "ListRooms", "fault": "never"})
    with pytest.raises(Uncertain):
        await impatient.list_rooms()
    await impatient.close()


async def test_a_phone_that_answers_after_the_client_gave_up(carrier: Carrier) -> None:
    await carrier.ask("POST", "/faults", {"method": "CreateSIPParticipant", "fault": "late"})
    await carrier.ask("POST", "/scripts", {"to": ACCEPTS.to, "rings_s": 0})
    watcher, seen = await watch(carrier.server.url, "consult-1")
    dial = asyncio.create_task(carrier.gateway.dial(ACCEPTS))
    await until(lambda: "track" in seen)
    assert (await carrier.last())["answered_at"] is None
    dial.cancel()
    await until(lambda: "callStatus=active" in seen)
    await watcher.disconnect()


# ── sound ────────────────────────────────────────────────────────────────────────────────────────


async def heard_by(carrier: Carrier, id: str) -> tuple[float, np.ndarray]:
    """When a phone's recording began, and its samples."""
    headers = {"Authorization": f"Bearer {carriers.TOKEN}"}
    async with carrier.http.get(f"{carrier.url}/carrier/requests/{id}/heard.wav", headers=headers) as answer:
        began, body = float(answer.headers["X-Started-At"]), await answer.read()
    with wave.open(io.BytesIO(body)) as file:
        return began, np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


async def test_a_phone_hears_and_is_heard_from_its_answer_on(carrier: Carrier) -> None:
    agent = await carrier.join("consult-1", "agent")
    agent.set_tone(440, 0.1)
    script = {"to": ACCEPTS.to, "scenario": "silent", "rings_s": 0.2, "tone_hz": 1000}
    await carrier.ask("POST", "/scripts", script)
    await carrier.gateway.dial(ACCEPTS)
    record = await carrier.last()

    def agent_hears() -> bool:
        now = time.time()
        return loudness(agent.recording.samples(now - 0.6, now - 0.1), 1000) > 300

    async def phone_hears() -> bool:
        began, samples = await heard_by(carrier, record["id"])
        assert 0 <= began - record["answered_at"] < 0.5
        return len(samples) > RATE and loudness(samples[-RATE // 2 :], 440) > 1000

    await until(agent_hears)
    await until(phone_hears)
    await carrier.ask("POST", f"/requests/{record['id']}/do", {"deaf": True})
    await carrier.ask("POST", f"/requests/{record['id']}/do", {"hang_up": True})
    assert (await carrier.last())["ended_at"]


@pytest.mark.alone
async def test_a_manager_takes_the_call_by_voice_after_the_question(carrier: Carrier) -> None:
    agent = await carrier.join("consult-1", "agent", listens=True)
    keys: list[str] = []
    agent.room.on("sip_dtmf_received", lambda key: keys.append(key.digit))
    await carrier.ask("POST", "/scripts", {"to": "+12025550116", "rings_s": 0, "chatter": False})
    await carrier.gateway.dial(replace(ACCEPTS, to="+12025550116"))
    await agent.say("Press 1 or say yes to take the call, 2 to decline.")
    await until(lambda: keys == ["3"])
    await agent.say("Press 1 or say yes to take the call, 2 to decline.")
    await until(lambda: any("put them through" in one.text.lower() for one in agent.heard))
    record = await carrier.last()
    whats = [event["what"] for event in record["events"]]
    assert whats.index("heard") < whats.index("pressed") < whats.index("said")


# ── callers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def line(carrier: Carrier) -> None:
    await apply(carrier.gateway, await plan(carrier.gateway, LINE))


@pytest.mark.usefixtures("line")
async def test_a_caller_comes_in_through_the_stored_rule(carrier: Carrier) -> None:
    placed = await carrier.ask("POST", "/calls", {"story": "charged-twice", "at_most_s": 30})
    room = next(room for room in await carrier.gateway.list_rooms() if room.name == placed["room"])
    assert room.name.startswith("call-_+12025550190_")
    assert json.loads(room.metadata) == {"patchbay": "sim", "kind": "call"}
    dispatches = await carrier.gateway.list_dispatch(room.name)
    assert [one.agent_name for one in dispatches] == ["patchbay-sim"]
    caller = (await carrier.gateway.list_participants(room.name))[0]
    made = await plan(carrier.gateway, LINE)
    assert caller.kind == "sip"
    expected = {
        "sip.phoneNumber": "+12025550141",
        "sip.trunkPhoneNumber": "+12025550190",
        "sip.callStatus": "active",
        "sip.ruleID": made.rule_id,
        "sip.trunkID": made.inbound_id,
    }
    assert expected.items() <= caller.attributes.items()
    rows = (await carrier.ask("GET", "/calls"))["calls"]
    assert [(row["story"], row["identity"]) for row in rows] == [("charged-twice", caller.identity)]
    await carrier.ask("DELETE", f"/calls/{placed['id']}")
    assert (await carrier.ask("GET", "/calls"))["calls"] == []
    assert not await carrier.gateway.list_participants(room.name)


@pytest.mark.usefixtures("line")
async def test_a_caller_is_referred_as_a_phone_is(carrier: Carrier) -> None:
    placed = await carrier.ask(
        "POST", "/calls", {"story": "opening-hours", "room_metadata": {"rehearsal": "1", "department": "Here"}}
    )
    room = (await carrier.gateway.list_rooms())[0]
    assert {"rehearsal": "1", "department": "Here"}.items() <= json.loads(room.metadata).items()
    (caller,) = await carrier.gateway.list_participants(placed["room"])
    with pytest.raises(Retryable):
        await carrier.gateway.transfer_sip(placed["room"], caller.identity, "tel:+12025550102")
    assert not await nobody(carrier)
    await carrier.gateway.transfer_sip(placed["room"], caller.identity, "tel:+12025550117")
    await until(lambda: nobody(carrier))
    events = (await carrier.ask("GET", f"/calls/{placed['id']}"))["events"]
    assert [event["text"] for event in events if event["what"] == "referred"] == ["tel:+12025550117"]


@pytest.mark.alone
@pytest.mark.usefixtures("line")
async def test_a_caller_hangs_up_in_time_and_says_what_it_is_told(carrier: Carrier) -> None:
    placed = await carrier.ask("POST", "/calls", {"story": "opening-hours", "at_most_s": 6})
    agent = await carrier.join(placed["room"], "agent", listens=True)
    await carrier.ask("POST", f"/calls/{placed['id']}/do", {"say": "One two three."})
    await until(lambda: agent.heard)
    await until(lambda: nobody(carrier))
    ended: dict[str, Any] = {}

    async def over() -> bool:
        ended.update(await carrier.ask("GET", f"/calls/{placed['id']}"))
        return bool(ended["ended_at"])

    await until(over)  # it has left the list a moment before its line is down
    assert {"what": "said", "text": "One two three."}.items() <= ended["events"][0].items()


async def nobody(carrier: Carrier) -> bool:
    return not (await carrier.ask("GET", "/calls"))["calls"]


async def test_a_caller_needs_a_line(carrier: Carrier) -> None:
    answer = await carrier.ask("POST", "/calls", {"story": "claim-manager"})
    assert (answer["status"], answer["error"].startswith("LiveKit has no inbound trunk")) == (409, True)
