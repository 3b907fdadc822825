"""The agent's end of the link, against a console that is cut off, comes back, and says things twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
import websockets
from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice.events import UserInputTranscribedEvent

from calls.agents import protocol as p
from calls.agents.conversation import Conversation
from calls.agents.link import AgentLink, link_url
from calls.agents.link_token import verify_link_token
from tests.patience import PATIENCE_S

SNAPSHOT = p.Snapshot(call_id=uuid4(), room="call-1")


class Console:
    """A console's end of one link: says welcome, commits what it is told to, notes everything."""

    def __init__(self) -> None:
        self.hellos: list[p.Hello] = []
        self.got: list[p.Up] = []
        self.acks: list[int] = []
        self.levels: list[p.Levels] = []
        self.committed = 0
        self.commits = True
        self.socket: websockets.ServerConnection | None = None
        self.connected = asyncio.Event()
        self.changed = asyncio.Condition()
        self.superseding = False

    async def serve(self, socket: websockets.ServerConnection) -> None:
        assert socket.request
        bearer = socket.request.headers["Authorization"].removeprefix("Bearer ")
        claims = verify_link_token(bearer)
        self.socket = socket
        async for text in socket:
            frame = p.agent_frames.validate_json(text)
            async with self.changed:
                await self._take(frame, claims.job_id)
                self.changed.notify_all()

    async def _take(self, frame: p.AgentFrame, job_id: str) -> None:
        match frame:
            case p.Hello():
                assert frame.job_id == job_id
                self.hellos.append(frame)
                new = len(self.hellos) == 1
                await self.say(
                    p.Superseded()
                    if self.superseding
                    else p.Welcome(
                        epoch=len(self.hellos), received=self.committed, snapshot=SNAPSHOT if new else None
                    )
                )
                self.connected.set()
            case p.Up():
                self.got.append(frame)
                if self.commits and frame.seq == self.committed + 1:
                    self.committed = frame.seq
                    await self.say(p.Ack(seq=self.committed))
            case p.Ack():
                self.acks.append(frame.seq)
            case p.Heartbeat():
                await self.say(p.Heartbeat())
            case p.Levels():
                self.levels.append(frame)

    async def say(self, frame: object) -> None:
        assert self.socket
        await self.socket.send(frame.model_dump_json())  # type: ignore[attr-defined]

    async def cut(self) -> None:
        assert self.socket
        self.connected.clear()
        await self.socket.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(holds), PATIENCE_S)


def down(seq: int, text: str) -> p.Down:
    return p.Down(seq=seq, directive_id=uuid4(), body=p.Say(text=text))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "APItest")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "test-secret-of-at-least-32-characters")


@pytest.fixture
def console(keys: None) -> Console:
    return Console()


@pytest.fixture
async def link(console: Console) -> AsyncIterator[AgentLink]:
    async with websockets.serve(console.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        hello = p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room="call-1")
        link = AgentLink(hello, url=f"ws://127.0.0.1:{port}/agents/link")
        link.start()
        yield link
        await link.close()


async def test_a_new_job_gets_the_call_as_it_is(link: AgentLink) -> None:
    assert await asyncio.wait_for(link.snapshot, 10) == SNAPSHOT


async def test_what_is_reported_arrives_in_order(link: AgentLink, console: Console) -> None:
    for key in "abc":
        link.report(p.FactLearned(key=key, value="1"))
    await console.until(lambda: console.committed == 3)
    assert [frame.body.key for frame in console.got] == ["a", "b", "c"]  # type: ignore[union-attr]


async def test_words_of_a_turn_that_is_not_over_are_told_now_and_then_and_never_kept(
    link: AgentLink, console: Console
) -> None:
    session: AgentSession[None] = AgentSession()
    talk = Conversation(session, link, speaker=p.Speaker.CALLER, agent=p.Speaker.AI, side="call")

    def hears(text: str, at: float, *, final: bool = False) -> None:
        told = UserInputTranscribedEvent(transcript=text, is_final=final, created_at=at)
        session.emit("user_input_transcribed", told)

    hears("nobody is there", 100.0)
    link.report(p.JobStarted(identity="support"))
    await console.until(lambda: console.committed == 1)
    for text, at, final in (("I was", 101.0, False), ("I was cha", 101.1, False), ("I was charged", 101.2, True)):
        hears(text, at, final=final)
    hears("twice", 102.0)
    talk.heard(ChatMessage(role="user", content=["I was charged twice."], created_at=103.0))
    hears("Hello", 104.0)
    await console.until(lambda: console.committed == 5)
    said = [frame.body for frame in console.got if isinstance(frame.body, p.Utterance)]
    assert [(one.text, one.final) for one in said] == [
        ("I was", False),
        ("I was charged twice", False),
        ("I was charged twice.", True),
        ("Hello", False),
    ]


async def test_what_was_not_committed_is_told_again_after_a_cut(link: AgentLink, console: Console) -> None:
    console.commits = False
    link.report(p.JobStarted(identity="support"))
    await console.until(lambda: len(console.got) == 1)
    console.commits = True
    await console.cut()
    await console.until(lambda: console.committed == 1)
    assert [frame.seq for frame in console.got] == [1, 1]


async def test_directives_are_done_in_order_and_once_even_if_told_twice(link: AgentLink, console: Console) -> None:
    done: list[str] = []
    await asyncio.wait_for(console.connected.wait(), 10)
    await console.say(down(1, "one"))
    await console.say(down(1, "one"))
    await console.say(down(2, "two"))

    async def do(body: p.DirectiveBody) -> None:
        assert isinstance(body, p.Say)
        done.append(body.text)

    link.serve(do)
    await console.until(lambda: console.acks[-1:] == [2])
    assert done == ["one", "two"]


async def test_after_a_cut_the_console_learns_what_the_job_has_already(link: AgentLink, console: Console) -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), []

    async def do(body: p.DirectiveBody) -> None:
        begun.set()
        await may_end.wait()
        done.append(body)

    link.serve(do)
    await asyncio.wait_for(console.connected.wait(), 10)
    await console.say(down(1, "slow"))
    await asyncio.wait_for(begun.wait(), 10)
    await console.cut()
    await console.until(lambda: len(console.hellos) == 2)
    assert console.hellos[-1].received == 1
    await console.say(down(1, "slow"))
    may_end.set()
    await console.until(lambda: console.acks[-1:] == [1])
    assert len(done) == 1


async def test_a_directive_that_fails_is_told_and_the_next_is_done(link: AgentLink, console: Console) -> None:
    async def do(body: p.DirectiveBody) -> None:
        assert isinstance(body, p.Say)
        if body.text == "bad":
            raise ValueError(body.text)

    link.serve(do)
    await asyncio.wait_for(console.connected.wait(), 10)
    await console.say(down(1, "bad"))
    await console.say(down(2, "good"))
    await console.until(lambda: console.committed == 2)
    first, second = (frame.body for frame in console.got)
    assert isinstance(first, p.DirectiveFailed)
    assert first.error == "ValueError"
    assert isinstance(second, p.DirectiveDone)


async def test_a_job_that_was_replaced_stops_trying(link: AgentLink, console: Console) -> None:
    await asyncio.wait_for(console.connected.wait(), 10)
    console.superseding = True
    await console.cut()
    await asyncio.wait_for(link.superseded.wait(), 10)
    assert len(console.hellos) == 2


@pytest.mark.parametrize(
    ("console_url", "expected"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/agents/link"),
        ("https://calls.example.com/", "wss://calls.example.com/agents/link"),
        ("https://example.com/patchbay", "wss://example.com/patchbay/agents/link"),
    ],
)
def test_the_link_s_address_follows_the_console_s(console_url: str, expected: str) -> None:
    assert link_url(console_url) == expected


async def test_levels_are_told_while_somebody_looks_and_no_longer(console: Console, link: AgentLink) -> None:
    levels = p.Levels(people=(p.Level(identity="caller-1", level=0.4, muted=False),))
    await link.tell(levels)  # before the console is there: nobody hears it, and it is not kept
    await console.connected.wait()
    looked = asyncio.create_task(link.looked_at())
    await console.say(p.Heartbeat())
    assert not looked.done()
    await console.say(p.Watched(seconds=0.2))
    await looked
    await link.tell(levels)
    await console.until(lambda: console.levels == [levels])
    again = asyncio.create_task(link.looked_at())
    async with asyncio.timeout(PATIENCE_S):
        while again.done():
            await asyncio.sleep(0.05)
            again = asyncio.create_task(link.looked_at())
    again.cancel()
    assert not link._outbox
