"""The TransferAgent's job: waits for the answer, briefs, answers, takes the decision, becomes the line."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import Agent, StopResponse, llm

from calls.agents import protocol as p
from calls.agents.audio import audio_track
from calls.agents.conversation import Conversation, new_session, room_options
from calls.agents.speech.intent import manager_meaning
from calls.agents.speech.knowledge import ConsultKnowledge
from calls.agents.speech.models import build_models
from transfers.agents import lines
from transfers.agents.answer import AnswerGate, Verdict, is_greeting
from transfers.agents.bridge import Bridge
from transfers.agents.consult_tools import consult_tools
from transfers.agents.line import LineJob

logger = logging.getLogger("patchbay.agents")

BRIEFINGS = 3  # a briefing that is broken off twice is spoken to its end
RECOGNISED_WITHIN = 3.0
REASON_SECONDS = 6.0  # after key 2, and after key 5
ASK_AGAIN_AFTER = 0.4  # of the time to answer


class TransferAgent(Agent):
    """Hears every turn before the model does: a machine, a greeting and an awaited answer are not the model's."""

    def __init__(self, job: TransferJob, instructions: str) -> None:
        super().__init__(instructions=instructions, tools=consult_tools(job))
        self._job = job

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        if self._job.takes_turn(new_message.text_content or ""):
            # The framework writes down only turns that the model answers.
            self._job.write_down(new_message)
            raise StopResponse


class TransferJob(LineJob):
    snapshot: p.Snapshot
    transfer: p.TransferSnapshot
    session: Any = None
    talk: Conversation
    bridge: Bridge | None = None

    async def begin(self) -> None:
        self.gate = AnswerGate()
        self.decided = False
        self.briefed = False
        self._briefing = True  # opening and briefing are being spoken: what comes between begins them again
        self._briefings_left = BRIEFINGS
        self._awaited: asyncio.Future[str] | None = None  # a turn that answers our own question
        self._repeat = asyncio.Event()
        self._heard_something = asyncio.Event()
        self._answered = asyncio.Event()
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("participant_attributes_changed", lambda *_: self._look())
        self.room.on("participant_connected", lambda *_: self._look())
        self.room.on("track_subscribed", lambda *_: self._look())
        snapshot = await self.told()
        if snapshot is None or snapshot.transfer is None:
            await self.leave("the console does not know this attempt")
            return
        self.snapshot, self.transfer = snapshot, snapshot.transfer
        self.briefing = self.transfer.briefing
        self.link.serve(self.handle)
        self.run(self._consultation())
        self._look()

    def _look(self) -> None:
        """Answered: a phone's status says so (its track comes before), a browser's microphone is there."""
        who = self.room.remote_participants.get(self.manager)
        if who is None:
            return
        if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
            here = who.attributes.get("sip.callStatus") == "active"
        else:
            here = audio_track(self.room, self.manager) is not None
        if here:
            self._answered.set()

    # ── the consultation ─────────────────────────────────────────────────────────────────────────

    async def _consultation(self) -> None:
        await self._start_session()  # while it rings: the first word is not to wait for a model
        await self._answered.wait()
        self.link.report(p.SipStatus(identity=self.manager, status="active"))
        self.run(self._join_call_room())
        self.session.input.set_audio_enabled(True)
        self.link.report(p.BriefingStep(step="started"))
        await self.talk.say(lines.opening(self.transfer))
        await self._brief()
        await self._until_decided()

    async def _start_session(self) -> None:
        models = build_models(self._knowledge())
        self.session = new_session(models)
        self.talk = Conversation(
            self.session,
            self.link,
            speaker=p.Speaker.MANAGER,
            agent=p.Speaker.TRANSFER_AGENT,
            side="consultation",
        )
        self.talk.on_agent_said = self._agent_said
        await self.session.start(
            TransferAgent(self, lines.instructions(self.snapshot)),
            room=self.room,
            room_options=room_options(self.manager),
            session_host=False,
            record=False,
        )
        self.session.input.set_audio_enabled(False)  # early media is not the manager

    def _knowledge(self) -> ConsultKnowledge:
        return ConsultKnowledge(
            profile=self.snapshot.profile,
            transcript=self.snapshot.transcript,
            facts=dict(self.snapshot.facts),
            briefing=self.briefing,
            reason=self.transfer.reason,
            targets=self.transfer.redirect_targets,
        )

    async def _join_call_room(self) -> None:
        if not self.metadata.bridge_token:
            return
        bridge = self.new_bridge()
        await bridge.join()
        self.bridge = bridge

    async def _brief(self) -> None:
        """The briefing, then the question; from the beginning again if only a greeting came between."""
        self._briefing, self._briefings_left = True, BRIEFINGS
        try:
            while not await self._spoken_to_the_end():
                if self.decided or not await self._to_be_repeated():
                    return  # a question, which the model answers, and asks
        finally:
            self._briefing = False
        if not self.briefed:
            self.briefed = True
            self.link.report(p.BriefingStep(step="spoken"))
        await self._ask()

    async def _spoken_to_the_end(self) -> bool:
        self._repeat.clear()
        self._heard_something.clear()
        self._briefings_left -= 1
        return await self.talk.say(self.briefing, interruptible=self._briefings_left > 0)

    async def _to_be_repeated(self) -> bool:
        """What broke the briefing off is being recognised; a cough is nothing, and is followed by the briefing."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard_something.wait(), RECOGNISED_WITHIN)
            return self._repeat.is_set()
        return True

    async def _ask(self) -> None:
        if not self.decided:
            await self.talk.say(lines.QUESTION, interruptible=True)

    def _agent_said(self, text: str, interrupted: bool) -> None:
        """Whoever answered a question asks again at its end; the question that counts is the last one."""
        if interrupted or self.decided:
            return
        if lines.ASKS in text.lower():
            if self.gate.asked_at is None:
                self.link.report(p.BriefingStep(step="asked"))
            self.gate.asked(time.time())
        elif not self._briefing and self._awaited is None:
            self.run(self._ask())

    async def _until_decided(self) -> None:
        """Asks once more in a silence, and then calls it one."""
        limit = self.transfer.answer_timeout_s
        quiet_since, asked_again = time.monotonic(), False
        while not self.decided:
            await asyncio.sleep(0.25)
            if self.talk.speaking or self.session.agent_state != "listening" or self._awaited:
                quiet_since = time.monotonic()
                continue
            quiet = time.monotonic() - quiet_since
            if quiet > limit:
                self._decide(p.DecisionKind.SILENT, "timer")
            elif quiet > limit * ASK_AGAIN_AFTER and not asked_again:
                asked_again = True
                await self._ask()

    # ── turns and tools ──────────────────────────────────────────────────────────────────────────

    def takes_turn(self, text: str) -> bool:
        """Whether this turn is dealt with here and not by the model."""
        self._heard_something.set()
        if self.decided:
            return True
        if self._awaited and not self._awaited.done():
            self._awaited.set_result(text)
            return True
        meaning = manager_meaning(text, self.transfer.redirect_targets)
        if meaning.kind == "voicemail":
            self._decide(p.DecisionKind.VOICEMAIL, "voice")
            return True
        if self._briefing and (is_greeting(text) or meaning.kind in ("unclear", "accept")):
            self._repeat.set()  # nobody can agree to what they have not heard
            return True
        return False

    def write_down(self, message: llm.ChatMessage) -> None:
        self.talk.heard(message)

    async def accept(self) -> str:
        match self.gate.spoken_yes(*self.talk.last_turn):
            case Verdict.COUNTS:
                self._decide(p.DecisionKind.ACCEPT, "voice")
                raise StopResponse
            case Verdict.VOICEMAIL:
                self._decide(p.DecisionKind.VOICEMAIL, "voice")
                raise StopResponse
        return lines.QUESTION

    async def decline(self, reason: str) -> str:
        self._decide(p.DecisionKind.DECLINE, "voice", reason=reason)
        raise StopResponse

    async def redirect(self, department: str, person: str) -> str:
        self._decide(p.DecisionKind.REDIRECT, "voice", department=department, person=person)
        raise StopResponse

    async def repeat(self) -> str:
        return f"{self.briefing} {lines.QUESTION}"

    async def not_today(self) -> str:
        self._decide(p.DecisionKind.NOT_TODAY, "voice")
        raise StopResponse

    async def voicemail(self) -> str:
        self._decide(p.DecisionKind.VOICEMAIL, "voice")
        raise StopResponse

    def _decide(
        self, kind: p.DecisionKind, via: str, *, reason: str = "", department: str = "", person: str = ""
    ) -> None:
        """The first decision is told; from then on the console says what is next."""
        if self.decided:
            return
        self.decided = True
        self.link.report(
            p.ManagerDecision(
                decision=kind,
                via=via,  # type: ignore[arg-type]
                reason=reason[:300],
                redirect_department=department,
                redirect_person=person,
            )
        )
        self.session.input.set_audio_enabled(False)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────

    def _key(self, event: rtc.SipDTMF) -> None:
        if event.participant is None or event.participant.identity != self.manager or not self._answered.is_set():
            return
        self.link.report(p.KeyPressed(identity=self.manager, digit=event.digit))
        if not self.decided:
            self.run(self._pressed(event.digit))

    async def _pressed(self, digit: str) -> None:
        match digit:
            case "1":
                self._decide(p.DecisionKind.ACCEPT, "key")
            case "2":
                reason = await self._asked(lines.WHY)
                self._decide(p.DecisionKind.DECLINE, "key", reason=reason)
            case "3":
                await self.talk.hush()
                await self._brief()
            case "4":
                await self.talk.hush()
                self.session.generate_reply(user_input="Tell me more details, please.")
            case "5":
                await self._pressed_redirect()
            case "9":
                self._decide(p.DecisionKind.NOT_TODAY, "key")

    async def _pressed_redirect(self) -> None:
        said = await self._asked(lines.WHERE_TO)
        meaning = manager_meaning(f"ask {said}", self.transfer.redirect_targets)
        if meaning.kind == "redirect":
            self._decide(p.DecisionKind.REDIRECT, "key", department=meaning.department, person=meaning.person)
        else:
            await self.talk.say(lines.NOT_UNDERSTOOD, interruptible=True)

    async def _asked(self, question: str) -> str:
        """Ask, and wait a moment for a turn; empty if none comes."""
        await self.talk.hush()
        self._awaited = asyncio.get_running_loop().create_future()
        try:
            await self.talk.say(question, interruptible=True)
            return await asyncio.wait_for(self._awaited, REASON_SECONDS)
        except TimeoutError:
            return ""
        finally:
            self._awaited = None

    # ── what the console says ────────────────────────────────────────────────────────────────────

    async def handle(self, body: p.DirectiveBody) -> None:
        match body:
            case p.Brief():
                self.briefing = body.text
            case p.Merge():
                await self._merge(body)
            case p.Say():
                await self.talk.say(body.text, interruptible=body.interruptible)
            case p.Leave():
                await self._last_words(body.words)
            case _:
                raise ValueError(f"a transfer job cannot {body.kind}")

    async def _merge(self, body: p.Merge) -> None:
        """The line first: the agent's own end takes longer and is heard by nobody."""
        if body.strategy == "relay":
            if self.bridge is None:
                await self._join_call_room()
            if self.bridge is None:
                raise RuntimeError("there is no line to the caller's room")
            await self.join_up(self.bridge)
        self.decided = True
        await self.talk.hush()
        await self.session.aclose()
        self.session = None

    async def _last_words(self, words: str) -> None:
        self.decided = True
        if words and self.session and self._answered.is_set():
            await self.talk.hush()
            await self.talk.say(words)
        await self.leave("the consultation is over")

    async def close(self) -> None:
        if self.bridge:
            await self.bridge.close()
        if self.session:
            await self.session.aclose()
