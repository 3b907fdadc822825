"""What the wallboard shows of calls: one strip a live call, one card a request that waits for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from calls import presence
from calls.compiled import Argument, OneOf, RowsFor
from calls.display import Display, caller_name, department_name
from calls.models import Call, Utterance
from calls.states import CallerWith, CallState
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
    held_since: datetime | None  # however often somebody else is rung meanwhile

    @property
    def sort(self) -> str:
        """What needs attention first; of equals, what has lasted longest. Held callers lead: they hear nobody."""
        return f"{self.display.order}-{self.since}-{self.id}"

    @property
    def since(self) -> str:
        return _sortable(self.held_since or self.display.since or self.started_at)

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


def shown_version(version: int, transfer_versions: int, last_id: int) -> int:
    return int(version + transfer_versions + last_id)


def newest_transfers(call_ids: Iterable[UUID]) -> dict[UUID, Transfer]:
    rows = Transfer.objects.filter(call_id__in=list(call_ids)).order_by("call_id", "-requested_at", "-id")
    return {transfer.call_id: transfer for transfer in rows.distinct("call_id")}


def newest_attempts(transfer_ids: Iterable[UUID]) -> dict[UUID, Attempt]:
    rows = Attempt.objects.filter(transfer_id__in=list(transfer_ids)).select_related("manager")
    return {a.transfer_id: a for a in rows.order_by("transfer_id", "-nth").distinct("transfer_id")}


def strips(lens: Lens, *, call_ids: Iterable[UUID]) -> Sequence[Strip]:
    """Those of these calls that are live and that this lens sees, those that need somebody first."""
    rows = [
        _Live(Call.from_db(DEFAULT_DB_ALIAS, COLUMNS, one[:-4]), *one[-4:])
        for one in _live_rows(lens, ids=list(call_ids))
    ]
    escalated = [row.call.pk for row in rows if row.transfer_versions]  # most calls have no transfer to look for
    transfers = newest_transfers(escalated) if escalated else {}
    attempts = newest_attempts(transfer.pk for transfer in transfers.values()) if transfers else {}
    shown = [_strip(row, transfers.get(row.call.pk), attempts, lens) for row in rows]
    return sorted(shown, key=lambda strip: strip.sort)


SHOWN = {
    *("id", "version", "state", "caller_with", "caller_since", "started_at", "ended_at", "rehearsal"),
    *("source", "caller_number", "caller_last4", "erased_at", "department_id"),
}
COLUMNS = tuple(one.attname for one in Call._meta.concrete_fields if one.attname in SHOWN)  # as `from_db` wants


def _columns(lens: Lens) -> QuerySet[Call, tuple[Any, ...]]:
    calls = lens.calls().filter(OneOf(F("pk"), Argument("ids"))).exclude(state=CallState.INACTIVE)
    shown = (*COLUMNS, "department__name", "last_words", "last_id", "transfer_versions")
    return with_versions(calls).order_by().values_list(*shown)


_live_rows = RowsFor(_columns)


class _Live(NamedTuple):
    """A live call with what a strip needs of it, and no more."""

    call: Call
    department: str | None
    last_words: str | None
    last_id: int
    transfer_versions: int


def _strip(row: _Live, transfer: Transfer | None, attempts: dict[UUID, Attempt], lens: Lens) -> Strip:
    call = row.call
    return Strip(
        id=call.pk,
        version=shown_version(call.version, row.transfer_versions, row.last_id),
        caller=caller_name(call, lens.sight),
        department=row.department or department_name(None),
        department_key=str(call.department_id or 0),
        display=state_display(call, transfer, attempts.get(transfer.pk) if transfer else None),
        words=_cut(row.last_words) if lens.sight.transcript and row.last_words else "",
        started_at=call.started_at,
        rehearsal=call.rehearsal,
        held_since=call.caller_since if call.caller_with == CallerWith.HOLD else None,
    )


def _sortable(at: datetime) -> str:
    """As text that sorts by time, to the millisecond."""
    return f"{at.timestamp():014.3f}"


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else text[:WORDS].rsplit(" ", 1)[0] + " …"


def needs(lens: Lens, *, call_ids: Collection[UUID] | None = None) -> Sequence[Need]:
    """Requests that wait for a person, the oldest first; of these calls, or the oldest of all."""
    found = _oldest_asked(lens) if call_ids is None else _asked_of(lens, ids=list(call_ids))
    if not found:  # as most of the time
        return ()
    asked = Transfer.objects.filter(pk__in=[pk for (pk,) in found]).order_by("requested_at")
    rows = asked.select_related("call__department", "department", "person")
    return [need for transfer in rows if (need := _need(transfer, lens))]


def _asked(lens: Lens) -> QuerySet[Transfer, tuple[Any, ...]]:
    waiting = lens.transfers().filter(state=TransferState.REQUESTED, approved=None)
    return waiting.order_by("requested_at").values_list("pk")


_oldest_asked: RowsFor[Lens] = RowsFor(lambda lens: _asked(lens)[:MOST_NEEDS])
_asked_of: RowsFor[Lens] = RowsFor(lambda lens: _asked(lens).filter(OneOf(F("call_id"), Argument("ids"))))


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
