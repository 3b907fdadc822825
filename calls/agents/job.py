"""What every job of the AgentServer does: hello first, then its room; a job that is no longer wanted leaves."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext
from pydantic import ValidationError

from calls.agents import levels, tracing
from calls.agents import protocol as p
from calls.agents.link import AgentLink
from calls.agents.logs import ids_of

logger = logging.getLogger("patchbay.agents")

NOT_CALLERS = ("support", "transfer-", "bridge-", "manager-", "listen-", "supervisor-")


def metadata_of(text: str) -> p.DispatchMetadata:
    """The role of a job; a dispatch that says nothing readable made a support job."""
    try:
        return p.DispatchMetadata.model_validate_json(text) if text else p.DispatchMetadata()
    except ValidationError:
        return p.DispatchMetadata()


def identity_of(metadata: p.DispatchMetadata) -> str:
    """Fixed, so that a replacement puts out the ghost of the one before."""
    return "support" if metadata.role == p.Role.SUPPORT else f"transfer-{metadata.attempt_id}"


def is_caller(participant: rtc.RemoteParticipant) -> bool:
    """A phone or a browser that is none of ours."""
    person = participant.kind in (
        rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
    )
    return person and not participant.identity.startswith(NOT_CALLERS)


def is_support(participant: rtc.RemoteParticipant) -> bool:
    """The caller's agent, ours or anybody's: an agent in the call's room that is no line of ours."""
    agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return agent and not participant.identity.startswith(("transfer-", "bridge-"))


class Job:
    """One job: its link, its room, its tasks. A subclass sets up what it does in `begin`."""

    def __init__(self, ctx: JobContext, metadata: p.DispatchMetadata) -> None:
        self.ctx, self.metadata, self.room = ctx, metadata, ctx.room
        self.link = AgentLink(
            p.Hello(
                job_id=ctx.job.id,
                role=metadata.role,
                room=ctx.job.room.name,
                room_sid=ctx.job.room.sid,
                room_metadata=ctx.job.room.metadata,
                agent_name=ctx.job.agent_name,
                attempt_id=metadata.attempt_id,
            )
        )
        ctx.log_context_fields = ids_of(job=ctx.job.id, attempt=metadata.attempt_id)
        self.rooms = [self.room]  # in which it hears somebody
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving = False

    async def start(self) -> None:
        """Returns when all is set up; the job lives until it leaves or its room is closed."""
        self.open_link()
        await self.ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
        self.link.report(p.JobStarted(identity=self.room.local_participant.identity))
        self.run(self._leave_when_superseded())
        self.run(self._know_what_lines_are_about())
        await self.begin()

    def open_link(self) -> None:
        """From now on the console is told who leaves and whose telephone rings."""
        self.link.start()
        self.ctx.add_shutdown_callback(self._shut_down)
        self.room.on("participant_disconnected", self._left)
        self.room.on("participant_attributes_changed", self._attributes)
        self.run(levels.tell(self.link, self.rooms))

    async def begin(self) -> None:
        raise NotImplementedError

    def run(self, work: Any) -> asyncio.Task[Any]:
        """A task that ends with the job; what it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a part of the job failed", exc_info=error)

    def _left(self, who: rtc.RemoteParticipant) -> None:
        reason = rtc.DisconnectReason.Name(who.disconnect_reason) if who.disconnect_reason else ""
        self.link.report(p.LegLeft(identity=who.identity, reason=reason))

    def _attributes(self, changed: dict[str, str], who: rtc.Participant) -> None:
        if "sip.callStatus" in changed:
            self.link.report(p.SipStatus(identity=who.identity, status=changed["sip.callStatus"]))

    async def _leave_when_superseded(self) -> None:
        await self.link.superseded.wait()
        await self.leave("another job has taken over, or the call is over")

    async def _know_what_lines_are_about(self) -> None:
        """The ids of the call and, for a manager's job, of the transfer: an AI may have several, in turn."""
        told = await asyncio.shield(self.link.snapshot)
        transfer = told.transfer.transfer_id if told.transfer and self.metadata.attempt_id else None
        self.ctx.log_context_fields |= ids_of(call=told.call_id, transfer=transfer)

    async def leave(self, why: str) -> None:
        """Out of the room first: the job's own end takes longer."""
        if self._leaving:
            return
        self._leaving = True
        with suppress(Exception):
            await self.close()
        with suppress(Exception):
            await self.room.disconnect()
        self.ctx.shutdown(reason=why)

    async def close(self) -> None:
        """What a subclass has to end before the room is left."""

    async def _shut_down(self) -> None:
        self._leaving = True
        with suppress(Exception):
            await self.close()
        for task in list(self._tasks):
            task.cancel()
        await self.link.close()
        await asyncio.to_thread(tracing.flush)
