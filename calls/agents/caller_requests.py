"""What the caller's agent asks of the console: a person, a callback, a fact kept, the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from livekit.agents import StopResponse

from calls.agents import protocol as p
from calls.agents.link import AgentLink

ANSWERED_WITHIN_SECONDS = 5.0
DECIDED_WITHIN_SECONDS = 0.8  # a department that dials at once has decided within that
ASKING = "One moment please, I am asking whether a colleague can take your call."
NOT_POSSIBLE = "I am sorry, I cannot put you through just now. What else can I do for you?"
NOT_NOTED = "I am sorry, I could not note that down just now. Please ask me again in a moment."
OUT_OF_REACH = "The console is out of reach, so nobody can be called. The caller is still with you."


class Refused(Exception):
    """The console says no; its words say why."""


class CallerRequests:
    """`SupportActions` for a model's tools, and `transfer` for code. `goodbye` says the last words of a call."""

    def __init__(self, link: AgentLink, goodbye: Callable[[], None]) -> None:
        self._link, self._goodbye = link, goodbye
        self.facts: dict[str, str] = {}  # by FactField.key
        self._answers: dict[UUID, asyncio.Future[p.Answer]] = {}
        self._spoken_for = asyncio.Event()

    # ── what a model may do ──────────────────────────────────────────────────────────────────────

    async def record_fact(self, key: str, value: str) -> str:
        self.facts[key] = value
        self._link.report(p.FactLearned(key=key, value=value))
        return "Noted. Go on with the conversation."

    async def request_transfer(
        self, reason: str, department: str, person: str | None, briefing: str, *, cold: bool = False
    ) -> str:
        """A line for the model, unless the console lets the caller hear one of its own: then `StopResponse`."""
        request = p.TransferRequested(
            request_id=uuid4(), reason=reason, department=department, person=person, briefing=briefing, cold=cold
        )
        with self._asked(request.request_id, request) as answer:
            if await self.is_spoken_for(DECIDED_WITHIN_SECONDS):
                raise StopResponse
            refused = answer.done() and not answer.result().accepted
        return NOT_POSSIBLE if refused else ASKING

    async def request_callback(self, number: str, preferred: str) -> str:
        """What the console makes of it is what the caller is told: nothing is promised before."""
        request = p.CallbackRequested(request_id=uuid4(), number=number[:40], preferred=preferred[:120])
        answer = await self._answer_to(request.request_id, request)
        return answer.words if answer else NOT_NOTED

    async def say_goodbye(self) -> None:
        self._goodbye()
        raise StopResponse

    # ── what code may do ─────────────────────────────────────────────────────────────────────────

    async def transfer(self, request: p.TransferRequested) -> p.Answer:
        """The console's yes. Raises `Refused`, also when it is out of reach: then it is not asked later either."""
        answer = await self._answer_to(request.request_id, request)
        if answer is None:
            self.withdraw(request.request_id)
            raise Refused(OUT_OF_REACH)
        if not answer.accepted:
            raise Refused(answer.words)
        return answer

    def withdraw(self, request_id: UUID) -> None:
        """The caller stays with their agent after all."""
        self._link.report(p.TransferWithdrawn(request_id=request_id))

    @contextmanager
    def _asked(self, request_id: UUID, body: p.UpBody) -> Iterator[asyncio.Future[p.Answer]]:
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        self._spoken_for.clear()
        self._link.report(body)
        try:
            yield answer
        finally:
            del self._answers[request_id]

    async def _answer_to(self, request_id: UUID, body: p.UpBody) -> p.Answer | None:
        with self._asked(request_id, body) as answer:
            try:
                return await asyncio.wait_for(answer, ANSWERED_WITHIN_SECONDS)
            except TimeoutError:
                return None

    # ── what the job tells of the console ────────────────────────────────────────────────────────

    def answered(self, body: p.Answer) -> None:
        waiting = self._answers.get(body.request_id)
        if waiting and not waiting.done():
            waiting.set_result(body)

    def spoken_for(self) -> None:
        """The caller is about to hear a line of the console's."""
        self._spoken_for.set()

    async def is_spoken_for(self, within_s: float) -> bool:
        """A hold, and a refusal, say lines of their own, and then none of the agent's is needed."""
        try:
            await asyncio.wait_for(self._spoken_for.wait(), within_s)
        except TimeoutError:
            return False
        return True
