"""The agent link over a real WebSocket: who may open it, what is applied once, and what comes again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from calls import presence
from calls.agents import protocol as p
from calls.agents.link_token import sign_link_token
from calls.link import consumer as module
from calls.link import watching
from calls.link.consumer import SUPERSEDED, LinkConsumer
from calls.link.nudge import nudges
from calls.live import publish
from calls.models import AgentJob, Call, Directive, Utterance
from calls.roles import Role
from calls.services import links
from calls.timing import now
from tests import rows
from tests.patience import PATIENCE_S
from tests.people import account
from transfers.live import levels_pieces

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = "call-1"


@pytest.fixture(autouse=True)
async def quiet(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """No heartbeat thread beyond the test, and no task either."""
    monkeypatch.setattr(module, "own", lambda role: None)
    monkeypatch.setattr(module, "BACK_WITHIN_SECONDS", 0.0)
    yield
    await asyncio.gather(*module._waiting)
    if nudges._reader:
        nudges._reader.cancel()
        nudges._reader = None


class Socket:
    """One connection of a job."""

    def __init__(self, job: str = "AJ_1", *, token: str | None = None, role: p.Role = p.Role.SUPPORT) -> None:
        signed = sign_link_token(room=ROOM, job_id=job, role=role) if token is None else token
        headers = [(b"authorization", f"Bearer {signed}".encode())]
        self.job, self.role, self.seq = job, role, 0
        self.link = WebsocketCommunicator(LinkConsumer.as_asgi(), "/agents/link", headers=headers)

    async def __aenter__(self) -> Socket:
        connected, _ = await self.link.connect(timeout=PATIENCE_S)
        assert connected
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.link.disconnect()

    async def send(self, frame: Any) -> None:
        await self.link.send_to(text_data=frame.model_dump_json())

    async def hello(self, received: int = 0, **fields: Any) -> p.Welcome:
        values: dict[str, Any] = {"job_id": self.job, "role": self.role, "room": ROOM, "received": received}
        await self.send(p.Hello(**(values | fields)))
        return await self.frame("welcome")

    async def frame(self, kind: str) -> Any:
        while True:
            found = p.console_frames.validate_json(await self.link.receive_from(timeout=PATIENCE_S))
            if found.type == kind:
                return found

    async def closed(self) -> int:
        while True:
            message = await self.link.receive_output(timeout=PATIENCE_S)
            if message["type"] == "websocket.close":
                return int(message.get("code", 1000))

    async def up(self, text: str, seq: int) -> int:
        """Something the caller said; what is safe after it."""
        body = p.Utterance(speaker=p.Speaker.CALLER, text=text, started_at=now())
        await self.send(p.Up(seq=seq, at=now(), body=body))
        return int((await self.frame("ack")).seq)


@sync_to_async
def a_call() -> Call:
    return rows.call(rows.department("Billing"), room_name=ROOM)


@sync_to_async
def texts() -> list[str]:
    return list(Utterance.objects.order_by("id").values_list("text", flat=True))


@sync_to_async
def job(pk: str = "AJ_1") -> AgentJob:
    return AgentJob.objects.get(pk=pk)


@sync_to_async
def say(text: str) -> UUID:
    made = links.direct(AgentJob.objects.get(), f"say:{text}", p.Say(text=text))
    assert made
    return made.pk


@pytest.mark.parametrize(
    "token", ["", "nonsense", sign_link_token(room="x", job_id="y", role="z", secret="a" * 40)]
)
async def test_a_link_without_a_token_of_ours_is_refused(token: str) -> None:
    connected, code = await Socket(token=token).link.connect(timeout=PATIENCE_S)
    assert (connected, code) == (False, 4401)


@pytest.mark.parametrize("lie", [{"job_id": "AJ_2"}, {"room": "call-2"}, {"role": p.Role.TRANSFER}])
async def test_a_hello_says_what_its_token_says(lie: dict[str, Any]) -> None:
    await a_call()
    async with Socket() as socket:
        values: dict[str, Any] = {"job_id": "AJ_1", "role": p.Role.SUPPORT, "room": ROOM}
        await socket.send(p.Hello(**(values | lie)))
        assert await socket.closed() == 4401
    assert not await sync_to_async(AgentJob.objects.exists)()


async def test_a_new_job_is_welcomed_with_the_call_as_it_is() -> None:
    call = await a_call()
    async with Socket() as socket:
        welcome = await socket.hello()
        assert (welcome.epoch, welcome.received) == (1, 0)
        assert welcome.snapshot
        assert welcome.snapshot.call_id == call.pk
        assert (await job()).call_id == call.pk


async def test_frames_are_applied_in_order_and_once_and_acknowledged_when_committed() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        assert await socket.up("one", 1) == 1
        assert await socket.up("two", 2) == 2
        assert await socket.up("two", 2) == 2
        assert await socket.up("four", 4) == 4  # agents send in order: three was taken once, and lost since
        assert await socket.up("three", 3) == 4
        assert await texts() == ["one", "two", "four"]


async def test_after_a_reconnect_both_sides_go_on_where_they_were() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        await socket.up("one", 1)
        await say("first")
        assert (await socket.frame("down")).seq == 1
    await say("second")
    async with Socket() as again:
        welcome = await again.hello(received=0)
        assert (welcome.epoch, welcome.received, welcome.snapshot) == (2, 1, None)
        downs = [await again.frame("down") for _ in range(2)]
        assert [(d.seq, d.body.text) for d in downs] == [(1, "first"), (2, "second")]
        assert await again.up("one", 1) == 1
    async with Socket() as third:
        await third.hello(received=1)
        assert (await third.frame("down")).body.text == "second"
    assert await texts() == ["one"]


async def test_a_directive_is_sent_at_once_and_found_without_a_nudge_too(monkeypatch: pytest.MonkeyPatch) -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        monkeypatch.setattr(links, "nudge", lambda topic: None)
        await say("unheard")
        assert (await socket.frame("down")).body.text == "unheard"


async def test_what_the_agent_applied_and_did_is_kept() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        made = await say("first")
        down = await socket.frame("down")
        assert down.directive_id == made
        await socket.send(p.Ack(seq=down.seq))
        await socket.send(p.Up(seq=1, at=now(), body=p.DirectiveFailed(directive_id=made, error="no voice")))
        await socket.frame("ack")
        directive = await sync_to_async(Directive.objects.get)()
        assert (directive.error, directive.done_at is not None) == ("no voice", True)
        assert (await job()).down_acked == 1


async def test_the_newest_connection_of_a_job_has_the_link() -> None:
    await a_call()
    async with Socket() as old, Socket() as new:
        await old.hello()
        await new.hello()
        await old.send(p.Heartbeat())
        await old.frame("superseded")
        assert await old.closed() == SUPERSEDED
        assert await new.up("still here", 1) == 1


async def test_a_new_job_replaces_the_old_one_which_may_not_come_back() -> None:
    await a_call()
    async with Socket() as old, Socket("AJ_2") as new:
        await old.hello()
        await new.hello()
        await old.send(p.Heartbeat())
        await old.frame("superseded")
    async with Socket() as back:
        await back.send(p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room=ROOM))
        await back.frame("superseded")
    assert (await job()).closed_at


async def test_a_room_that_is_no_call_of_ours_has_nothing_for_an_agent() -> None:
    token = sign_link_token(room="consult-x", job_id="AJ_1", role=p.Role.TRANSFER)
    async with Socket(token=token, role=p.Role.TRANSFER) as socket:
        await socket.send(p.Hello(job_id="AJ_1", role=p.Role.TRANSFER, room="consult-x", attempt_id=uuid4()))
        await socket.frame("superseded")
        assert await socket.closed() == SUPERSEDED


async def test_a_connection_that_closes_is_a_job_that_is_gone() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
    await asyncio.gather(*module._waiting)
    assert (await job()).closed_at


async def test_a_connection_that_is_back_in_time_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    await a_call()
    waiting = asyncio.Event()

    async def pause() -> None:
        await waiting.wait()

    with monkeypatch.context() as patch:
        async with Socket() as socket:
            await socket.hello()
            patch.setattr(module, "pause", pause)
    async with Socket() as again:
        await again.hello()
        waiting.set()
        await asyncio.gather(*module._waiting)
        assert (await job()).closed_at is None


async def test_a_frame_that_cannot_be_read_ends_the_connection() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        await socket.link.send_to(text_data=json.dumps({"type": "up", "seq": 1, "surprise": True}))
        assert await socket.closed() == 4401


async def test_a_frame_that_cannot_be_applied_is_passed_over_and_not_sent_for_ever() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.hello()
        assert await socket.up("a \x00 in the text", 1) == 1
        assert await socket.up("two", 2) == 2
        assert await texts() == ["two"]


async def test_a_link_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    await a_call()
    monkeypatch.setattr(p, "DEAD_AFTER_SECONDS", 0.0)
    async with Socket() as socket:
        await socket.closed()


async def test_nothing_is_taken_before_a_hello() -> None:
    await a_call()
    async with Socket() as socket:
        await socket.send(p.Up(seq=1, at=now(), body=p.CallerSaidGoodbye()))
        await socket.frame("superseded")
        assert (await sync_to_async(Call.objects.get)()).is_live


async def test_levels_are_asked_for_while_the_call_s_page_is_open_and_shown_there_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = await a_call()
    monkeypatch.setattr(watching, "FRESH_SECONDS", 0.0)
    shown: list[publish.Change] = []
    monkeypatch.setattr(publish, "_send", lambda changes: shown.extend(changes))
    async with Socket() as socket:
        await socket.hello()
        await socket.send(p.Heartbeat())
        await socket.frame("heartbeat")
        user = await sync_to_async(account)(Role.SUPERVISOR, name="priya")
        await sync_to_async(presence.page_open)(uuid4(), user.pk, call.pk)
        await socket.send(p.Heartbeat())
        assert (await socket.frame("watched")).seconds > p.HEARTBEAT_SECONDS
        shown.clear()
        levels = p.Levels(people=(p.Level(identity="caller-1", level=0.1, muted=True),))
        await socket.send(levels)
        await socket.up("Hello?", 1)
    ((audience, frame),) = [change for change in shown if change[1].kind == "levels"]
    assert (audience, frame.id) == (f"c:{call.pk}", "AJ_1")
    (piece,) = await sync_to_async(levels_pieces)(frame)
    assert piece.list == f"levels-{call.pk}"
    assert "width: 67%" in piece.html
    assert "muted" in piece.html
