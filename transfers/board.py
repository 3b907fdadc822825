"""What the wallboard shows of calls: one strip a live call, one card a request that waits for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from calls import presence
from calls.display import Display, caller_name, department_name
from calls.models import Call, Utterance
from calls.states import CallState
from transfers.access import Lens
from transfers.decide import approval_ends_at
from transfers.display import state_display
from transfers.models import Attempt, Transfer
from transfers.selectors import facts_of, policy_of
from transfers.states import TransferState
from transfers.words import sentence

MOST_NEEDS = 50
WORDS = 110


@dataclass(frozen=True)
class Strip:
    """One live call. `version` grows with every change of anything shown; `sort` is the list's order."""

    id: UUID
    version: int
    caller: str
    department: str
    department_key: str
    display: Display
    words: str
    started_at: datetime
    rehearsal: bool

    @property
    def sort(self) -> str:
        """What needs attention first; of equals, what has lasted longest. Held callers lead: they hear nobody."""
        return f"{self.display.order}-{self.since}-{self.id}"

    @property
    def since(self) -> str:
        return _sortable(self.display.since or self.started_at)

    @property
    def started(self) -> str:
        return _sortable(self.started_at)


@dataclass(frozen=True)
class Need:
    """A request that waits for a supervisor."""

    transfer: Transfer
    caller: str
    department: str
    person: str
    reason: str
    then: str
    ends_at: datetime | None
    version: int
    lookers: tuple[str, ...] = ()

    @property
    def id(self) -> UUID:
        return self.transfer.pk


def with_versions(calls: QuerySet[Call]) -> QuerySet[Any]:
    """Calls with what their `version` as shown adds up from: the call, its transfers, its newest words."""
    newest = Utterance.objects.filter(call=OuterRef("pk")).order_by("-started_at", "-id")
    transfers = Transfer.objects.filter(call=OuterRef("pk")).order_by().values("call")
    return calls.annotate(
        last_words=Subquery(newest.filter(side="call").values("text")[:1]),
        last_id=Coalesce(Subquery(newest.order_by("-id").values("id")[:1]), 0),
        transfer_versions=Coalesce(Subquery(transfers.annotate(n=Sum("version")).values("n")), 0),
    )


def shown_version(call: Any) -> int:
    return int(call.version + call.transfer_versions + call.last_id)


def newest_transfers(call_ids: Iterable[UUID]) -> dict[UUID, Transfer]:
    rows = Transfer.objects.filter(call_id__in=list(call_ids)).order_by("call_id", "-requested_at", "-id")
    return {transfer.call_id: transfer for transfer in rows.distinct("call_id")}


def newest_attempts(transfer_ids: Iterable[UUID]) -> dict[UUID, Attempt]:
    rows = Attempt.objects.filter(transfer_id__in=list(transfer_ids)).select_related("manager")
    return {a.transfer_id: a for a in rows.order_by("transfer_id", "-nth").distinct("transfer_id")}


def strips(lens: Lens, *, call_ids: Iterable[UUID]) -> Sequence[Strip]:
    """Those of these calls that are live and that this lens sees, those that need somebody first."""
    calls = lens.calls().exclude(state=CallState.INACTIVE).filter(pk__in=list(call_ids))
    rows = list(with_versions(calls).select_related("department"))
    escalated = [call.pk for call in rows if call.transfer_versions]  # most calls have no transfer to look for
    transfers = newest_transfers(escalated) if escalated else {}
    attempts = newest_attempts(transfer.pk for transfer in transfers.values()) if transfers else {}
    shown = [_strip(call, transfers.get(call.pk), attempts, lens) for call in rows]
    return sorted(shown, key=lambda strip: strip.sort)


def _strip(call: Any, transfer: Transfer | None, attempts: dict[UUID, Attempt], lens: Lens) -> Strip:
    display = state_display(call, transfer, attempts.get(transfer.pk) if transfer else None)
    return Strip(
        id=call.pk,
        version=shown_version(call),
        caller=caller_name(call, lens.sight),
        department=department_name(call.department),
        department_key=str(call.department_id or 0),
        display=display,
        words=_cut(call.last_words) if lens.sight.transcript and call.last_words else "",
        started_at=call.started_at,
        rehearsal=call.rehearsal,
    )


def _sortable(at: datetime) -> str:
    """As text that sorts by time, to the millisecond."""
    return f"{at.timestamp():014.3f}"


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else text[:WORDS].rsplit(" ", 1)[0] + " …"


def needs(lens: Lens, *, call_ids: Collection[UUID] | None = None) -> Sequence[Need]:
    """Requests that wait for a person, the oldest first; of these calls, or the oldest of all."""
    waiting = lens.transfers().filter(state=TransferState.REQUESTED, approved=None)
    waiting = waiting.select_related("call__department", "department", "person").order_by("requested_at")
    rows = waiting[:MOST_NEEDS] if call_ids is None else waiting.filter(call_id__in=call_ids)
    return [need for transfer in rows if (need := _need(transfer, lens))]


def _need(transfer: Transfer, lens: Lens) -> Need | None:
    ends_at = approval_ends_at(transfer, policy_of(transfer.department))
    if ends_at is None:  # nobody is asked: it goes on by itself in a moment
        return None
    department = transfer.department or transfer.call.department
    return Need(
        transfer=transfer,
        caller=caller_name(transfer.call, lens.sight),
        department=department_name(department),
        person=transfer.person.name if transfer.person else "",
        reason=transfer.reason if lens.sight.transcript else "",
        then=sentence(facts_of(transfer, to_show=True)),
        ends_at=ends_at,
        version=transfer.version,
        lookers=presence.lookers(transfer.call_id),
    )
