"""The history: transfers newest first, filtered, in pages that cost the same however far back they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from calls.display import Display, caller_name, department_name
from calls.roles import Role
from transfers.access import Lens
from transfers.display import transfer_display
from transfers.history_filters import Filters
from transfers.history_search import Cursor, cursor_of, newest
from transfers.models import Attempt, Transfer
from transfers.record import programs_that_asked

PAGE = 50
NEVER_MS = 10**14
RELATED = ("call", "department", "requested_by")
COLUMNS = (  # texts and the like are of the detail page
    *("id", "version", "state", "end_reason", "requested_at", "held_at", "merged_at", "ended_at"),
    *("call__source", "call__rehearsal", "call__caller_number", "call__caller_last4"),
    *("department__name", "requested_by__username"),
)


@dataclass(frozen=True)
class Row:
    transfer: Transfer
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


def history_page(lens: Lens, filters: Filters, *, before: str = "") -> Page:
    """One page of what this lens sees; `before` is the cursor of the page above."""
    ids = newest(lens, filters, before=cursor_of(before), many=PAGE + 1)
    found = list(_with_columns(Transfer.objects.filter(pk__in=ids)).order_by("-requested_at", "-id"))
    shown, more = found[:PAGE], len(found) > PAGE
    older = str(Cursor(shown[-1].requested_at, shown[-1].pk)) if more else ""
    return Page(rows_of(lens, shown), older)


def rows_of(lens: Lens, transfers: Sequence[Transfer]) -> list[Row]:
    """As they are shown; each with its call, department and who asked for it."""
    managers, programs = _managers(transfers), programs_that_asked(transfers)
    return [_row(one, managers.get(one.pk, ""), lens, programs.get(one.pk, "")) for one in transfers]


def _managers(transfers: Sequence[Transfer]) -> dict[UUID, str]:
    """Who was called last, by name."""
    tried = Attempt.objects.filter(transfer__in=[transfer.pk for transfer in transfers])
    newest_first = tried.order_by("transfer_id", "-nth").distinct("transfer_id")
    return dict(newest_first.values_list("transfer_id", "manager__name"))


def history_row(lens: Lens, transfer_id: UUID) -> Row | None:
    """One transfer as the newest, unfiltered page shows it."""
    found = lens.transfers().filter(call__rehearsal=False, pk=transfer_id).select_related(*RELATED).first()
    return rows_of(lens, [found])[0] if found else None


def _with_columns(rows: QuerySet[Transfer]) -> QuerySet[Transfer]:
    return rows.select_related(*RELATED).only(*COLUMNS)


def _row(transfer: Transfer, manager: str, lens: Lens, program: str) -> Row:
    held_until = transfer.merged_at or transfer.ended_at
    return Row(
        transfer=transfer,
        caller=caller_name(transfer.call, lens.sight),
        department=department_name(transfer.department),
        display=transfer_display(transfer),
        manager=manager,
        took=transfer.ended_at - transfer.requested_at if transfer.ended_at else None,
        held=held_until - transfer.held_at if transfer.held_at and held_until else None,
        asked_by=asked_by(transfer, program),
    )


def asked_by(transfer: Transfer, program: str) -> str:
    if transfer.requested_by:
        return transfer.requested_by.get_username()
    return program or ("rehearsal" if transfer.call.rehearsal else "AI")


def supervisors(lens: Lens) -> QuerySet[User]:
    """Whose part in a transfer can be asked for: those of the departments that this lens sees."""
    if not lens.scope.sees_calls:
        return User.objects.none()
    people = User.objects.filter(groups__name__in=(Role.SUPERVISOR, Role.ADMINISTRATOR))
    if not lens.scope.every_department:
        near = Q(memberships__department__in=lens.scope.departments) | Q(groups__name=Role.ADMINISTRATOR)
        people = people.filter(near)
    return people.distinct().order_by("username").only("username")
