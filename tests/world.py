"""A house without processes: the database is real, LiveKit is the shipped fake, and time is turned by hand.

Effects are done as a worker would, agents speak through the link's services, `settle` is the worker and the clock
until nothing more is due.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from calls import effects
from calls.agents import protocol as p
from calls.models import AgentJob, Call, Department, Effect, EffectState, Owner, OwnerRole
from calls.services import legs, links
from calls.telephony.memory import MemoryGateway, Phone
from tests import rows
from transfers import requests, services, tasks
from transfers.advance import advance
from transfers.models import Attempt, Endpoint, Manager, Transfer, Trunk
from transfers.states import TransferState

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
MANY = 60


async def rings(server: MemoryGateway) -> None:
    """Until a phone waits to be picked up."""
    while not server.ringing:  # noqa: ASYNC110 - the fake has nothing to wait for
        await asyncio.sleep(0.001)


class Agent:
    """One job of the AgentServer as the console knows it: what it says goes up, what it is told stays here."""

    def __init__(self, world: World, role: p.Role, room: str, attempt_id: UUID | None = None) -> None:
        self.world, self.role, self.room, self.attempt_id = world, role, room, attempt_id
        self.job_id, self.seq, self.heard = f"AJ_{uuid4().hex[:12]}", 0, 0
        welcome = links.open_link(self.hello)
        assert welcome.snapshot
        self.epoch, self.snapshot = welcome.epoch, welcome.snapshot

    @property
    def hello(self) -> p.Hello:
        return p.Hello(
            job_id=self.job_id, role=self.role, room=self.room, attempt_id=self.attempt_id, received=self.heard
        )

    @property
    def job(self) -> AgentJob:
        return AgentJob.objects.get(pk=self.job_id)

    def comes_back(self) -> p.Welcome:
        """The same job, after its connection broke."""
        welcome = links.open_link(self.hello)
        self.epoch = welcome.epoch
        return welcome

    def says(self, *bodies: Any) -> None:
        """Frames up, each applied."""
        for body in bodies:
            self.seq += 1
            frame = p.Up(seq=self.seq, at=self.world.at, body=body)
            assert links.apply_up(self.job_id, self.epoch, frame) == self.seq
        self.world.settle()

    def utters(self, speaker: p.Speaker, text: str, **fields: Any) -> None:
        self.says(p.Utterance(speaker=speaker, text=text, started_at=self.world.at, **fields))

    def decides(self, kind: p.DecisionKind, *, via: str = "key", **fields: Any) -> None:
        self.says(p.ManagerDecision(decision=kind, via=via, **fields))  # type: ignore[arg-type]

    def told(self) -> list[Any]:
        """The directives that came since one last looked."""
        downs = links.pending(self.job_id, self.heard)
        if downs:
            self.heard = downs[-1].seq
        return [down.body for down in downs]

    def dies(self) -> None:
        """The process is gone, and the console has noticed."""
        links.close_job(self.job, reason="silent")
        self.world.settle()


class World:
    def __init__(self) -> None:
        self.at = START
        self.server = MemoryGateway(clock=lambda: self.at)
        self.owner = Owner.objects.create(role=OwnerRole.WORKER, host="here", pid=1)
        self.loop = asyncio.new_event_loop()
        self.dialling: dict[UUID, asyncio.Task[None]] = {}

    def close(self) -> None:
        for task in self.dialling.values():
            task.cancel()
        self.run(asyncio.sleep(0))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    # ── the house ────────────────────────────────────────────────────────────────────────────────

    def department(self, name: str = "Billing", **policy: Any) -> Department:
        Trunk.objects.get_or_create(
            name="line",
            defaults={
                "kind": Trunk.Kind.INLINE,
                "hostname": "sip.example.com",
                "sip_number": "+12025550199",
                "is_default": True,
            },
        )
        made = rows.department(name)
        if policy:
            type(made.policy).objects.filter(pk=made.policy.pk).update(**policy)
        return made

    def manager(
        self, name: str, *departments: Department, number: str, priority: int = 1, **phone: Any
    ) -> Manager:
        """`phone` scripts the number; without it, it rings until somebody does something."""
        made = rows.manager(name, *departments, priority=priority)
        Endpoint.objects.filter(manager=made).update(address=number)
        self.server.phones[number] = Phone(**phone) if phone else Phone(rings=True)
        return made

    def call(self, where: Department | None, *, number: str = "+12025550144", kind: str = "sip") -> Call:
        """A caller in a room of ours, by the server's word; `kind` standard is a browser."""
        name = f"call-{uuid4().hex[:8]}"
        metadata = {"patchbay": "test", "kind": "call", "department": where.name if where else ""}
        self.run(self.server.create_room(name, metadata=json.dumps(metadata)))
        attributes = {"sip.phoneNumber": number, "sip.callStatus": "active"} if kind == "sip" else {}
        one = self.server.join(name, "caller-1", kind=kind, attributes=attributes)
        leg = legs.participant_seen(
            legs.RoomFact(name, "RM_1", json.dumps(metadata)),
            legs.ParticipantFact("caller-1", one.sid, kind, attributes=attributes),
        )
        assert leg
        return leg.call

    # ── time and work ────────────────────────────────────────────────────────────────────────────

    def later(self, seconds: float) -> None:
        """Time passes; then everything that is due is done."""
        self.at += timedelta(seconds=seconds)
        self.settle()

    def settle(self) -> None:
        """Worker and clock, until nothing is due. A dial goes on ringing."""
        for _ in range(MANY):
            tasks.wake_transfers()
            due = Effect.objects.filter(state=EffectState.DUE, due_at__lte=self.at).order_by("due_at", "pk")
            found = list(due)
            if not found:
                if not Transfer.objects.filter(wake_at__lte=self.at).exists():
                    return
                continue
            for effect in found:
                self.perform(effect)
        raise AssertionError("the house does not come to rest")

    def perform(self, effect: Effect) -> None:
        claimed = effects.claim(effect.pk, owner=self.owner)
        if claimed is None:
            return
        task = self.loop.create_task(effects.perform(claimed, self.server))
        if claimed.kind == "dial":
            self.dialling[claimed.subject_id] = task
        self.run(self._until_rest(task))

    async def _until_rest(self, *tasks_: asyncio.Task[None]) -> None:
        """Until a task has ended, or waits for a phone to be picked up."""
        while any(not task.done() for task in tasks_):
            if self.server.ringing and not any(task.done() for task in tasks_):
                await asyncio.sleep(0)
                if all(task in self.dialling.values() for task in tasks_):
                    return
            await asyncio.sleep(0.001)

    # ── the carrier ──────────────────────────────────────────────────────────────────────────────

    def rings(self, attempt: Attempt) -> None:
        """The server says so: the leg is there, and its attribute."""
        self._status(attempt, "ringing")

    def _status(self, attempt: Attempt, status: str) -> None:
        one = next(
            one
            for one in self.run(self.server.list_participants(attempt.consult_room))
            if one.identity == attempt.manager_identity
        )
        metadata = json.dumps({"patchbay": "test", "kind": "consult", "call": str(attempt.transfer.call_id)})
        legs.participant_seen(
            legs.RoomFact(attempt.consult_room, "RM_2", metadata),
            legs.ParticipantFact(one.identity, one.sid, "sip", attributes={"sip.callStatus": status}),
        )
        self.settle()

    def answers(self, attempt: Attempt, status: int = 200) -> None:
        """The phone is picked up, or refused."""
        task = self.dialling.pop(attempt.pk)
        self.server.answer(attempt.consult_room, attempt.manager_identity, status)
        self.run(asyncio.wait([task]))
        self.settle()

    def hangs_up(self, attempt: Attempt, reason: str = "client_initiated") -> None:
        """The manager's leg is gone, and the server says so."""
        self.server.leave(attempt.consult_room, attempt.manager_identity)
        task = self.dialling.pop(attempt.pk, None)
        if task:
            self.run(asyncio.wait([task]))
        legs.participant_left(attempt.consult_room, identity=attempt.manager_identity, reason=reason)
        self.settle()

    def cancel(self, transfer_id: UUID) -> None:
        """A supervisor stops it."""
        user, _ = User.objects.get_or_create(username="sam")
        services.cancel(transfer_id=transfer_id, user=user)
        advance(transfer_id)

    def caller_leaves(self, call: Call) -> None:
        self.server.leave(call.room_name, "caller-1")
        legs.participant_left(call.room_name, identity="caller-1", reason="client_initiated")
        self.settle()

    def rooms(self) -> set[str]:
        return {room.name for room in self.run(self.server.list_rooms())}


class Story:
    """One caller who talks to the AI of a department with some managers."""

    def __init__(
        self,
        world: World,
        managers: tuple[str, ...] = ("Dana", "Omar"),
        *,
        where: Department | None = None,
        **policy: Any,
    ) -> None:
        self.world = world
        self.where = where or world.department(**policy)
        self.people = {
            name: world.manager(name, self.where, number=f"+1202555010{n}", priority=n)
            for n, name in enumerate(managers, 1)
        }
        self.call = world.call(self.where)
        self.support = Agent(world, p.Role.SUPPORT, self.call.room_name)

    def escalates_quietly(self) -> None:
        """As far as the decision to dial; nothing is done yet."""
        made = requests.request_transfer(call_id=self.call.pk, key=uuid4(), reason="charged twice")
        advance(made.pk)

    def escalates(self, **fields: Any) -> Transfer:
        made = requests.request_transfer(call_id=self.call.pk, key=uuid4(), reason="charged twice", **fields)
        self.world.settle()
        return made

    @property
    def transfer(self) -> Transfer:
        self.call.refresh_from_db()
        found = Transfer.objects.filter(call=self.call).order_by("-requested_at", "-pk").first()
        assert found
        return found

    @property
    def caller_with(self) -> str:
        self.call.refresh_from_db()
        return self.call.caller_with

    @property
    def attempt(self) -> Attempt:
        found = Attempt.objects.filter(transfer__call=self.call).order_by("-pk").first()
        assert found
        return found

    @property
    def state(self) -> tuple[str, str]:
        return self.transfer.state, self.transfer.end_reason

    def agent(self, role: p.Role = p.Role.TRANSFER) -> Agent:
        """A job of the present attempt says hello."""
        return Agent(self.world, role, self.attempt.consult_room, self.attempt.pk)

    def briefed(self) -> Agent:
        """Dana has picked up, and the TransferAgent is with her."""
        self.escalates()
        agent = self.agent()
        self.world.answers(self.attempt)
        return agent

    def merging(self) -> Agent:
        agent = self.briefed()
        agent.decides(p.DecisionKind.ACCEPT)
        return agent

    def merged(self) -> Agent:
        agent = self.merging()
        agent.says(p.BridgeUp())
        assert self.transfer.state == TransferState.MERGED
        return agent

    def brought_to(self, stage: str) -> None:
        """As far as this state of the transfer."""
        ways: dict[str, Callable[[], object]] = {
            "connecting": self.escalates,
            "consulting": self.briefed,
            "merging": self.merging,
            "merged": self.merged,
        }
        ways[stage]()
        assert self.transfer.state == stage
