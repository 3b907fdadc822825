"""The SupportAgent: our own agent for callers, by the department's profile."""

from __future__ import annotations

from typing import Any

from livekit.agents import Agent, tts

from calls.agents import protocol as p
from calls.agents.caller import find_caller, picked_up
from calls.agents.caller_job import CALLER_SECONDS, CallerJob
from calls.agents.conversation import Conversation, new_session, room_options
from calls.agents.instructions import conversation, for_support
from calls.agents.speech.knowledge import SupportKnowledge
from calls.agents.speech.models import build_models, build_tts
from calls.agents.support_tools import support_tools

BACK_AGAIN = "I am sorry, I was gone for a moment. How can I help you?"


class SupportJob(CallerJob):
    async def begin(self) -> None:
        self.snapshot = await self.told()
        self.link.serve(self.handle)
        caller = await find_caller(self.room, self.snapshot.caller_identity, within_s=CALLER_SECONDS)
        if caller is None:
            await self.leave("no caller came")
            return
        await self.attend(caller)
        self.knows(self.snapshot)
        await self._take_up()
        self._ready.set()

    def knows(self, snapshot: p.Snapshot) -> None:
        super().knows(snapshot)
        self.requests.facts = dict(snapshot.facts)
        self.knowledge = SupportKnowledge(
            profile=snapshot.profile,
            departments=snapshot.departments,
            facts=self.requests.facts,
            caller_last4=snapshot.caller_last4,
            offers_callback=snapshot.offers_callback,
            may_refer=snapshot.may_refer,
        )

    async def _take_up(self) -> None:
        """Go on where the call is: a new job may come in the middle of it."""
        for supervisor in self.snapshot.barging:
            self.joins_in(supervisor, on=True)
        match self.snapshot.caller_with:
            case p.CallerWith.MANAGER:
                await self.only_write()
            case p.CallerWith.SUPERVISOR:
                await self.taken_over(self.snapshot.taken_over_by)
            case p.CallerWith.HOLD:
                await self.start_talking()
                await self.hold_on()
            case _:
                await self.start_talking()
                self.run(self._first_words())

    async def start_talking(self) -> None:
        models = build_models(self.knowledge)
        self.session = new_session(models)
        self.talk = Conversation(
            self.session, self.link, speaker=p.Speaker.CALLER, agent=p.Speaker.AI, side="call"
        )
        agent = Agent(
            instructions=for_support(self.snapshot),
            chat_ctx=conversation(self.snapshot.transcript),
            tools=support_tools(self.snapshot, self.requests),
        )
        await self.session.start(
            agent, room=self.room, room_options=room_options(self.caller), session_host=False, record=False
        )

    async def stop_talking(self) -> None:
        session, self.session = self.session, None
        await session.aclose()

    def voice(self) -> tts.TTS[Any]:
        return self.session.tts if self.session else build_tts()

    async def _first_words(self) -> None:
        await picked_up(self.room, self.caller)
        profile = self.snapshot.profile
        if self.snapshot.opening:
            await self.say_and_listen(self.snapshot.opening, asks=self.snapshot.asks_whether_done)
            return
        words = " ".join((profile.greeting, *profile.disclosure)) if self.snapshot.greet else BACK_AGAIN
        await self.talk.say(words, interruptible=True)
