"""The live calls that need a supervisor for what `attention` finds in them: one selector for page and filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, OuterRef, Subquery

from calls.agents.protocol import Role
from calls.display import caller_name, department_name
from calls.kept import Kept
from calls.models import AgentJob, Call, Event, Utterance
from calls.states import CallerWith
from calls.timing import now
from transfers.access import Lens
from transfers.attention import TWICE, Reason, Seen, look
from transfers.callback_list import next_overdue
from transfers.live_calls import LiveCall
from transfers.models import Policy, Transfer
from transfers.states import OPEN_TRANSFER, TransferState

MOST = 50
DEFAULT_LIMIT = timedelta(seconds=Policy().hold_limit_s)


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


def watched(lens: Lens, calls: Sequence[LiveCall]) -> Watched:
    """Of these calls, for whoever watches calls. Rehearsals are left out: nobody is on the line."""
    if not lens.scope.sees_calls:
        return Watched((), None)
    seen = _seen([call for call in calls if not call.rehearsal])
    at = now()
    looked = {pk: look(one, at) for pk, one in seen.items()}
    found = {pk: why for pk, (why, _) in looked.items() if why}
    coming = [moment for _, moment in looked.values() if moment]
    return Watched(_cards(found, seen, lens), min((*coming, *next_overdue(lens)), default=None))


# With the department whose limit for holds is the call's.
_kept: Kept[tuple[Seen, int | None]] = Kept(5000)


def _seen(calls: Sequence[LiveCall]) -> Mapping[UUID, Seen]:
    """Only what has changed is read; an agent's end and a limit change without the call, and are not kept."""
    kept = {call.id: row for call in calls if (row := _kept.find(_key(call)))}
    kept |= _read([call for call in calls if call.id not in kept])
    gone = _gone([call.id for call in calls if not call.agent_here])
    limits = _limits() if any(not seen.with_ai for seen, _ in kept.values()) else {}
    for pk, (seen, department) in kept.items():
        if pk in gone or not seen.with_ai:
            limit = limits.get(department, DEFAULT_LIMIT)
            kept[pk] = (replace(seen, agent_gone_at=gone.get(pk), hold_limit=limit), department)
    return {pk: seen for pk, (seen, _) in kept.items()}


def _key(call: LiveCall) -> tuple[UUID, int, bool, bool]:
    return (call.id, call.version, call.agent_here, call.agent_speaking)


def _read(calls: Sequence[LiveCall]) -> Mapping[UUID, tuple[Seen, int | None]]:
    """Their transfers may be newer than the version that they are kept by: nobody asks for that one again."""
    if not calls:
        return {}
    live = {call.id: call for call in calls}
    transfers = _transfers(live)
    rows = ((row["pk"], row) for row in _rows(live))
    return {pk: _kept.put(_key(live[pk]), _seen_in(row, live[pk], transfers[pk])) for pk, row in rows}


def _rows(call_ids: Collection[UUID]) -> Iterable[dict[str, Any]]:
    turns = Utterance.objects.filter(call=OuterRef("pk"), side="call").order_by("-started_at", "-id")
    calls = Call.objects.filter(pk__in=call_ids).annotate(heard_at=Subquery(turns.values("started_at")[:1]))
    rows: Iterable[dict[str, Any]] = calls.values(
        *("pk", "caller_with", "caller_since", "started_at", "heard_at", "department_id", "department__name")
    )
    return rows


def _transfers(call_ids: Collection[UUID]) -> Mapping[UUID, list[Transfer]]:
    found: dict[UUID, list[Transfer]] = defaultdict(list)
    fields = ("call_id", "state", "requested_by_id", "merged_at", "parked_at", "follows_id", "department_id")
    for transfer in Transfer.objects.filter(call_id__in=call_ids).only(*fields).order_by("requested_at", "id"):
        found[transfer.call_id].append(transfer)
    return found


def _gone(call_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When the last agent of calls that have none now was there."""
    if not call_ids:
        return {}
    jobs = AgentJob.objects.filter(call_id__in=call_ids, role=Role.SUPPORT, closed_at__isnull=False).values(
        "call_id"
    )
    return dict(jobs.annotate(at=Max("closed_at")).values_list("call_id", "at"))


def _limits() -> Mapping[int | None, timedelta]:
    limits = Policy.objects.values_list("department_id", "hold_limit_s")
    return {department: timedelta(seconds=limit) for department, limit in limits}


def _seen_in(row: dict[str, Any], call: LiveCall, transfers: list[Transfer]) -> tuple[Seen, int | None]:
    newest = transfers[-1] if transfers else None
    seen = Seen(
        caller_with=CallerWith(row["caller_with"]),
        since=row["caller_since"],
        started_at=row["started_at"],
        department=row["department__name"] or department_name(None),
        in_transfer=newest is not None and newest.state in OPEN_TRANSFER,
        agent_here=call.agent_here,
        agent_speaking=call.agent_speaking,
        heard_at=row["heard_at"],
        asks=_asks(call.id, transfers),
        parked_at=newest.parked_at if newest and newest.state == TransferState.MERGED else None,
    )
    return seen, newest.department_id if newest and newest.department_id else row["department_id"]


def _asks(call_id: UUID, transfers: list[Transfer]) -> int:
    """How often the AI itself asked for a person in vain; whether it did is in the record of the request."""
    vain = [t.pk for t in transfers if not (t.requested_by_id or t.follows_id or t.merged_at)]
    if len(vain) < TWICE:
        return len(vain)
    asked = Event.objects.filter(call_id=call_id, transfer_id__in=vain, type="transfer.requested")
    return asked.filter(facts__by="ai").count()


def _cards(found: Mapping[UUID, tuple[Reason, ...]], seen: Mapping[UUID, Seen], lens: Lens) -> tuple[Card, ...]:
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
