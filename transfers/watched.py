"""The live calls that need a supervisor for what `attention` finds in them: one selector for page and filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Max, OuterRef, QuerySet, Subquery

from calls.agents.protocol import Role
from calls.compiled import Argument, OneOf, Rows
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
    known = _known([call for call in calls if not call.rehearsal])
    at = now()
    looked = {pk: one.look(at) for pk, one in known.items()}
    found = {pk: why for pk, (why, _) in looked.items() if why}
    coming = [moment for _, moment in looked.values() if moment]
    return Watched(_cards(found, known, lens), min((*coming, *next_overdue(lens)), default=None))


Looked = tuple[tuple[Reason, ...], datetime | None]  # as `attention.look` gives it


@dataclass(slots=True)
class _Known:
    """What is known of a call, and what was last found in it: of hundreds, few come to need somebody."""

    seen: Seen
    department: int | None  # whose limit for holds is the call's
    last: Looked | None = None  # one value, as several threads may look at once

    def look(self, at: datetime) -> Looked:
        if self.last:
            found, next_at = self.last
            if not found and (next_at is None or at < next_at):
                return self.last
        self.last = look(self.seen, at)
        return self.last


_kept: Kept[_Known] = Kept(5000)


def _known(calls: Sequence[LiveCall]) -> Mapping[UUID, _Known]:
    """Only what has changed is read; an agent's end and a limit change without the call, and are not kept."""
    known = {call.id: one for call in calls if (one := _kept.find(_key(call)))}
    known |= _read([call for call in calls if call.id not in known])
    gone = _gone([call.id for call in calls if not call.agent_here])
    limits = _limits() if any(not one.seen.with_ai for one in known.values()) else {}
    for pk, one in known.items():
        if pk in gone or not one.seen.with_ai:
            limit = limits.get(one.department, DEFAULT_LIMIT)
            known[pk] = _Known(replace(one.seen, agent_gone_at=gone.get(pk), hold_limit=limit), one.department)
    return known


def _key(call: LiveCall) -> tuple[UUID, int, bool, bool]:
    return (call.id, call.version, call.agent_here, call.agent_speaking)


def _read(calls: Sequence[LiveCall]) -> Mapping[UUID, _Known]:
    """Their transfers may be newer than the version that they are kept by: nobody asks for that one again."""
    if not calls:
        return {}
    live = {call.id: call for call in calls}
    asks: dict[UUID, list[_Asked]] = defaultdict(list)
    for row in _asked_for(ids=list(live)):
        asks[row[0]].append(_Asked(*row))
    rows = [_Row(*row) for row in _rows(ids=list(live))]
    return {row.id: _kept.put(_key(live[row.id]), _known_of(row, live[row.id], asks[row.id])) for row in rows}


class _Row(NamedTuple):
    id: UUID
    caller_with: str
    since: datetime
    started_at: datetime
    heard_at: datetime | None
    department_id: int | None
    department: str | None


def _columns() -> QuerySet[Call, tuple[Any, ...]]:
    turns = Utterance.objects.filter(call=OuterRef("pk"), side="call").order_by("-started_at", "-id")
    calls = Call.objects.filter(OneOf(F("pk"), Argument("ids"))).order_by()
    heard_at = Subquery(turns.values("started_at")[:1])
    named = ("pk", "caller_with", "caller_since", "started_at", heard_at, "department_id", "department__name")
    return calls.values_list(*named)


_rows = Rows(_columns)


class _Asked(NamedTuple):
    """A transfer of a call."""

    call_id: UUID
    id: UUID
    state: str
    requested_by_id: int | None
    merged_at: datetime | None
    parked_at: datetime | None
    follows_id: UUID | None
    department_id: int | None

    @property
    def of_ai_in_vain(self) -> bool:
        return not (self.requested_by_id or self.follows_id or self.merged_at)


def _asked_columns() -> QuerySet[Transfer, tuple[Any, ...]]:
    found = Transfer.objects.filter(OneOf(F("call_id"), Argument("ids"))).order_by("requested_at", "id")
    return found.values_list(*("pk" if name == "id" else name for name in _Asked._fields))


_asked_for = Rows(_asked_columns)


def _gone(call_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When the last agent of calls that have none now was there."""
    if not call_ids:
        return {}
    return dict(_last_there(ids=list(call_ids)))


def _ended_jobs() -> QuerySet[AgentJob, tuple[Any, ...]]:
    ended = AgentJob.objects.filter(OneOf(F("call_id"), Argument("ids")), role=Role.SUPPORT)
    by_call = ended.filter(closed_at__isnull=False).order_by().values("call_id")
    return by_call.annotate(at=Max("closed_at")).values_list("call_id", "at")


_last_there = Rows(_ended_jobs)


def _limits() -> Mapping[int | None, timedelta]:
    limits = Policy.objects.values_list("department_id", "hold_limit_s")
    return {department: timedelta(seconds=limit) for department, limit in limits}


def _known_of(row: _Row, call: LiveCall, transfers: Sequence[_Asked]) -> _Known:
    newest = transfers[-1] if transfers else None
    seen = Seen(
        caller_with=CallerWith(row.caller_with),
        since=row.since,
        started_at=row.started_at,
        department=row.department or department_name(None),
        in_transfer=newest is not None and newest.state in OPEN_TRANSFER,
        agent_here=call.agent_here,
        agent_speaking=call.agent_speaking,
        heard_at=row.heard_at,
        asks=_asks(call.id, transfers),
        parked_at=newest.parked_at if newest and newest.state == TransferState.MERGED else None,
    )
    return _Known(seen, newest.department_id if newest and newest.department_id else row.department_id)


def _asks(call_id: UUID, transfers: Sequence[_Asked]) -> int:
    """How often the AI itself asked for a person in vain; whether it did is in the record of the request."""
    vain = [one.id for one in transfers if one.of_ai_in_vain]
    if len(vain) < TWICE:
        return len(vain)
    asked = Event.objects.filter(call_id=call_id, transfer_id__in=vain, type="transfer.requested")
    return asked.filter(facts__by="ai").count()


def _cards(found: Mapping[UUID, tuple[Reason, ...]], known: Mapping[UUID, _Known], lens: Lens) -> tuple[Card, ...]:
    calls = Call.objects.filter(pk__in=found) if found else ()
    cards = (_card(call, found[call.pk], known[call.pk].seen, lens) for call in calls)
    return tuple(sorted(cards, key=lambda card: card.sort)[:MOST])


def _card(call: Call, reasons: tuple[Reason, ...], seen: Seen, lens: Lens) -> Card:
    return Card(
        call=call,
        caller=caller_name(call, lens.sight),
        department=seen.department,
        reasons=reasons,
        may_escalate=lens.sight.escalate and seen.with_ai and not seen.in_transfer,
    )
