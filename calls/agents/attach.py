"""`attach(session, ctx)`: the console's view of a call for an agent that is not ours.

    async def entrypoint(ctx: JobContext) -> None:
        session = AgentSession(stt=…, llm=…, tts=…, vad=…)
        desk = await attach(session, ctx)
        await session.start(Agent(instructions=…, tools=await desk.tools()), room=ctx.room)

From then on the console has the transcript, and can hold the caller, give them back, join them with a manager,
coach the agent, and end the call. Needs LIVEKIT_API_KEY, LIVEKIT_API_SECRET and PATCHBAY_CONSOLE_URL. Without a
console the agent talks as it would without us.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import NOT_GIVEN, AgentSession, JobContext, NotGivenOr, llm, tts
from livekit.agents.utils import is_given
from livekit.agents.voice.events import CloseEvent, CloseReason

from calls.agents import protocol as p
from calls.agents.caller import find_caller, picked_up
from calls.agents.caller_job import CALLER_SECONDS, CallerJob
from calls.agents.conversation import Conversation
from calls.agents.hold import HoldPlayer
from calls.agents.hold_audio import HoldAudio, samples_of
from calls.agents.instructions import conversation
from calls.agents.speech import hold_music
from calls.agents.speech.models import build_tts
from calls.agents.support_tools import support_tools
from calls.agents.transcriber import Transcriber

logger = logging.getLogger("patchbay.agents")

LOOK_SECONDS = 0.2
OVER = (CloseReason.USER_INITIATED, CloseReason.TASK_COMPLETED)
_attached: dict[str, Attachment] = {}


async def attach(session: AgentSession[Any], ctx: JobContext) -> Attachment:
    """Once in a job, before or after `session.start`; a second time returns the first. Waits for the console's
    first word, at most 3 s."""
    known = _attached.get(ctx.job.id)
    if known:
        return known
    desk = _attached[ctx.job.id] = Attachment(session, ctx)
    await desk.start()
    return desk


class Waiting(Protocol):
    """Whoever waits for what comes of a transfer."""

    def joined(self, identity: str) -> None:
        """`identity` speaks for the manager in the caller's room. The agent may still say something to both."""

    def returned(self, outcome: str, words: str) -> None:
        """The caller is with their agent again, and has been told `words`."""


class Attachment(CallerJob):
    """A job whose agent is somebody else's. What is public here is for that agent's code."""

    def __init__(self, session: AgentSession[Any], ctx: JobContext) -> None:
        super().__init__(ctx, p.DispatchMetadata(role=p.Role.SUPPORT))
        self.session = session
        self.talk = Conversation(session, self.link, speaker=p.Speaker.CALLER, agent=p.Speaker.AI, side="call")
        self.hold_audio: NotGivenOr[HoldAudio] = NOT_GIVEN  # our music
        self.waiting: Waiting | None = None
        self._models: AgentSession[Any] = session  # whose voice and ears outlive its conversation
        self._silent, self._flags = False, (True, True)
        self._started = asyncio.Event()
        if session.agent_state != "initializing":
            self._started.set()
        session.on("agent_state_changed", lambda _: self._started.set())
        session.on("close", self._closed)

    async def tools(self) -> list[llm.Tool | llm.Toolset]:
        """For the agent's model: ask for a person, promise a callback, keep a fact, say goodbye; as the department
        of the call has it."""
        return support_tools(self.snapshot, self.requests)

    @property
    def chat_ctx(self) -> llm.ChatContext:
        """What was said in this call before this job came, for the agent's `chat_ctx`; empty for a new call."""
        return conversation(self.snapshot.transcript)

    # ── the job ──────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """The room is connected by the agent's own code, or by its session."""
        self.open_link()
        self.knows(await self.told())
        if self.snapshot.caller_with != p.CallerWith.AI:
            self.silence(True)  # before its first word to somebody who is held, or with a person
        self.run(self._leave_when_superseded())
        self.run(self.begin())

    async def begin(self) -> None:
        await _connected(self.room)
        self.link.report(p.JobStarted(identity=self.room.local_participant.identity))
        self.link.serve(self.handle)
        caller = await find_caller(self.room, self.snapshot.caller_identity, within_s=CALLER_SECONDS)
        if caller is None:
            logger.warning("no caller came: this job is not shown")
            return
        await self.attend(caller)
        await self._started.wait()
        await self._take_up()
        self._ready.set()

    async def _take_up(self) -> None:
        """It may have come in the middle of a call."""
        if self.snapshot.transcript:
            await self._tell_before()
        for supervisor in self.snapshot.barging:
            self.joins_in(supervisor, on=True)
        match self.snapshot.caller_with:
            case p.CallerWith.SUPERVISOR:
                await self.taken_over(self.snapshot.taken_over_by)
            case p.CallerWith.MANAGER:
                await self.only_write()
            case p.CallerWith.HOLD:
                await self.hold_on()
            case p.CallerWith.AI if self.snapshot.opening:
                self.run(self._open())

    async def _tell_before(self) -> None:
        agent = self.session.current_agent
        context = self.chat_ctx
        context.merge(agent.chat_ctx)
        await agent.update_chat_ctx(context)

    async def _open(self) -> None:
        """Somebody waits to hear this, whatever the agent greets with."""
        await picked_up(self.room, self.caller)
        await self.talk.hush()
        await self.say_and_listen(self.snapshot.opening, asks=self.snapshot.asks_whether_done)

    async def close(self) -> None:
        _attached.pop(self.ctx.job.id, None)
        await super().close()

    def _closed(self, event: CloseEvent) -> None:
        """Their code ended its conversation: then nobody talks to the caller any more."""
        self.session = None
        if self._leaving:
            return
        if self._joined:
            if not self._writers:
                self.run(self.leave("the two are joined"))
        elif event.reason in OVER:
            self.link.report(p.CallerSaidGoodbye())
        elif event.reason == CloseReason.ERROR:
            self.run(self.leave("the session failed: another job is to take over"))

    # ── whose agent talks ────────────────────────────────────────────────────────────────────────

    async def start_talking(self) -> None:
        """Their conversation is over, and a new one is theirs to begin. Raises RuntimeError."""
        self.run(self.leave("the caller is to be talked to again: another job is to take over"))
        raise RuntimeError("the session is closed")

    def silence(self, silent: bool) -> None:
        """Afterwards their flags are as they were."""
        if self.session is None or silent == self._silent:
            return
        if silent:
            self._flags = (self.session.input.audio_enabled, self.session.output.audio_enabled)
        self._silent = silent
        hears, speaks = (False, False) if silent else self._flags
        self.session.input.set_audio_enabled(hears)
        self.session.output.set_audio_enabled(speaks)

    async def introduce(self, body: p.Merge) -> None:
        """By the code that waits for this, or as the profile says."""
        self.silence(True)
        await self.talk.hush()
        self.session.output.set_audio_enabled(self._flags[1])
        waiting, self.waiting = self.waiting, None
        if waiting:
            waiting.joined(body.bridge_identity if body.strategy == "relay" else body.manager_identity)
        elif body.introduction:
            await self.talk.say(body.introduction)
            self.session.output.set_audio_enabled(False)

    async def stop_talking(self) -> None:
        """The session stays, and hears nothing: the manager may give the caller back."""

    async def nothing_to_do(self) -> None:
        """Their code may still say something; it leaves when its conversation is over."""
        if self.session is None:
            await super().nothing_to_do()

    async def resume(self, body: p.Resume) -> None:
        await super().resume(body)
        waiting, self.waiting = self.waiting, None
        if waiting:
            waiting.returned(body.outcome, body.words)

    def voice(self) -> tts.TTS[Any]:
        return self._models.tts or build_tts()

    def transcriber(self, identity: str, speaker: p.Speaker) -> Transcriber:
        theirs = self._models
        return Transcriber(
            self.room, identity, self.link, speaker=speaker, recogniser=theirs.stt, detector=theirs.vad
        )

    async def hold_player(self, plan: p.HoldPlan) -> HoldPlayer:
        player = await super().hold_player(plan)
        if is_given(self.hold_audio):
            player.music = await samples_of(self.hold_audio, hold_music.RATE)
        return player


async def _connected(room: rtc.Room) -> None:
    here = asyncio.Event()
    room.on("connection_state_changed", lambda _: here.set())
    while not room.isconnected():
        with suppress(TimeoutError):  # a connection that was there at once tells of no change
            await asyncio.wait_for(here.wait(), LOOK_SECONDS)
        here.clear()
