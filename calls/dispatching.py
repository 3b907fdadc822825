"""Sending an agent into a room. Self-hosted LiveKit never sends one again: the console looks, and does.

A dispatch without a running job after 3 s, or with one that has not said hello after 15 s, is deleted and made
again. Whether a job lives is judged by its link: a killed one stays listed for 21 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db.models import Max, QuerySet

from calls.agents.protocol import DispatchMetadata, Role
from calls.models import AgentJob, Effect
from calls.telephony.gateway import Dispatch, Gateway
from calls.timing import now

LOOK_AFTER = timedelta(seconds=3)
HELLO_LIMIT = timedelta(seconds=15)


@dataclass(frozen=True)
class Wanted:
    """An agent is missing in a room. `patient`: a running job there may still say its hello."""

    room: str
    metadata: DispatchMetadata
    patient: bool
    agent_name: str = ""  # somebody's own agent for this call; empty: ours
    last_chance_over: bool = False  # as many were sent as may be: this look only tells whether one comes


class Sending(StrEnum):
    STARTING = "starting"  # a job is there and may still say hello
    SENT = "sent"
    NOBODY = "nobody"  # nobody comes, and no more are to be sent


async def send_agent(gateway: Gateway, wanted: Wanted) -> Sending:
    """Clear dispatches that came to nothing, then make one."""
    found = await gateway.list_dispatch(wanted.room)
    if wanted.patient and any(one.running for one in found):
        return Sending.STARTING
    if wanted.last_chance_over:
        return Sending.NOBODY
    for old in found:
        await gateway.delete_dispatch(wanted.room, old.id)
    await gateway.create_dispatch(wanted.room, *_whom(wanted, found))
    return Sending.SENT


def _whom(wanted: Wanted, found: Sequence[Dispatch]) -> tuple[str, str]:
    """The agent's name and its metadata: as it was dispatched before, if it is not ours."""
    theirs = next((one for one in found if one.agent_name and one.agent_name != settings.AGENT_NAME), None)
    if wanted.metadata.role == Role.SUPPORT and theirs:
        return theirs.agent_name, theirs.metadata
    name = wanted.agent_name or settings.AGENT_NAME
    return name, wanted.metadata.model_dump_json() if name == settings.AGENT_NAME else ""


def is_patient(kind: str, subject_id: UUID, *, first_at: datetime, jobs: QuerySet[AgentJob]) -> bool:
    """Whether the newest dispatch (the first was made at `first_at`) may still bring a job to say hello.

    Not after 15 s, and not if it brought one already: that one is dead, whatever the server lists.
    """
    newest = max(first_at, sent(kind, subject_id).aggregate(at=Max("done_at"))["at"] or first_at)
    return now() < newest + HELLO_LIMIT and not jobs.filter(started_at__gte=newest).exists()


def sent(kind: str, subject_id: UUID) -> QuerySet[Effect]:
    """The effects that did make a dispatch."""
    return Effect.objects.filter(kind=kind, subject_id=subject_id, args__sent=True)


def note(effect: Effect, came: Sending) -> None:
    """What came of `send_agent`."""
    if came == Sending.SENT:
        Effect.objects.filter(pk=effect.pk).update(args={**effect.args, "sent": True})
