"""The caller's agent while a supervisor joins in or takes over: silent, without music, and told what was said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from livekit.agents import llm

from calls.agents import protocol as p
from calls.agents.caller_job import JOINED_IN, CallerJob
from calls.agents.instructions import conversation, said_meanwhile
from calls.agents.transcriber import Transcriber

SUPERVISOR = "supervisor-1"
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Flags:
    def __init__(self) -> None:
        self.on = True

    def set_audio_enabled(self, on: bool) -> None:
        self.on = on


class Session:
    """As much of a session as is switched."""

    def __init__(self) -> None:
        self.input, self.output = Flags(), Flags()
        self.current_agent = self
        self.chat_ctx = llm.ChatContext.empty()

    async def update_chat_ctx(self, context: llm.ChatContext) -> None:
        self.chat_ctx = context

    def clear_user_turn(self) -> None:
        pass

    def heard(self) -> list[str]:
        return [str(item.text_content) for item in self.chat_ctx.items if item.type == "message"]


class Talk:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.hushed = 0
        self.turn_began: float | None = 1.0

    async def hush(self) -> None:
        self.hushed += 1

    async def say(self, words: str, **_: Any) -> bool:
        self.said.append(words)
        return True


class Player:
    def __init__(self) -> None:
        self.quiet, self.playing = False, False

    async def start(self) -> None:
        self.playing = True

    async def stop(self) -> None:
        self.playing = False


class Ears(Transcriber):
    """Hears what it is given."""

    def __init__(self, identity: str, speaker: p.Speaker, link: Any) -> None:
        self.identity, self._speaker, self._side, self._link = identity, speaker, "call", link
        self.after_merge, self.told = lambda: True, None
        self.running = False

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


class Job(CallerJob):
    """Without a room of its own."""

    def __init__(self, *, transcribes: bool = True, keeps_session: bool = False) -> None:
        self.room: Any = None
        self.reports: list[p.UpBody] = []
        self.link: Any = SimpleNamespace(report=self.reports.append)
        self.requests: Any = SimpleNamespace(spoken_for=lambda: None)
        self._tasks, self._writers, self._barging = set(), [], {}
        self._joined = False
        self._ready = asyncio.Event()
        self._ready.set()
        self.session, self.caller = Session(), "caller-1"
        self.talk: Any = Talk()
        self.ears: list[Ears] = []
        self.players: list[Player] = []
        self.snapshot = p.Snapshot(
            call_id=uuid4(), room="r", profile=p.Profile(transcribe_after_merge=transcribes)
        )
        self.keeps_session, self.started = keeps_session, 0

    async def start_talking(self) -> None:
        self.started += 1
        self.session = Session()

    async def stop_talking(self) -> None:
        if not self.keeps_session:
            self.session = None

    def voice(self) -> Any:
        return None

    def transcriber(self, identity: str, speaker: p.Speaker) -> Transcriber:
        self.ears.append(Ears(identity, speaker, self.link))
        return self.ears[-1]

    async def hold_player(self, plan: p.HoldPlan) -> Any:
        self.players.append(Player())
        return self.players[-1]

    async def _watch_caller(self) -> None:
        pass

    def heard(self) -> set[tuple[str, p.Speaker]]:
        return {(ears.identity, ears._speaker) for ears in self.ears if ears.running}


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


HOLD = p.Hold(plan=p.HoldPlan(line="One moment.", progress_line="Thank you for holding."))
BOTH = {(SUPERVISOR, p.Speaker.SUPERVISOR), ("caller-1", p.Speaker.CALLER)}
SNAPSHOT = p.Snapshot(
    call_id=uuid4(),
    room="r",
    transcript=(
        p.Turn(speaker=p.Speaker.SUPERVISOR, text="I have refunded it.", at=datetime.max.replace(tzinfo=UTC)),
    ),
)


async def test_taken_over_the_agent_is_neither_heard_nor_hears_and_writes_the_two_down() -> None:
    job = Job(keeps_session=True)
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    await turns()
    assert (job.session.input.on, job.session.output.on, job.talk.hushed) == (False, False, 1)
    assert job.heard() == BOTH
    assert p.AgentState(state="silent") in job.reports


async def test_what_is_not_to_be_written_down_is_not_listened_to() -> None:
    job = Job(transcribes=False)
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    await turns()
    assert job.heard() == set()
    assert job.session is None


async def test_the_music_of_a_held_caller_stops_when_they_are_taken_over() -> None:
    job = Job()
    await job.handle(HOLD)
    assert job.players[0].playing
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    assert not job.players[0].playing
    assert job.session is None


async def test_taken_over_from_a_manager_who_was_written_down() -> None:
    job = Job()
    await job.merge(p.Merge(manager_identity="manager-1", bridge_identity="bridge-1"))
    await turns()
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    await turns()
    assert job.heard() == BOTH


@pytest.mark.parametrize("keeps_session", [False, True])
async def test_given_back_it_talks_again_and_knows_what_was_said(keeps_session: bool) -> None:
    job = Job(keeps_session=keeps_session)
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    await turns()
    await job.handle(p.Resume(words="You are back with me.", snapshot=SNAPSHOT))
    await turns()
    assert job.talk.said == ["You are back with me."]
    assert (job.session.input.on, job.session.output.on) == (True, True)
    assert job.heard() == set()
    if keeps_session:
        assert "A supervisor: I have refunded it." in job.session.heard()[-1]
    else:  # a new session begins with the whole conversation
        assert job.started == 1
        assert job.snapshot == SNAPSHOT


async def test_while_somebody_has_joined_in_no_music_plays() -> None:
    job = Job()
    await job.handle(HOLD)
    for on in (True, True, False):
        await job.handle(p.Barge(identity=SUPERVISOR, on=on))
        await turns()
        assert job.players[0].quiet is on
    assert job.heard() == set()


async def test_who_has_joined_in_before_the_hold_is_not_drowned_either() -> None:
    job = Job()
    await job.handle(p.Barge(identity=SUPERVISOR, on=True))
    await job.handle(HOLD)
    assert job.players[0].quiet


async def test_the_agent_is_told_what_a_supervisor_said_and_does_not_answer_it() -> None:
    job = Job()
    await job.handle(p.Barge(identity=SUPERVISOR, on=True))
    await turns()
    (ears,) = job.ears
    assert ears.told
    assert not ears.after_merge()
    await ears.told("We will send you a new one.")
    assert job.session.heard() == [f"{JOINED_IN} We will send you a new one."]
    assert job.talk.said == []
    await job.merge(p.Merge(manager_identity="manager-1"))
    assert ears.after_merge()
    await ears.told("Hello.")  # nobody is there to be told


async def test_a_whisper_to_an_agent_that_has_left_fails() -> None:
    """The console says that it did not reach it."""
    job = Job()
    await job.handle(p.TakeOver(identity=SUPERVISOR))
    with pytest.raises(RuntimeError):
        await job.handle(p.Coach(text="Offer a refund."))


def turn(speaker: p.Speaker, text: str, seconds: float, side: Any = "call") -> p.Turn:
    return p.Turn(speaker=speaker, text=text, at=AT + timedelta(seconds=seconds), side=side)


TURNS = (
    turn(p.Speaker.CALLER, "I was charged twice.", 0),
    turn(p.Speaker.AI, "I am sorry.", 1),
    turn(p.Speaker.MANAGER, "Who is it?", 2, "consultation"),
    turn(p.Speaker.MANAGER, "Ines here.", 5),
    turn(p.Speaker.CALLER, "Thank you.", 6),
)


def test_a_conversation_has_what_other_people_said_in_it() -> None:
    items = [(item.role, item.text_content) for item in conversation(TURNS).items if item.type == "message"]
    assert items == [
        ("user", "I was charged twice."),
        ("assistant", "I am sorry."),
        ("system", "A manager: Ines here."),
        ("user", "Thank you."),
    ]


def test_only_what_was_said_meanwhile_is_told() -> None:
    told = said_meanwhile(TURNS, AT + timedelta(seconds=3))
    assert told.endswith("They said:\nA manager: Ines here.\nThe caller: Thank you.")
    assert said_meanwhile(TURNS, AT + timedelta(seconds=9)).endswith("What they said is not known.")
