"""The live calls that need a supervisor for what `attention` finds in them: one selector for page and filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery

from calls.agents.protocol import Role
from calls.display import caller_name, department_name
from calls.models import AgentJob, Call, Event, Utterance
from calls.states import CallerWith, CallState
from calls.timing import now
from transfers.access import Lens
from transfers.attention import TWICE, Reason, Seen, look
from transfers.callback_list import next_overdue
from transfers.models import Policy, Transfer
from transfers.states import OPEN_TRANSFER, TransferState

MOST = 50


@dataclass(frozen=True)
class Card:
    """One call that needs somebody, with every reason, the worst first."""

    call: Call
    caller: str
    department: str
    reasons: tuple[Reason, ...]
    may_escalate: bool

    @property
    def id(self) -> UUID:
        return self.call.pk

    @property
    def sort(self) -> str:
        """The worst reason first; of equals, what has lasted longest."""
        worst = self.reasons[0]
        return f"{worst.order}-{worst.since.timestamp():020.3f}-{self.id}"


@dataclass(frozen=True)
class Watched:
    """`next_at`: when time alone will add a reason; None if it will not."""

    cards: tuple[Card, ...]
    next_at: datetime | None


def watched(lens: Lens) -> Watched:
    """For whoever watches calls. Rehearsals are left out: nobody is on the line."""
    if not lens.scope.sees_calls:
        return Watched((), None)
    rows = list(_rows(lens.calls().exclude(state=CallState.INACTIVE).filter(rehearsal=False)))
    ids = [row["pk"] for row in rows]
    transfers = _transfers(ids)
    gone = _gone([row["pk"] for row in rows if not row["agent_here"]])
    limits = _limits() if any(row["caller_with"] != CallerWith.AI for row in rows) else {}
    seen = {row["pk"]: _seen(row, transfers[row["pk"]], gone, limits) for row in rows}
    at = now()
    looked = {pk: look(one, at) for pk, one in seen.items()}
    found = {pk: why for pk, (why, _) in looked.items() if why}
    coming = [moment for _, moment in looked.values() if moment]
    return Watched(_cards(found, seen, lens), min((*coming, *next_overdue(lens)), default=None))


def _rows(calls: QuerySet[Call]) -> Iterable[dict[str, Any]]:
    turns = Utterance.objects.filter(call=OuterRef("pk"), side="call").order_by("-started_at", "-id")
    jobs = AgentJob.objects.filter(call=OuterRef("pk"), role=Role.SUPPORT, closed_at=None)
    rows: Iterable[dict[str, Any]] = (
        calls.order_by()
        .annotate(heard_at=Subquery(turns.values("started_at")[:1]), agent_here=Exists(jobs))
        .values(
            *("pk", "caller_with", "caller_since", "started_at", "agent_state", "heard_at", "agent_here"),
            *("department_id", "department__name"),
        )
    )
    return rows


def _transfers(call_ids: Sequence[UUID]) -> Mapping[UUID, list[Transfer]]:
    found: dict[UUID, list[Transfer]] = defaultdict(list)
    fields = ("call_id", "state", "requested_by_id", "merged_at", "parked_at", "follows_id", "department_id")
    for transfer in Transfer.objects.filter(call_id__in=call_ids).only(*fields).order_by("requested_at", "id"):
        found[transfer.call_id].append(transfer)
    return found


def _gone(call_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the last agent of calls that have none now was there."""
    jobs = AgentJob.objects.filter(call_id__in=call_ids, role=Role.SUPPORT).values("call_id")
    return dict(jobs.annotate(at=Max("closed_at")).values_list("call_id", "at"))


def _limits() -> dict[int, timedelta]:
    return {
        department: timedelta(seconds=limit)
        for department, limit in Policy.objects.values_list("department_id", "hold_limit_s")
    }


def _seen(
    row: dict[str, Any], transfers: list[Transfer], gone: dict[UUID, datetime], limits: dict[int, timedelta]
) -> Seen:
    newest = transfers[-1] if transfers else None
    department = newest.department_id if newest and newest.department_id else row["department_id"]
    return Seen(
        caller_with=CallerWith(row["caller_with"]),
        since=row["caller_since"],
        started_at=row["started_at"],
        department=row["department__name"] or department_name(None),
        in_transfer=newest is not None and newest.state in OPEN_TRANSFER,
        agent_here=row["agent_here"],
        agent_gone_at=gone.get(row["pk"]),
        agent_speaking=row["agent_state"] == "speaking",
        heard_at=row["heard_at"],
        asks=_asks(row["pk"], transfers),
        parked_at=newest.parked_at if newest and newest.state == TransferState.MERGED else None,
        hold_limit=limits.get(department, timedelta(seconds=Policy().hold_limit_s)),
    )


def _asks(call_id: UUID, transfers: list[Transfer]) -> int:
    """How often the AI itself asked for a person in vain; whether it did is in the record of the request."""
    vain = [t.pk for t in transfers if not (t.requested_by_id or t.follows_id or t.merged_at)]
    if len(vain) < TWICE:
        return len(vain)
    asked = Event.objects.filter(call_id=call_id, transfer_id__in=vain, type="transfer.requested")
    return asked.filter(facts__by="ai").count()


def _cards(found: dict[UUID, tuple[Reason, ...]], seen: dict[UUID, Seen], lens: Lens) -> tuple[Card, ...]:
    calls = Call.objects.filter(pk__in=found)
    cards = (
        Card(
            call=call,
            caller=caller_name(call, lens.sight),
            department=seen[call.pk].department,
            reasons=found[call.pk],
            may_escalate=lens.sight.escalate and seen[call.pk].with_ai and not seen[call.pk].in_transfer,
        )
        for call in calls
    )
    return tuple(sorted(cards, key=lambda card: card.sort)[:MOST])
