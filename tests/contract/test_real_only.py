"""What only the real gateway can show: every answer and failure of server and network becomes one of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from livekit import api
from livekit.protocol import sip

from calls.telephony.gateway import (
    DialRequest,
    DialResult,
    Dispatch,
    GatewayError,
    InlineTrunk,
    Permanent,
    Retryable,
    Uncertain,
    outcome_of,
)
from calls.telephony.livekit import LiveKitGateway
from tests.livekit import KEY, SECRET, LiveKitServer

pytestmark = pytest.mark.contract

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST = DialRequest(
    room="consult-1",
    identity="manager-1",
    to="+12025550100",
    trunk=InlineTrunk("sip.example.com", "+12025550199", username="u", password="p", headers={"X-Ref": "7"}),
    dtmf="ww12#",
    ringing_timeout_s=30,
)


@asynccontextmanager
async def gateway_to(answer: Answer, *, request_s: float = 5.0) -> AsyncIterator[LiveKitGateway]:
    """The real gateway before a server that gives this answer to everything."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    gateway = LiveKitGateway(f"http://127.0.0.1:{port}", KEY, SECRET, request_s=request_s)
    try:
        yield gateway
    finally:
        await gateway.close()
        await runner.cleanup()


def twirp(status: int, code: str, message: str = "words", **meta: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"code": code, "msg": message, "meta": meta}, status=status)

    return answer


def refused(sip_status: int, words: str, code: str = "resource_exhausted") -> Answer:
    return twirp(429, code, sip_status_code=str(sip_status), sip_status=words)


async def failure(answer: Answer) -> GatewayError:
    async with gateway_to(answer) as gateway:
        with pytest.raises(GatewayError) as raised:
            await gateway.dial(REQUEST)
        return raised.value


SIP = {
    486: ("busy", Retryable),
    600: ("busy", Retryable),
    480: ("no_answer", Retryable),
    408: ("no_answer", Retryable),
    412: ("no_answer", Retryable),
    487: ("no_answer", Retryable),
    504: ("no_answer", Retryable),
    603: ("declined", Permanent),
    404: ("invalid_number", Permanent),
    484: ("invalid_number", Permanent),
    604: ("invalid_number", Permanent),
    401: ("trunk_error", Permanent),
    403: ("trunk_error", Permanent),
    407: ("trunk_error", Permanent),
    500: ("trunk_error", Retryable),
    503: ("trunk_error", Retryable),
    488: ("unreachable", Retryable),
}


@pytest.mark.parametrize("status", SIP)
async def test_each_sip_status_has_an_outcome(status: int) -> None:
    error = await failure(refused(status, "Some Words"))
    outcome, kind = SIP[status]
    assert (error.sip_status, outcome_of(error), type(error)) == (status, outcome, kind)
    assert str(error) == "Some Words"


CODES = {
    "ringing ran out": (twirp(408, "canceled", "sip request timed out"), "no_answer", Permanent),
    "no SIP node": (twirp(503, "unavailable", "no response from servers"), "trunk_error", Retryable),
    "rate limit": (twirp(429, "resource_exhausted", "too many"), "trunk_error", Retryable),
    "server error": (twirp(500, "internal", "oh"), "trunk_error", Retryable),
    "no grant": (twirp(403, "permission_denied", "no"), "trunk_error", Permanent),
    "unknown trunk": (twirp(404, "not_found", "requested sip trunk does not exist"), "trunk_error", Permanent),
    "wrong key": (twirp(401, "unauthenticated", ""), "trunk_error", Permanent),
}


@pytest.mark.parametrize("name", CODES)
async def test_what_livekit_says_itself_is_the_line_s_fault(name: str) -> None:
    answer, outcome, kind = CODES[name]
    error = await failure(answer)
    assert (error.sip_status, outcome_of(error), type(error)) == (None, outcome, kind)


async def test_an_answer_that_is_lost_leaves_the_dial_uncertain() -> None:
    async def cut(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport
        request.transport.close()
        return web.Response()

    async def garbage(request: web.Request) -> web.Response:
        return web.Response(body=b"\xff\xff\xff")

    async def proxy(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>Bad Gateway</html>")

    for answer in (cut, garbage, proxy):
        error = await failure(answer)
        assert isinstance(error, Uncertain)
        assert outcome_of(error) == "lost"


async def test_a_server_that_never_answers_is_uncertain() -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with gateway_to(never, request_s=0.2) as gateway:
        with pytest.raises(Uncertain, match="LIVEKIT_API_URL"):
            await gateway.list_rooms()


async def test_nobody_there_is_one_line_that_names_the_setting() -> None:
    gateway = LiveKitGateway("ws://127.0.0.1:1", KEY, SECRET)
    with pytest.raises(
        Retryable, match=r"^LiveKit at 127.0.0.1:1 \(LIVEKIT_API_URL\) cannot be reached"
    ) as raised:
        await gateway.dial(REQUEST)
    assert not isinstance(raised.value, Uncertain)  # it never left, so nothing rings
    assert "\n" not in str(raised.value)
    await gateway.close()


async def test_a_wrong_url_is_one_line_that_names_the_setting() -> None:
    with pytest.raises(Permanent, match="LIVEKIT_API_URL"):
        LiveKitGateway("localhost:7880", KEY, SECRET)


@pytest.mark.parametrize(("key", "secret"), [(KEY, "wrong" * 8), ("APIwrong", SECRET)])
async def test_wrong_keys_are_named(livekit_server: LiveKitServer, key: str, secret: str) -> None:
    gateway = LiveKitGateway(livekit_server.api_url, key, secret)
    with pytest.raises(Permanent, match="LIVEKIT_API_KEY") as raised:
        await gateway.list_rooms()
    assert raised.value.code == "unauthenticated"
    assert SECRET not in str(raised.value)
    await gateway.close()


async def test_a_dial_is_sent_once_with_everything_it_needs() -> None:
    seen: list[sip.CreateSIPParticipantRequest] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/twirp/livekit.SIP/CreateSIPParticipant"
        seen.append(sip.CreateSIPParticipantRequest.FromString(await request.read()))
        info = sip.SIPParticipantInfo(sip_call_id="SCL_1", participant_id="PA_1")
        return web.Response(body=info.SerializeToString(), content_type="application/protobuf")

    async with gateway_to(answer) as gateway:
        assert await gateway.dial(REQUEST) == DialResult("SCL_1", "PA_1")
    assert len(seen) == 1
    sent = seen[0]
    assert (sent.room_name, sent.participant_identity, sent.sip_call_to) == ("consult-1", "manager-1", REQUEST.to)
    assert sent.wait_until_answered
    assert sent.hide_phone_number
    assert (sent.dtmf, sent.ringing_timeout.seconds) == ("ww12#", 30)
    assert (sent.trunk.hostname, sent.trunk.auth_username, sent.trunk.auth_password) == (
        "sip.example.com",
        "u",
        "p",
    )
    assert (sent.sip_number, sent.sip_trunk_id, dict(sent.headers)) == ("+12025550199", "", {"X-Ref": "7"})
    assert "p" not in repr(REQUEST.trunk).split("password")[-1:]


async def test_a_failed_dial_is_never_replayed() -> None:
    count = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.json_response({"code": "internal", "msg": ""}, status=500)

    await failure(answer)
    assert count == 1


async def test_the_server_never_restarts_an_agent_of_ours(livekit_server: LiveKitServer) -> None:
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    await gateway.create_room("call-1", dispatches=[Dispatch("made-with-the-room")])
    await gateway.create_dispatch("call-1", "made-later", "")
    async with api.LiveKitAPI(livekit_server.api_url, KEY, SECRET) as direct:
        found = await direct.agent_dispatch.list_dispatch("call-1")
    assert {one.agent_name: one.restart_policy for one in found} == {
        "made-with-the-room": api.JobRestartPolicy.JRP_NEVER,
        "made-later": api.JobRestartPolicy.JRP_NEVER,
    }
    await gateway.delete_room("call-1")
    await gateway.close()
