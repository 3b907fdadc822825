"""The history: transfers newest first, filtered, in pages that cost the same however far back they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from calls.display import Display, caller_name
from calls.services.calls import number_hmac
from transfers.access import Lens
from transfers.board import newest_attempts
from transfers.display import transfer_display
from transfers.models import Attempt, Transfer
from transfers.record import programs_that_asked
from transfers.states import EndReason

PAGE = 50
NEVER_MS = 10**14
RELATED = ("call", "department", "requested_by")
COLUMNS = (  # texts and the like are of the detail page
    *("id", "version", "state", "end_reason", "requested_at", "held_at", "merged_at", "ended_at"),
    *("call__source", "call__rehearsal", "call__caller_number", "call__caller_last4"),
    *("department__name", "requested_by__username"),
)


@dataclass(frozen=True)
class Filters:
    department: int | None = None
    result: str = ""
    manager: UUID | None = None
    since: date | None = None
    until: date | None = None
    caller: str = ""
    rehearsals: bool = False

    @property
    def any(self) -> bool:
        return self != Filters(rehearsals=self.rehearsals)


@dataclass(frozen=True)
class Row:
    transfer: Transfer
    when: str  # in UTC
    caller: str
    department: str
    display: Display
    manager: str
    took: timedelta | None
    held: timedelta | None
    asked_by: str

    @property
    def sort(self) -> str:
        """Newest first, in the browser's order of texts."""
        return f"{NEVER_MS - round(self.transfer.requested_at.timestamp() * 1000):015}"


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row]
    older: str  # the cursor of the next page; empty at the end


def filters_of(query: Mapping[str, str]) -> Filters:
    """From the address; what does not parse is no filter."""
    department = query.get("department", "")
    result = query.get("result", "")
    return Filters(
        department=int(department) if department.isdigit() else None,
        result=result if result in EndReason.values else "",
        manager=_uuid(query.get("manager", "")),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        caller=query.get("caller", "").strip()[:20],
        rehearsals=query.get("rehearsals") == "1",
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def history_page(lens: Lens, filters: Filters, *, before: str = "") -> Page:
    """One page of what this lens sees; `before` is the cursor of the page above."""
    rows = _filtered(lens.transfers(), filters)
    cursor = _cursor(before)
    if cursor:
        at, last = cursor
        # The first condition says no more than the second, but an index can begin there.
        rows = rows.filter(requested_at__lte=at).filter(Q(requested_at__lt=at) | Q(pk__lt=last))
    rows = rows.select_related(*RELATED).only(*COLUMNS)
    found = list(rows.order_by("-requested_at", "-id")[: PAGE + 1])
    shown, more = found[:PAGE], len(found) > PAGE
    attempts = newest_attempts(transfer.pk for transfer in shown)
    older = f"{shown[-1].requested_at.isoformat()}~{shown[-1].pk}" if more else ""
    programs = programs_that_asked(shown)
    return Page([_row(one, attempts.get(one.pk), lens, programs.get(one.pk, "")) for one in shown], older)


def history_row(lens: Lens, transfer_id: UUID) -> Row | None:
    """One transfer as the newest, unfiltered page shows it."""
    rows = _filtered(lens.transfers(), Filters()).select_related(*RELATED)
    found = rows.filter(pk=transfer_id).first()
    if found is None:
        return None
    program = programs_that_asked([found]).get(found.pk, "")
    return _row(found, newest_attempts([transfer_id]).get(transfer_id), lens, program)


def _filtered(rows: QuerySet[Transfer], filters: Filters) -> QuerySet[Transfer]:
    wanted: dict[str, Any] = {}
    if not filters.rehearsals:
        wanted["call__rehearsal"] = False
    if filters.department is not None:
        wanted["department"] = filters.department
    if filters.result:
        wanted["end_reason"] = filters.result
    if filters.since:
        wanted["requested_at__gte"] = datetime.combine(filters.since, time(), UTC)
    if filters.until:
        wanted["requested_at__lt"] = datetime.combine(filters.until + timedelta(days=1), time(), UTC)
    if filters.caller:
        digits = "".join(c for c in filters.caller if c.isdigit())
        if len(digits) <= 4:
            wanted["call__caller_last4"] = digits
        else:
            wanted["call__caller_number_hmac"] = number_hmac(f"+{digits}")
    rows = rows.filter(**wanted)
    if filters.manager:
        rows = rows.filter(pk__in=Attempt.objects.filter(manager=filters.manager).values("transfer"))
    return rows


def _cursor(text: str) -> tuple[datetime, UUID] | None:
    at, _, last = text.partition("~")
    try:
        return datetime.fromisoformat(at), UUID(last)
    except ValueError:
        return None


def _row(transfer: Transfer, attempt: Attempt | None, lens: Lens, program: str) -> Row:
    held_until = transfer.merged_at or transfer.ended_at
    return Row(
        transfer=transfer,
        when=f"{transfer.requested_at:%-d %b %Y, %H:%M:%S}",
        caller=caller_name(transfer.call, lens.sight),
        department=transfer.department.name if transfer.department else "Unassigned",
        display=transfer_display(transfer),
        manager=attempt.manager.name if attempt else "",
        took=transfer.ended_at - transfer.requested_at if transfer.ended_at else None,
        held=held_until - transfer.held_at if transfer.held_at and held_until else None,
        asked_by=asked_by(transfer, program),
    )


def asked_by(transfer: Transfer, program: str) -> str:
    if transfer.requested_by:
        return transfer.requested_by.get_username()
    return program or ("rehearsal" if transfer.call.rehearsal else "AI")
