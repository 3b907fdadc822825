"""The SupportAgent's job: talks with the caller, holds them, and after a merge only writes down, or leaves."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from livekit import rtc
from livekit.agents import Agent, StopResponse

from calls.agents import protocol as p
from calls.agents.audio import audio_track, voice_activity
from calls.agents.caller import caller_here, find_caller, picked_up
from calls.agents.conversation import Conversation, new_session, room_options
from calls.agents.hold import HoldPlayer
from calls.agents.instructions import conversation, for_support
from calls.agents.job import Job
from calls.agents.keys import StarKeys
from calls.agents.speech.knowledge import SupportKnowledge
from calls.agents.speech.models import Models, build_models, build_vad
from calls.agents.support_tools import support_tools
from calls.agents.transcriber import Transcriber

logger = logging.getLogger("patchbay.agents")

CONSOLE_SECONDS = 3.0  # without a console the agent talks all the same
CALLER_SECONDS = 60.0
KNOWN_WITHIN_SECONDS = 1.5
SILENCE_SECONDS = 8.0  # after the question whether there is anything else
ANSWERED_WITHIN_SECONDS = 5.0
CALLER_BACK_SECONDS = 15.0  # who was cut off may come back; the console ends the call long before
DECIDED_WITHIN_SECONDS = 0.8  # a department that dials at once has decided within that
ASKING = "One moment please, I am asking whether a colleague can take your call."
PROGRESS = "Thank you for holding."
NOT_NOTED = "I am sorry, I could not note that down just now. Please ask me again in a moment."
GOODBYE = "Thank you for calling. Goodbye."
BACK_AGAIN = "I am sorry, I was gone for a moment. How can I help you?"


class SupportJob(Job):
    session: Any = None
    player: HoldPlayer | None = None
    talk: Conversation
    models: Models
    _ears: asyncio.Task[Any] | None = None

    async def begin(self) -> None:
        self.snapshot = await self._snapshot()
        self._answers: dict[UUID, asyncio.Future[str]] = {}
        self._writers: list[asyncio.Task[Any]] = []
        self._stars = StarKeys()
        self._decided, self._known, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.link.serve(self.handle)
        caller = await find_caller(self.room, self.snapshot.caller_identity, within_s=CALLER_SECONDS)
        if caller is None:
            await self.leave("no caller came")
            return
        self.caller = caller
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("participant_disconnected", self._somebody_left)
        await self._tell_who_calls()
        self._knows(self.snapshot)
        await self._take_up()
        self._ready.set()

    async def _snapshot(self) -> p.Snapshot:
        """What the console knows of the call; a console that is away is told later."""
        try:
            return await asyncio.wait_for(asyncio.shield(self.link.snapshot), CONSOLE_SECONDS)
        except TimeoutError:
            return p.Snapshot(
                call_id=uuid4(),
                room=self.room.name,
                profile=p.Profile(greeting="Hello, you are talking to an AI. How can I help?"),
            )

    async def _tell_who_calls(self) -> None:
        """The first word waits a moment for what the console makes of it."""
        here = caller_here(self.room, self.caller)
        if here is None:
            return
        self.link.report(here)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), KNOWN_WITHIN_SECONDS)

    def _knows(self, snapshot: p.Snapshot) -> None:
        self.snapshot = snapshot
        self.knowledge = SupportKnowledge(
            profile=snapshot.profile,
            departments=snapshot.departments,
            facts=dict(snapshot.facts),
            caller_last4=snapshot.caller_last4,
            offers_callback=snapshot.offers_callback,
            may_refer=snapshot.may_refer,
        )

    async def _take_up(self) -> None:
        """Go on where the call is: a new job may come in the middle of it."""
        with_whom = self.snapshot.caller_with
        if with_whom == p.CallerWith.MANAGER:
            await self._only_write()
            return
        await self._start_session()
        if with_whom == p.CallerWith.HOLD:
            await self._hold(self.snapshot.hold or p.HoldPlan(line="", progress_line=PROGRESS))
        elif with_whom == p.CallerWith.AI:
            self.run(self._first_words())
        else:
            self._silence(True)

    async def _start_session(self) -> None:
        self.models = build_models(self.knowledge)
        self.session = new_session(self.models)
        self.talk = Conversation(
            self.session, self.link, speaker=p.Speaker.CALLER, agent=p.Speaker.AI, side="call"
        )
        agent = Agent(
            instructions=for_support(self.snapshot),
            chat_ctx=conversation(self.snapshot.transcript),
            tools=support_tools(self.snapshot, self),
        )
        await self.session.start(
            agent, room=self.room, room_options=room_options(self.caller), session_host=False, record=False
        )

    async def _first_words(self) -> None:
        await picked_up(self.room, self.caller)
        profile = self.snapshot.profile
        if self.snapshot.opening:
            await self._say_and_listen(self.snapshot.opening, asks=self.snapshot.asks_whether_done)
            return
        words = " ".join((profile.greeting, *profile.disclosure)) if self.snapshot.greet else BACK_AGAIN
        await self.talk.say(words, interruptible=True)

    async def _say_and_listen(self, words: str, *, asks: bool) -> None:
        """To its end, for they must hear it. `asks` whether there is anything else: silence then ends the call."""
        await self.talk.say(words)
        if asks:
            self.run(self._goodbye_in_silence())

    async def _goodbye_in_silence(self) -> None:
        """Whoever says something is answered, and it is their conversation again."""
        asked_at, quiet_since = time.time(), time.monotonic()
        while time.monotonic() - quiet_since < SILENCE_SECONDS:
            await asyncio.sleep(0.2)
            if self.session is None or self.player or self.talk.last_turn[0] > asked_at:
                return
            if self.talk.speaking or self.session.agent_state != "listening":
                quiet_since = time.monotonic()
        self._goodbye()

    # ── what the model may do ────────────────────────────────────────────────────────────────────

    async def record_fact(self, key: str, value: str) -> str:
        self.knowledge.facts[key] = value
        self.link.report(p.FactLearned(key=key, value=value))
        return "Noted. Go on with the conversation."

    async def request_transfer(
        self, reason: str, department: str, person: str | None, briefing: str, *, cold: bool = False
    ) -> str:
        request = p.TransferRequested(
            request_id=uuid4(), reason=reason, department=department, person=person, briefing=briefing, cold=cold
        )
        self._decided.clear()
        self.link.report(request)
        try:  # a hold, and a refusal, say lines of their own, and then this one is not needed
            await asyncio.wait_for(self._decided.wait(), DECIDED_WITHIN_SECONDS)
        except TimeoutError:
            return ASKING
        raise StopResponse

    async def request_callback(self, number: str, preferred: str) -> str:
        """What the console makes of it is what the caller is told: nothing is promised before."""
        request = p.CallbackRequested(request_id=uuid4(), number=number[:40], preferred=preferred[:120])
        answer = self._answers[request.request_id] = asyncio.get_running_loop().create_future()
        self.link.report(request)
        try:
            return await asyncio.wait_for(answer, ANSWERED_WITHIN_SECONDS)
        except TimeoutError:
            return NOT_NOTED
        finally:
            del self._answers[request.request_id]

    async def say_goodbye(self) -> None:
        self._goodbye()
        raise StopResponse

    def _goodbye(self) -> None:
        handle = self.session.say(GOODBYE, allow_interruptions=False)
        handle.add_done_callback(lambda _: self.link.report(p.CallerSaidGoodbye()))

    # ── what the console says ────────────────────────────────────────────────────────────────────

    async def handle(self, body: p.DirectiveBody) -> None:
        if isinstance(body, p.Know):
            if not self._ready.is_set():
                self.snapshot = body.snapshot
            self._known.set()
            return
        await self._ready.wait()
        match body:
            case p.Hold():
                await self._hold(body.plan)
            case p.Resume():
                await self._resume(body)
            case p.Merge():
                await self._merged(body)
            case p.Say():
                await self._say(body)
            case p.Answer():
                self._answered(body)
            case p.Coach():
                await self._coach(body.text)
            case p.Hear():
                await self._hear(body.text)
            case p.End() | p.Leave():
                await self._end(body.words)
            case _:
                raise ValueError(f"a support job cannot {body.kind}")

    async def _say(self, body: p.Say) -> None:
        """A line of the console's; what the AI was saying gives way if the line must be heard."""
        if self.session is None:
            return
        self._decided.set()
        if not body.interruptible:
            await self.talk.hush()
        await self.talk.say(body.text, interruptible=body.interruptible)

    def _answered(self, body: p.Answer) -> None:
        waiting = self._answers.get(body.request_id)
        if waiting and not waiting.done():
            waiting.set_result(body.words)

    async def _hold(self, plan: p.HoldPlan) -> None:
        """One line to its end; then nothing of the caller is heard and nothing but music is played."""
        if self.player:
            self.player.progress_line = plan.progress_line
            return
        self._decided.set()
        self._stop_writing()
        if self.session is None:  # a joined caller is held: nobody talks to them
            self.models = build_models(self.knowledge)
        else:
            await self.talk.hush()
            await self.talk.say(plan.line)
            self._silence(True)
            self.talk.turn_began = None
        self.player = HoldPlayer(
            self.room, self.models.tts, plan, lambda count: self.link.report(p.HoldProgress(count=count))
        )
        await self.player.start()
        self.link.report(p.AgentState(state="holding"))
        self._ears = self.run(self._watch_caller())

    def _silence(self, silent: bool) -> None:
        self.session.input.set_audio_enabled(not silent)
        self.session.output.set_audio_enabled(not silent)

    async def _watch_caller(self) -> None:
        """Whether the caller speaks on hold: shown, heard by nobody, written down nowhere."""
        track = audio_track(self.room, self.caller)
        if track:
            tell = lambda active: self.link.report(p.Speaking(speaker=p.Speaker.CALLER, active=active))  # noqa: E731
            await voice_activity(track, build_vad(), tell)

    async def _music_off(self) -> None:
        if self._ears:
            self._ears.cancel()
            self._ears = None
        player, self.player = self.player, None
        if player:
            await player.stop()

    async def _resume(self, body: p.Resume) -> None:
        await self._music_off()
        self._decided.set()
        if body.snapshot:
            self._stop_writing()
            self._knows(body.snapshot)
        if self.session is None:
            await self._start_session()
        self._silence(False)
        self.session.clear_user_turn()
        if body.outcome:
            await self._tell_model(f"The transfer ended: {body.outcome}. You are with the caller again.")
        await self._say_and_listen(body.words, asks=body.asks_whether_done)

    async def _merged(self, body: p.Merge) -> None:
        """The bridge carries already: introduce them if the profile says so, then fall silent for good."""
        await self._music_off()
        session, self.session = self.session, None
        if session:
            with suppress(RuntimeError):
                session.input.set_audio_enabled(False)
            await self._introduce(session, body.introduction)
            await session.aclose()
        if not body.transcribe:
            await self.leave("the two are joined")
            return
        manager = body.bridge_identity if body.strategy == "relay" else body.manager_identity
        self._write_down(manager)

    async def _introduce(self, session: Any, words: str) -> None:
        """Whatever was being said to a caller who waited with the AI is broken off."""
        await self.talk.hush()
        if words:
            session.output.set_audio_enabled(True)
            await self.talk.say(words)

    async def _only_write(self) -> None:
        transfer = self.snapshot.transfer
        if not self.snapshot.profile.transcribe_after_merge or transfer is None:
            await self.leave("the caller is with a manager")
            return
        names = (f"bridge-{transfer.attempt_id}", f"manager-{transfer.attempt_id}")
        self._write_down(*names)

    def _write_down(self, *manager: str) -> None:
        self.link.report(p.AgentState(state="silent"))
        self._stop_writing()
        people = [(identity, p.Speaker.MANAGER) for identity in manager] + [(self.caller, p.Speaker.CALLER)]
        self._writers = [
            self.run(Transcriber(self.room, identity, self.link, speaker=speaker).run())
            for identity, speaker in people
        ]

    def _stop_writing(self) -> None:
        for writer in self._writers:
            writer.cancel()
        self._writers = []

    async def _coach(self, text: str) -> None:
        await self._tell_model(f"Your supervisor says, for you alone, never to be read out: {text}")

    async def _tell_model(self, text: str) -> None:
        agent = self.session.current_agent
        context = agent.chat_ctx.copy()
        context.add_message(role="system", content=text)
        await agent.update_chat_ctx(context)

    async def _hear(self, text: str) -> None:
        """Returns when the answer has begun: what is typed next may interrupt it."""
        await self.talk.hush()
        self.session.generate_reply(user_input=text)

    async def _end(self, words: str) -> None:
        if self.session and words:
            await self.talk.hush()
            await self.talk.say(words)
        await self.leave("the call is ended")

    # ── the room ─────────────────────────────────────────────────────────────────────────────────

    def _key(self, event: rtc.SipDTMF) -> None:
        if event.participant is None:
            return
        if event.participant.identity.startswith("manager-"):  # joined in this room, without a bridge
            self._manager_key(event.digit)
            return
        if event.participant.identity != self.caller:
            return
        self.link.report(p.KeyPressed(identity=self.caller, digit=event.digit))
        if self.player and event.digit == "0":
            self.link.report(p.CallerWantsBack())

    def _manager_key(self, digit: str) -> None:
        meant = self._stars.pressed(digit)
        if meant:
            self.link.report(meant)

    def _somebody_left(self, who: rtc.RemoteParticipant) -> None:
        if who.identity == self.caller:
            self.run(self._leave_unless_back())

    async def _leave_unless_back(self) -> None:
        """For the case that the console is away; otherwise it ends the call at once."""
        await asyncio.sleep(CALLER_BACK_SECONDS)
        if self.caller not in self.room.remote_participants:
            await self.leave("the caller has gone")

    async def close(self) -> None:
        await self._music_off()
        self._stop_writing()
        if self.session:
            await self.session.aclose()
