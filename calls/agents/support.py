"""The SupportAgent's job: talks with the caller, holds them, and after a merge only writes down, or leaves."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import uuid4

from livekit import rtc
from livekit.agents import Agent, StopResponse

from calls.agents import protocol as p
from calls.agents.audio import audio_track, voice_activity
from calls.agents.conversation import Conversation, new_session, room_options
from calls.agents.hold import HoldPlayer
from calls.agents.instructions import conversation, for_support
from calls.agents.job import Job, is_caller
from calls.agents.speech.knowledge import SupportKnowledge
from calls.agents.speech.models import Models, build_models, build_vad
from calls.agents.support_tools import support_tools
from calls.agents.transcriber import Transcriber

logger = logging.getLogger("patchbay.agents")

CONSOLE_SECONDS = 3.0  # without a console the agent talks all the same
CALLER_SECONDS = 60.0
KNOWN_WITHIN_SECONDS = 1.5
CALLER_BACK_SECONDS = 15.0  # who was cut off may come back; the console ends the call long before
DECIDED_WITHIN_SECONDS = 0.8  # a department that dials at once has decided within that
ASKING = "One moment please, I am asking whether a colleague can take your call."
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
        self._decided, self._known, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.link.serve(self.handle)
        caller = await self._caller()
        if caller is None:
            await self.leave("no caller came")
            return
        self.caller = caller
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("participant_disconnected", self._somebody_left)
        await self._tell_who_calls()
        self.knowledge = SupportKnowledge(
            profile=self.snapshot.profile,
            departments=self.snapshot.departments,
            facts=dict(self.snapshot.facts),
        )
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

    async def _caller(self) -> str | None:
        """The identity of the caller: known to the console, or the first who is none of ours."""
        known = self.snapshot.caller_identity
        if known and known in self.room.remote_participants:
            return known
        came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def joined(who: rtc.RemoteParticipant) -> None:
            if is_caller(who) and not came.done():
                came.set_result(who.identity)

        self.room.on("participant_connected", joined)
        for who in self.room.remote_participants.values():
            joined(who)
        try:
            return await asyncio.wait_for(came, CALLER_SECONDS)
        except TimeoutError:
            return None
        finally:
            self.room.off("participant_connected", joined)

    async def _tell_who_calls(self) -> None:
        """What the caller dialled decides for whom the agent speaks; its first word waits a moment for that."""
        who = self.room.remote_participants.get(self.caller)
        if who is None:
            return
        sip = who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        self.link.report(
            p.CallerHere(
                identity=who.identity,
                sid=who.sid,
                participant_kind="sip" if sip else "standard",
                attributes=dict(who.attributes),
            )
        )
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), KNOWN_WITHIN_SECONDS)

    async def _take_up(self) -> None:
        """Go on where the call is: a new job may come in the middle of it."""
        with_whom = self.snapshot.caller_with
        if with_whom == p.CallerWith.MANAGER:
            await self._only_write()
            return
        await self._start_session()
        if with_whom == p.CallerWith.HOLD:
            await self._hold(self.snapshot.hold or p.HoldPlan(line="", progress_line="Thank you for holding."))
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
        profile = self.snapshot.profile
        words = " ".join((profile.greeting, *profile.disclosure)) if self.snapshot.greet else BACK_AGAIN
        await self.talk.say(words, interruptible=True)

    # ── what the model may do ────────────────────────────────────────────────────────────────────

    async def record_fact(self, key: str, value: str) -> str:
        self.knowledge.facts[key] = value
        self.link.report(p.FactLearned(key=key, value=value))
        return "Noted. Go on with the conversation."

    async def request_transfer(self, reason: str, department: str, person: str | None, briefing: str) -> str:
        request = p.TransferRequested(
            request_id=uuid4(), reason=reason, department=department, person=person, briefing=briefing
        )
        self._decided.clear()
        self.link.report(request)
        try:  # a hold, and a refusal, say lines of their own, and then this one is not needed
            await asyncio.wait_for(self._decided.wait(), DECIDED_WITHIN_SECONDS)
        except TimeoutError:
            return ASKING
        raise StopResponse

    async def say_goodbye(self) -> None:
        handle = self.session.say(GOODBYE, allow_interruptions=False)
        handle.add_done_callback(lambda _: self.link.report(p.CallerSaidGoodbye()))
        raise StopResponse

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
                await self.talk.say(body.text, interruptible=body.interruptible)
            case p.Coach():
                await self._coach(body.text)
            case p.Hear():
                await self._hear(body.text)
            case p.End() | p.Leave():
                await self._end(body.words)
            case _:
                raise ValueError(f"a support job cannot {body.kind}")

    async def _hold(self, plan: p.HoldPlan) -> None:
        """One line to its end; then nothing of the caller is heard and nothing but music is played."""
        if self.player:
            return
        self._decided.set()
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
        self._silence(False)
        self.session.clear_user_turn()
        if body.outcome:
            await self._tell_model(f"The transfer ended: {body.outcome}. You are with the caller again.")
        await self.talk.say(body.words)  # to its end: who is back must hear why

    async def _merged(self, body: p.Merge) -> None:
        """The bridge carries already: introduce them if the profile says so, then fall silent for good."""
        await self._music_off()
        if body.introduction:
            self.session.output.set_audio_enabled(True)
            await self.talk.say(body.introduction)
        if not body.transcribe:
            await self.leave("the two are joined")
            return
        await self.session.aclose()
        self.session = None
        manager = body.bridge_identity if body.strategy == "relay" else body.manager_identity
        self._write_down(manager)

    async def _only_write(self) -> None:
        transfer = self.snapshot.transfer
        if not self.snapshot.profile.transcribe_after_merge or transfer is None:
            await self.leave("the caller is with a manager")
            return
        names = (f"bridge-{transfer.attempt_id}", f"manager-{transfer.attempt_id}")
        self._write_down(*names)

    def _write_down(self, *manager: str) -> None:
        self.link.report(p.AgentState(state="silent"))
        for identity in manager:
            self.run(Transcriber(self.room, identity, self.link, speaker=p.Speaker.MANAGER).run())
        self.run(Transcriber(self.room, self.caller, self.link, speaker=p.Speaker.CALLER).run())

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
        if event.participant is None or event.participant.identity != self.caller:
            return
        self.link.report(p.KeyPressed(identity=self.caller, digit=event.digit))
        if self.player and event.digit == "0":
            self.link.report(p.CallerWantsBack())

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
        if self.session:
            await self.session.aclose()
