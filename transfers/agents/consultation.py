"""The consultation: the briefing, the manager's questions, and the one decision, by voice or by key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from livekit import rtc
from livekit.agents import Agent, StopResponse, llm

from calls.agents import protocol as p
from calls.agents.conversation import Conversation, new_session, room_options
from calls.agents.link import AgentLink
from calls.agents.speech.intent import manager_meaning
from calls.agents.speech.knowledge import ConsultKnowledge
from calls.agents.speech.models import build_models
from transfers.agents import lines
from transfers.agents.answer import AnswerGate, InAdvance, Verdict, is_greeting
from transfers.agents.consult_tools import consult_tools

BRIEFINGS = 3  # a briefing that is broken off twice is spoken to its end
RECOGNISED_WITHIN = 3.0
REASON_SECONDS = 6.0  # after key 2, and after key 5
HELLO_SECONDS = 12.0  # for a hello of whoever has accepted on screen
ASK_AGAIN_AFTER = 0.4  # of the time to answer
Via = Literal["voice", "key", "screen", "timer"]


class TransferAgent(Agent):
    """Hears every turn before the model does: a machine, a greeting and an awaited answer are not the model's."""

    def __init__(self, consultation: Consultation, instructions: str) -> None:
        super().__init__(instructions=instructions, tools=consult_tools(consultation))
        self._consultation = consultation

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        turn = self._consultation.talk.turn_of(new_message)
        if self._consultation.takes_turn(new_message.text_content or "", turn):
            # The framework tells only of turns that the model answers.
            self._consultation.talk.heard(new_message)
            raise StopResponse


class Consultation:
    """One manager on one line. `run` starts a task of the job; the decision is told over the link, once."""

    talk: Conversation

    def __init__(
        self, snapshot: p.Snapshot, link: AgentLink, *, manager: str, run: Callable[[Any], asyncio.Task[Any]]
    ) -> None:
        assert snapshot.transfer is not None
        self.snapshot, self.transfer = snapshot, snapshot.transfer
        self.briefing = self.transfer.briefing
        self.decided = self.briefed = False
        self.session: Any = None
        self._link, self._manager, self._run = link, manager, run
        self._gate = AnswerGate()
        self._in_advance = InAdvance()
        self._in_advance.accepted = self.transfer.accepted_on_screen
        self._prepared = asyncio.Event()
        self._on_line = False  # nothing is heard or said before
        self._by_phone = True
        self._typed = False  # the model answers what was not spoken
        self._briefing = True  # opening and briefing are being spoken: what comes between begins them again
        self._briefings_left = BRIEFINGS
        self._awaited: asyncio.Future[str] | None = None  # a turn that answers our own question
        self._repeat, self._heard_something = asyncio.Event(), asyncio.Event()

    # ── from ringing to the decision ─────────────────────────────────────────────────────────────

    async def prepare(self, room: rtc.Room) -> None:
        """While it rings: the first word is not to wait for a model. Early media is not the manager."""
        models = build_models(self._knowledge())
        self.session = new_session(models)
        self.talk = Conversation(
            self.session,
            self._link,
            speaker=p.Speaker.MANAGER,
            agent=p.Speaker.TRANSFER_AGENT,
            side="consultation",
        )
        self.talk.on_agent_said = self._agent_said
        await self.session.start(
            TransferAgent(self, lines.instructions(self.snapshot)),
            room=room,
            room_options=room_options(self._manager),
            session_host=False,
            record=False,
        )
        self.session.input.set_audio_enabled(False)
        self._prepared.set()

    def _knowledge(self) -> ConsultKnowledge:
        return ConsultKnowledge(
            profile=self.snapshot.profile,
            transcript=self.snapshot.transcript,
            facts=dict(self.snapshot.facts),
            briefing=self.briefing,
            reason=self.transfer.reason,
            targets=self.transfer.redirect_targets,
        )

    async def hold(self, *, by_phone: bool = True) -> None:
        """From the answer until there is a decision. In a browser nobody but the manager answers."""
        self._by_phone, self._on_line = by_phone, True
        self.session.output.set_audio_enabled(True)
        if self._in_advance.accepted and not by_phone:
            self._decide(p.DecisionKind.ACCEPT, "screen")
        if self.decided:
            return
        self.session.input.set_audio_enabled(True)
        if self._in_advance.accepted:
            await self._say_hello(f"{lines.opening(self.transfer)} ")
        else:
            self._link.report(p.BriefingStep(step="started"))
            await self._brief(f"{lines.opening(self.transfer)} ")
        await self._until_decided()

    # ── accepted on screen ───────────────────────────────────────────────────────────────────────

    async def accepted(self) -> None:
        """They know what it is about: on the line, a word from them is enough."""
        self._in_advance.accepted = True
        if not self._on_line or self.decided:
            return
        if self._in_advance.counts or not self._by_phone:
            self._decide(p.DecisionKind.ACCEPT, "screen")
            return
        await self.talk.hush()
        await self._say_hello()

    async def _say_hello(self, opening: str = "") -> None:
        """Our first line, then a while for theirs; whoever does not come is no person."""
        said = await self.talk.say(opening + lines.SAY_HELLO, interruptible=False)
        if said:
            self._in_advance.first_line_ended(time.time())
        self._run(self._silence_is_a_machine())

    async def _silence_is_a_machine(self) -> None:
        quiet_since = time.monotonic()
        while not self.decided and time.monotonic() - quiet_since < HELLO_SECONDS:
            await asyncio.sleep(0.25)
            if self.session is None:
                return
            if self.talk.speaking:
                quiet_since = time.monotonic()
        self._decide(p.DecisionKind.VOICEMAIL, "timer")

    def _takes_hello(self, kind: str, worth: Verdict) -> bool:
        """A turn of somebody who has accepted. A no is still a no, and the model's to hear."""
        if kind in ("decline", "not_today", "redirect"):
            return False
        match worth:
            case Verdict.COUNTS:
                self._decide(p.DecisionKind.ACCEPT, "screen")
            case Verdict.VOICEMAIL:
                self._decide(p.DecisionKind.VOICEMAIL, "voice")
        return True

    async def asked(self, text: str) -> None:
        """A typed question. Before they are on the line it is answered in writing: nobody may hear it yet."""
        await self._prepared.wait()
        if self.decided or self.session is None:
            return
        if self._on_line:
            await self.talk.hush()
        else:
            self.session.output.set_audio_enabled(False)
        self._typed = True
        try:
            await self.session.generate_reply(user_input=text)
        finally:
            self._typed = False

    async def _brief(self, opening: str = "") -> None:
        """The briefing, then the question; from the beginning again if only a greeting came between.

        The opening is part of it, not a line of its own: a machine that talks over it must be heard.
        """
        self._briefing, self._briefings_left = True, BRIEFINGS
        try:
            while not await self._spoken_to_the_end(opening):
                if self._knows or not await self._to_be_repeated() or self._knows:
                    return  # a question, which the model answers, and asks
        finally:
            self._briefing = False
        self._in_advance.first_line_ended(time.time())
        if not self.briefed:
            self.briefed = True
            self._link.report(p.BriefingStep(step="spoken"))
        await self._ask()

    async def _spoken_to_the_end(self, opening: str) -> bool:
        self._repeat.clear()
        self._heard_something.clear()
        self._briefings_left -= 1
        return await self.talk.say(opening + self.briefing, interruptible=self._briefings_left > 0)

    async def _to_be_repeated(self) -> bool:
        """What broke the briefing off is being recognised; a cough is nothing, and is followed by the briefing."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard_something.wait(), RECOGNISED_WITHIN)
            return self._repeat.is_set()
        return True

    @property
    def _knows(self) -> bool:
        """There is nothing to tell or ask them any more."""
        return self.decided or self._in_advance.accepted

    async def _ask(self) -> None:
        if not self._knows:
            await self.talk.say(lines.QUESTION, interruptible=True)

    def _agent_said(self, text: str, interrupted: bool) -> None:
        """Whoever answered a question asks again at its end; the question that counts is the last one."""
        if interrupted or self.decided:
            return
        if lines.ASKS in text.lower():
            if self._gate.asked_at is None:
                self._link.report(p.BriefingStep(step="asked"))
            self._gate.asked(time.time())
        elif not self._briefing and self._awaited is None:
            self._run(self._ask())

    async def _until_decided(self) -> None:
        """Asks once more in a silence, and then calls it one."""
        limit = self.transfer.answer_timeout_s
        quiet_since, asked_again = time.monotonic(), False
        while not self.decided:
            await asyncio.sleep(0.25)
            if self.session is None:  # closed meanwhile
                return
            if self.talk.speaking or self.session.agent_state != "listening" or self._awaited:
                quiet_since = time.monotonic()
                continue
            quiet = time.monotonic() - quiet_since
            if quiet > limit:
                self._decide(p.DecisionKind.SILENT, "timer")
            elif quiet > limit * ASK_AGAIN_AFTER and not asked_again:
                asked_again = True
                await self._ask()

    # ── turns, and what the model may do ─────────────────────────────────────────────────────────

    def takes_turn(self, text: str, turn: tuple[float, float]) -> bool:
        """Whether this turn is dealt with here and not by the model; `turn`: began and ended, in epoch seconds."""
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
        worth = self._in_advance.turn(*turn)
        if self._in_advance.accepted:
            return self._takes_hello(meaning.kind, worth)
        if self._briefing and (is_greeting(text) or meaning.kind in ("unclear", "accept")):
            self._repeat.set()  # nobody can agree to what they have not heard
            return True
        return False

    async def accept(self) -> str:
        if self._typed:  # as good as a click, and no better: nobody has been heard
            self._run(self.accepted())
            raise StopResponse
        match self._gate.spoken_yes(*self.talk.last_turn):
            case Verdict.COUNTS:
                self._settle(p.DecisionKind.ACCEPT)
            case Verdict.VOICEMAIL:
                self._settle(p.DecisionKind.VOICEMAIL)
        return lines.QUESTION

    def _lesson(self, key: str) -> str:
        """In a rehearsal with a manager: what to say instead of doing it; else empty."""
        return lines.LESSONS.get(key, "") if self.transfer.practice else ""

    async def decline(self, reason: str) -> str:
        if lesson := self._lesson("2"):
            return lesson
        self._settle(p.DecisionKind.DECLINE, reason=reason)
        return ""

    async def redirect(self, department: str, person: str) -> str:
        if lesson := self._lesson("5"):
            return lesson
        self._settle(p.DecisionKind.REDIRECT, department=department, person=person)
        return ""

    async def repeat(self) -> str:
        return f"{self.briefing} {lines.QUESTION}"

    async def not_today(self) -> str:
        if lesson := self._lesson("9"):
            return lesson
        self._settle(p.DecisionKind.NOT_TODAY)
        return ""

    async def voicemail(self) -> str:
        self._settle(p.DecisionKind.VOICEMAIL)
        return ""

    def _settle(self, kind: p.DecisionKind, **what: str) -> None:
        """By voice: the model has nothing more to say."""
        self._decide(kind, "voice", **what)
        raise StopResponse

    def _decide(
        self, kind: p.DecisionKind, via: Via, *, reason: str = "", department: str = "", person: str = ""
    ) -> None:
        """The first decision is told; from then on the console says what is next."""
        if self.decided:
            return
        self.decided = True
        self._link.report(
            p.ManagerDecision(
                decision=kind,
                via=via,
                reason=reason[:300],
                redirect_department=department,
                redirect_person=person,
            )
        )
        if self.session:  # a key may be faster than the models
            self.session.input.set_audio_enabled(False)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────

    async def pressed(self, digit: str) -> None:
        if self.decided:
            return
        if lesson := self._lesson(digit):
            await self.talk.hush()
            await self.talk.say(lesson, interruptible=True)
            return
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

    # ── its end ──────────────────────────────────────────────────────────────────────────────────

    async def last_words(self, words: str) -> None:
        self.decided = True
        await self.talk.hush()
        await self.talk.say(words)

    async def close(self) -> None:
        """Silent for good; a second close changes nothing."""
        self.decided = True
        session, self.session = self.session, None
        if session:
            with suppress(RuntimeError):
                session.interrupt(force=True)
            await session.aclose()
