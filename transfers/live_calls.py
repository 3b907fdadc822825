"""The live calls that a lens sees, each with what decides how it is shown: one query for all that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, QuerySet, When

from calls.agents.protocol import Role
from calls.compiled import RowsFor
from calls.models import AgentJob, Call
from calls.states import CallerWith, CallState
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
    held_since: datetime | None


def live_calls(lens: Lens) -> Sequence[LiveCall]:
    return [
        LiveCall(pk, sum(versions), rehearsal, agent == "speaking", here, held_since)
        for pk, rehearsal, agent, held_since, here, *versions in _rows(lens)
    ]


def _columns(lens: Lens) -> QuerySet[Call, tuple[Any, ...]]:
    jobs = AgentJob.objects.filter(call=OuterRef("pk"), role=Role.SUPPORT, closed_at=None)
    calls = with_versions(lens.calls().exclude(state=CallState.INACTIVE))
    held_since = Case(When(caller_with=CallerWith.HOLD, then="caller_since"))  # of the others it need not be read
    versions = ("version", "transfer_versions", "last_id")
    return calls.order_by().values_list("pk", "rehearsal", "agent_state", held_since, Exists(jobs), *versions)


_rows = RowsFor(_columns)
