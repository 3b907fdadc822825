"""The live calls that a lens sees, each with what decides how it is shown: one query for all that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from calls.agents.protocol import Role
from calls.models import AgentJob
from calls.states import CallState
from transfers.access import Lens
from transfers.board import with_versions


@dataclass(slots=True)  # hundreds are made for each look
class LiveCall:
    """`version` grows with the call, its transfers and its words, but not with what its agent does."""

    id: UUID
    version: int
    rehearsal: bool
    agent_speaking: bool
    agent_here: bool


def live_calls(lens: Lens) -> Sequence[LiveCall]:
    jobs = AgentJob.objects.filter(call=OuterRef("pk"), role=Role.SUPPORT, closed_at=None)
    calls = with_versions(lens.calls().exclude(state=CallState.INACTIVE)).annotate(agent_here=Exists(jobs))
    parts = ("version", "transfer_versions", "last_id")
    rows = calls.order_by().values_list("pk", "rehearsal", "agent_state", "agent_here", *parts)
    return [
        LiveCall(pk, sum(versions), rehearsal, agent_state == "speaking", here)
        for pk, rehearsal, agent_state, here, *versions in rows
    ]
