"""The line to the caller's room is joined once, however soon the manager accepts."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from calls.agents import protocol as p
from transfers.agents.transfer_job import TransferJob


class SlowBridge:
    """A bridge whose rooms take a while, as on a busy machine."""

    def __init__(self) -> None:
        self.may_join, self.fails, self.carries = asyncio.Event(), False, False
        self.carrying, self.heard = asyncio.Event(), set[str]()

    async def join(self) -> None:
        await self.may_join.wait()
        if self.fails:
            raise ConnectionError

    async def carry(self) -> None:
        self.carries = True
        self.carrying.set()

    async def admit(self, supervisor: str) -> None:
        self.heard.add(supervisor)

    async def dismiss(self, supervisor: str) -> None:
        self.heard.discard(supervisor)

    async def close(self) -> None:
        pass


class Quiet:
    """A consultation in which nothing is said."""

    async def prepare(self, room: Any) -> None:
        pass

    async def hold(self, *, by_phone: bool) -> None:
        pass

    async def close(self) -> None:
        pass


class Job(TransferJob):
    """Without a room of its own."""

    def __init__(self) -> None:
        self.room: Any = None
        self.metadata = p.DispatchMetadata(role=p.Role.TRANSFER, attempt_id=uuid4(), bridge_token="t")
        self.reports: list[p.UpBody] = []
        self.link: Any = SimpleNamespace(report=self.reports.append)
        self._tasks = set()
        self._answered = asyncio.Event()
        self.made: list[SlowBridge] = []
        self.barging = set()
        self.consultation: Any = Quiet()

    def new_bridge(self) -> Any:
        self.made.append(SlowBridge())
        return self.made[-1]


async def accepted_while_joining() -> tuple[Job, asyncio.Task[None]]:
    job = Job()
    job._answered.set()
    consultation: Any = Quiet()
    await job._consult(consultation)
    merging = asyncio.create_task(job._merge(p.Merge(strategy="relay")))
    await turns()
    return job, merging


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_manager_who_accepts_at_once_is_joined_by_the_line_that_is_on_its_way() -> None:
    job, merging = await accepted_while_joining()
    job.made[0].may_join.set()
    await merging
    assert len(job.made) == 1
    assert job.made[0].carries
    assert job.reports[-1] == p.BridgeUp()


async def test_a_line_that_could_not_be_joined_is_tried_again_at_the_merge() -> None:
    job, merging = await accepted_while_joining()
    job.made[0].fails = True
    job.made[0].may_join.set()
    with pytest.raises(ConnectionError):
        await merging
    again = asyncio.create_task(job._merge(p.Merge(strategy="relay")))
    await turns()
    job.made[1].may_join.set()
    await again
    assert job.made[1].carries


def joins_in(who: str, *, on: bool = True) -> p.Barge:
    return p.Barge(identity=who, on=on)


async def test_a_supervisor_who_joins_in_is_heard_by_the_manager_from_the_merge_on() -> None:
    job, merging = await accepted_while_joining()
    await job.handle(joins_in("supervisor-1"))
    await job.handle(joins_in("supervisor-2"))
    await job.handle(joins_in("supervisor-2", on=False))
    (line,) = job.made
    assert line.heard == set()
    line.may_join.set()
    await merging
    assert line.heard == {"supervisor-1"}
    await job.handle(joins_in("supervisor-3"))
    await job.handle(joins_in("supervisor-1", on=False))
    assert line.heard == {"supervisor-3"}
