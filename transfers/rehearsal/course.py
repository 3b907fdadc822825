"""The course of a rehearsal: the caller talks to the AI, is escalated, and meets the manager or is back.

Nothing is judged here: `takes` keeps what was said, heard and when. What does not come in time raises Stuck.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from calls.agents.protocol import Speaker
from calls.telephony import tokens
from transfers.rehearsal import facts, ways, words
from transfers.rehearsal.carrier import Carrier
from transfers.rehearsal.errors import CannotRehearse, Stuck
from transfers.rehearsal.facts import Seen
from transfers.rehearsal.house import ACTOR, House
from transfers.rehearsal.parties import Someone, Stage
from transfers.rehearsal.scenarios import Break, Scenario
from transfers.rehearsal.takes import Takes
from transfers.rehearsal.tones import CALLER_HZ
from transfers.rehearsal.watch import Say, Watch
from transfers.requests import request_transfer
from transfers.states import TransferState

CALLER_NAME = "Anna Miller"
PROBLEM = f"Hello, my name is {CALLER_NAME}. I was charged twice for one order."
QUESTION = "What are your opening hours?"
REASON = "Was charged twice for one order and asks for a person."
PERSON = "I would like to talk to a person, please."
CONFIRMED = "Yes, please."
ASKED_WITHIN_S = 15.0  # the agent's answer, and its tool
MOST_TURNS = 4
HOLD_WORDS = 3
WRITTEN_WITHIN_S = 8.0  # what the AI said is in the transcript; a busy machine is slow
AFTER_INTRODUCTION_S = 1.6
TAIL_S = 1.0  # the last word is under way for so long
PROBLEMS = (Stuck, CannotRehearse, TimeoutError)  # what a run that has begun reports instead of ending


@dataclass(frozen=True)
class Setting:
    scenario: Scenario
    house: House
    broken: Break | None
    carrier: Carrier | None  # None: a real phone
    agent: str = ""  # somebody's own; empty: ours


class Course:
    """`say(at, text)` is told what happens, as it happens."""

    def __init__(self, setting: Setting, stage: Stage, say: Say) -> None:
        self.setting, self.stage, self.say = setting, stage, say
        self.takes = Takes(real_phone=setting.carrier is None)
        self.marks = self.takes.marks
        self.watch = Watch(self.marks, setting.scenario, setting.carrier, say)
        self._call_id: UUID | None = None
        self._caller: Someone | None = None
        self._intruder: Someone | None = None
        self._way_gone = False

    def run(self) -> Takes:
        """From ring to hang-up; whatever goes wrong between them is in `stuck`."""
        try:
            self._ring()
            self._talk()
            self._escalate()
            self._follow()
            if self.marks.merged:
                self._joined()
            elif self.caller.connected:
                self.back_with_ai()
        except PROBLEMS as problem:
            self._stuck(problem)
        finally:
            self._hang_up()
        return self.takes

    def _stuck(self, problem: Exception) -> None:
        words_of_it = str(problem) or "A participant of the rehearsal did not do what it was told in time"
        self.takes.stuck.append(f"{words_of_it.rstrip('.')}.")

    @property
    def caller(self) -> Someone:
        assert self._caller is not None
        return self._caller

    @property
    def call_id(self) -> UUID:
        assert self._call_id is not None
        return self._call_id

    # ── with the AI ──────────────────────────────────────────────────────────────────────────────

    def _ring(self) -> None:
        where = self.setting.house.department.name
        ticket = tokens.browser_caller(department=where, rehearsal=True, agent_name=self.setting.agent)
        self._caller = self.stage.enter(ticket.token, tone_hz=CALLER_HZ)
        self.watch.mark("joined", time.time())
        self.say(time.time(), "the caller is on the line")
        call = facts.call_of_room(ticket.room, 15)
        self._call_id, self.takes.call = call.pk, str(call.pk)
        assert self.marks.joined
        greeted = self.caller.hear_something(self.marks.joined, 25, "The AI does not greet the caller")
        self.watch.mark("greeted", greeted)
        self.say(greeted, "the AI greets")
        self.caller.hear_out(greeted)

    def _talk(self) -> None:
        """The problem, then (in some scenarios) an answer to each question of the AI."""
        number = "".join(secrets.choice("12345689") for _ in range(4))
        self.takes.account_number = number
        line = PROBLEM
        tells_all = self.setting.scenario.tells_all and self.setting.broken is None
        for _ in range(MOST_TURNS if tells_all else 1):
            asked = self._turn(line, "The AI does not answer the caller")
            if "account number" in asked:
                line = f"It is {', '.join(number)}."
            elif "name" in asked and "?" in asked:
                line = f"My name is {CALLER_NAME}."
            else:
                return

    def _turn(self, line: str, without: str) -> str:
        """The caller says something and hears the AI out; what the AI said."""
        began, ended = self.caller.say(line)
        answer = self.caller.hear_something(ended, 15, without)
        self.caller.hear_out(answer)
        said = ""
        with suppress(
            Stuck
        ):  # words heard before they are written down; a quick answer begins before we know the end
            facts.until(lambda: bool(facts.last_said_by_ai(self.call_id, began)), WRITTEN_WITHIN_S, "")
            said = facts.last_said_by_ai(self.call_id, began)
        return said

    # ── the transfer ─────────────────────────────────────────────────────────────────────────────

    def _ask_for_a_person(self) -> None:
        """Somebody's own agent: it decides what it makes of this, and may ask whether that is what they want."""
        line = PERSON
        self.say(time.time(), "the caller asks for a person")
        for _ in range(MOST_TURNS):
            self.caller.say(line)
            with suppress(Stuck):
                facts.until(lambda: facts.look(self.call_id).transfer is not None, ASKED_WITHIN_S, "")
            transfer = facts.look(self.call_id).transfer
            if transfer:
                self.watch.mark("clicked", transfer.requested_at.timestamp())
                return
            line = CONFIRMED
        raise Stuck("The caller asked for a person, and the agent asks for none")

    def _escalate(self) -> None:
        if self.setting.agent:
            self._ask_for_a_person()
            return
        house = self.setting.house
        if prepare := ways.BEFORE.get(self.setting.scenario.way):
            prepare(self)
        self.watch.mark("clicked", time.time())
        self.say(time.time(), "a person is asked for")
        with transaction.atomic():
            transfer = request_transfer(
                call_id=self.call_id,
                key=uuid4(),
                reason=REASON,
                department=house.department,
                person=None if self.setting.scenario.second else house.manager,
                actor=ACTOR,
            )
            if decide := ways.DECIDED.get(self.setting.scenario.way):
                decide(self, transfer)

    def _follow(self) -> None:
        """Until the two are joined, or the transfer has ended."""
        while True:
            seen = facts.look(self.call_id)
            self.watch.note(seen)
            transfer = seen.transfer
            assert transfer is not None
            if transfer.state in (TransferState.MERGED, TransferState.COMPLETED) or not transfer.is_open:
                return
            self._meanwhile(seen)
            self.watch.limit(seen)
            time.sleep(facts.EVERY_S)

    def _meanwhile(self, seen: Seen) -> None:
        """What the caller, a supervisor or the fault does until it is decided."""
        if (way := ways.MEANWHILE.get(self.setting.scenario.way)) and not self._way_gone:
            self._way_gone = way(self, seen)
        if not self.takes.said_on_hold and not seen.decision and self._on_hold_for_good(seen):
            self.takes.said_on_hold = words.draw(HOLD_WORDS)
            self.caller.start_saying(words.sentence(self.takes.said_on_hold))
        if self.setting.broken == Break.LEAK and self.marks.answered and seen.attempt and self._intruder is None:
            self._intruder = self.stage.intruder(seen.attempt.consult_room, tone_hz=CALLER_HZ)
            self.say(time.time(), "(fault: the caller's tone is played in the consultation)")

    def _on_hold_for_good(self, seen: Seen) -> bool:
        """The music plays, and whoever might overhear the caller is there, and is not joined a moment later."""
        if self.setting.broken == Break.VOICEMAIL_ACCEPT:
            return False
        hears = self.setting.scenario.hears_it_out and self.marks.briefing
        return bool(hears) and seen.call.agent_state == "holding"

    # ── joined ───────────────────────────────────────────────────────────────────────────────────

    def _joined(self) -> None:
        if self._intruder:
            self._intruder.leave()
        way = ways.AFTER_MERGE.get(self.setting.scenario.way, Course.exchange_words)
        way(self)

    def exchange_words(self) -> None:
        """Both say their words at once: each hears the other only."""
        if self.setting.broken == Break.DEAF_CALLER:
            self.caller.deafen()
            self.say(time.time(), "(fault: the caller stops to hear)")
        if self.setting.broken == Break.SILENT_MANAGER and self.setting.carrier:
            self.setting.carrier.do(self.watch.request_id, tone_hz=0)
            self.say(time.time(), "(fault: the manager falls silent)")
        listeners = self._listen_directly()
        if self.setting.house.introduction or self.setting.agent:
            merged = self.marks.merged or time.time()
            with suppress(Stuck):
                self.caller.hear_something(merged, 5, "")
            self.caller.hear_out(merged, pause_s=AFTER_INTRODUCTION_S, within_s=15)
        self._say_words()
        self._keep_direct(listeners)

    def _listen_directly(self) -> list[Someone]:
        """The same words without the relay, to know what it adds."""
        attempt = facts.look(self.call_id).attempt
        if attempt is None or attempt.strategy != "relay" or self.setting.carrier is None:
            return []
        call = facts.look(self.call_id).call
        return [self.stage.listener(call.room_name), self.stage.listener(attempt.consult_room)]

    def _keep_direct(self, listeners: list[Someone]) -> None:
        if listeners:
            self.takes.direct_caller, self.takes.direct_manager = (one.heard() for one in listeners)
        for one in listeners:
            one.leave()

    def _say_words(self) -> None:
        takes, carrier = self.takes, self.setting.carrier
        takes.said_by_caller = words.draw(but=takes.said_on_hold)
        began = time.time()
        self.say(began, "each says six words")
        saying = self.caller.start_saying(words.sentence(takes.said_by_caller))
        if carrier:
            takes.said_by_manager = words.draw(but=[*takes.said_on_hold, *takes.said_by_caller])
            if self.setting.broken not in (Break.SILENT_MANAGER, Break.VOICEMAIL_ACCEPT):
                carrier.do(self.watch.request_id, say=words.sentence(takes.said_by_manager))
        saying.result(20)
        self.caller.hear_out(time.time() - 1, within_s=8)
        time.sleep(TAIL_S)
        takes.exchange = (began, time.time())

    # ── back ─────────────────────────────────────────────────────────────────────────────────────

    def hears_why(self) -> None:
        """The AI's words about how it ended, to their end."""
        back = self.marks.returned or time.time()
        self.caller.hear_something(back, 10, "The caller is back with the AI and hears nothing")
        with suppress(Stuck):  # what is heard first may be the rest of the music, or of an earlier line
            facts.until(lambda: self._was_told(back), 15, "")
        self.caller.hear_out(back)

    def turn(self, line: str) -> str:
        """The caller says something, and hears the AI out."""
        self.say(time.time(), "the caller says something")
        return self._turn(line, "The AI does not answer the caller")

    def back_with_ai(self) -> None:
        """The caller hears why, asks a question and hears the answer."""
        facts.until(self.is_back, 40, "The transfer ended and the caller is not back with the AI")
        self.hears_why()
        if way := ways.BACK.get(self.setting.scenario.way):
            way(self)
        began, ended = self.caller.say(QUESTION)
        self.say(began, "the caller asks a question")
        answer = self.caller.hear_something(ended, 15, "The caller is back with the AI, asks, and gets no answer")
        self.say(answer, "the AI answers")
        self.caller.hear_out(answer)
        self.takes.question = (began, ended)

    def _was_told(self, since: float) -> bool:
        transfer = facts.look(self.call_id).transfer
        said = facts.last_said_by_ai(self.call_id, since - 1)
        return transfer is not None and words.share_of_text(transfer.words_for_caller, said) >= words.ENOUGH

    def is_back(self) -> bool:
        self.watch.note(facts.look(self.call_id))
        return self.marks.returned is not None

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    def _hang_up(self) -> None:
        if self._caller is None:
            return
        self.watch.mark("ended", time.time())
        self.takes.caller = self.caller.heard()
        try:
            self.caller.leave()
            self.say(time.time(), "the caller hangs up")
            if self._call_id is None:
                return
            facts.until(self._is_over, 15, "The caller hung up and the call did not end")
            self._keep_phone()
        except PROBLEMS as problem:
            self._stuck(problem)
        self._keep_rows()

    def _keep_phone(self) -> None:
        carrier = self.setting.carrier
        if carrier and self.watch.request_id:
            self.takes.request = carrier.request(self.watch.request_id)
            self.takes.manager = carrier.heard(self.watch.request_id)

    def _is_over(self) -> bool:
        seen = facts.look(self.call_id)
        return not seen.call.is_live and not facts.live_transfers(self.call_id)

    def _keep_rows(self) -> None:
        seen = facts.look(self.call_id)
        self.takes.transcript = " ".join(
            facts.said(self.call_id, speaker=Speaker.CALLER, side=side) for side in ("call", "consultation")
        )
        if seen.transfer:
            self.takes.end, self.takes.words_for_caller = seen.transfer.end_reason, seen.transfer.words_for_caller
        if seen.attempt:
            self.takes.outcome, self.takes.strategy = seen.attempt.outcome, seen.attempt.strategy
