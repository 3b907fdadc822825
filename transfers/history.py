"""The history: transfers newest first, filtered, in pages that cost the same however far back they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When

from calls.compiled import Argument, OneOf, Rows
from calls.display import Display, caller_name, department_name
from calls.roles import Role
from transfers.access import Lens
from transfers.display import transfer_display
from transfers.history_filters import Filters
from transfers.history_search import Cursor, cursor_of, newest
from transfers.models import Attempt, Transfer
from transfers.record import key_that_asked, names_of_keys

PAGE = 50
NEVER_MS = 10**14


@dataclass(frozen=True)
class Row:
    """A transfer as it is shown; spans are None where there is none, or none yet."""

    id: UUID
    version: int
    requested_at: datetime
    rehearsal: bool
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
        return f"{NEVER_MS - round(self.requested_at.timestamp() * 1000):015}"


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row]
    older: str  # the cursor of the next page; empty at the end


def history_page(lens: Lens, filters: Filters, *, before: str = "") -> Page:
    """One page of what this lens sees; `before` is the cursor of the page above."""
    ids = newest(lens, filters, before=cursor_of(before), many=PAGE + 1)
    rows = _rows(lens, ids[:PAGE])
    older = str(Cursor(rows[-1].requested_at, rows[-1].id)) if len(ids) > PAGE else ""
    return Page(rows, older)


def history_row(lens: Lens, transfer_id: UUID) -> Row | None:
    """One transfer as the newest, unfiltered page shows it."""
    shown = lens.transfers().filter(of_rehearsal=False, pk=transfer_id).exists()
    return _rows(lens, [transfer_id])[0] if shown else None


# ── rows as they are read ────────────────────────────────────────────────────────────────────────


class _Read(NamedTuple):
    """Mere values: objects of four models for each row take more time than PostgreSQL does to find them."""

    id: UUID
    version: int
    state: str
    end_reason: str
    requested_at: datetime
    held_at: datetime | None
    merged_at: datetime | None
    ended_at: datetime | None
    source: str
    rehearsal: bool
    caller_number: str
    caller_last4: str
    erased_at: datetime | None
    department: str | None
    requested_by: str | None
    manager: str | None  # who was called last
    key: str | None  # of the program that asked for it


COLUMNS = (
    *("id", "version", "state", "end_reason", "requested_at", "held_at", "merged_at", "ended_at"),
    *("call__source", "call__rehearsal", "call__caller_number", "call__caller_last4", "call__erased_at"),
    *("department__name", "requested_by__username"),
)


def _columns() -> QuerySet[Transfer, tuple[Any, ...]]:
    called_last = Attempt.objects.filter(transfer=OuterRef("pk")).order_by("-nth").values("manager__name")[:1]
    key = Case(When(requested_by=None, then=Subquery(key_that_asked(OuterRef("pk")))))
    return Transfer.objects.order_by("-requested_at", "-id").values_list(*COLUMNS, Subquery(called_last), key)


_of_ids = Rows(lambda: _columns().filter(OneOf(F("pk"), Argument("ids"))))


def _rows(lens: Lens, ids: Sequence[UUID]) -> list[Row]:
    read = [_Read(*values) for values in _of_ids(ids=list(ids))] if ids else []
    programs = names_of_keys({one.key for one in read if one.key})
    displays = {ended: transfer_display(*ended) for ended in {(one.state, one.end_reason) for one in read}}
    return [_row(one, lens, displays[one.state, one.end_reason], programs.get(one.key or "", "")) for one in read]


def _row(read: _Read, lens: Lens, display: Display, program: str) -> Row:
    held_until = read.merged_at or read.ended_at
    return Row(
        id=read.id,
        version=read.version,
        requested_at=read.requested_at,
        rehearsal=read.rehearsal,
        caller=caller_name(read, lens.sight),
        department=read.department or department_name(None),
        display=display,
        manager=read.manager or "",
        took=read.ended_at - read.requested_at if read.ended_at else None,
        held=held_until - read.held_at if read.held_at and held_until else None,
        asked_by=asked_by(read.requested_by, program, rehearsal=read.rehearsal),
    )


def asked_by(username: str | None, program: str, *, rehearsal: bool) -> str:
    return username or program or ("rehearsal" if rehearsal else "AI")


def supervisors(lens: Lens) -> QuerySet[User]:
    """Whose part in a transfer can be asked for: those of the departments that this lens sees."""
    if not lens.scope.sees_calls:
        return User.objects.none()
    people = User.objects.filter(groups__name__in=(Role.SUPERVISOR, Role.ADMINISTRATOR))
    if not lens.scope.every_department:
        near = Q(memberships__department__in=lens.scope.departments) | Q(groups__name=Role.ADMINISTRATOR)
        people = people.filter(near)
    return people.distinct().order_by("username").only("username")
