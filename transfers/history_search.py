"""Finds transfers by what is filtered for, newest first, at a cost that does not grow with the past.

Most filters are left to PostgreSQL's planner: it knows how common each value is, and either walks from the newest
on or begins with the rare ones. Three it cannot judge. That a value is common says nothing of one department: who
sees only a few is answered for each of them by itself, from an index that begins with it. Who had part in a
transfer is in five tables: each is asked for its own newest, and those are put in order. What was said is in an
index without any order of time: a stretch of the newest is looked at row by row, which fills a page for every
common word; the others are rare, and are sought by their index from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet

from calls.models import Call, Supervision, Utterance
from transfers.access import NO_DEPARTMENT, Lens
from transfers.history_filters import LAST, Failed, Filters, Kind
from transfers.models import FAILED_ANSWERED, FAILED_UNANSWERED, Attempt, BriefingVersion, Transfer
from transfers.states import EndReason, Outcome

FEW = 8  # departments: more are a part of the whole that fills a page from the newest on
LOOKED_AT = 5000  # transfers of the newest: some 30 ms; what is in one of a hundred fills a page of fifty
Transfers = QuerySet[Transfer]
Rows = QuerySet[Any]  # transfers, or attempts, which have the same columns to be put in order by


@dataclass(frozen=True, order=True)
class Cursor:
    """A row's place; that of the last one of the page above."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"


def cursor_of(text: str) -> Cursor | None:
    at, _, last = text.partition("~")
    try:
        found = Cursor(datetime.fromisoformat(at), UUID(last))
    except ValueError:
        return None
    return found if found.at.tzinfo else None


def newest(lens: Lens, filters: Filters, *, before: Cursor | None, many: int) -> list[UUID]:
    """The ids of the newest `many` that match and come after `before`, newest first."""
    if filters.words and not lens.sight.transcript:
        return []
    if filters.words or filters.supervisor is not None:
        easy, said = _easy(lens, filters), _said(filters.words) if filters.words else None
        found: set[Cursor] = set()
        for part in _parts(filters.supervisor):
            rows = easy.filter(part)
            if said is None:
                found |= set(_first(rows, before, many))
            else:
                found |= set(_with_words(rows, _stretch(lens, filters, rows, before), said, before, many))
    else:
        found = {one for view in _views(lens, filters) for one in _of_view(view, filters, before, many)}
    return [one.id for one in sorted(found, reverse=True)[:many]]


def every(lens: Lens, filters: Filters) -> Transfers:
    """All that match, newest first, in whatever way PostgreSQL thinks the quickest."""
    if filters.words and not lens.sight.transcript:
        return Transfer.objects.none()
    rows = _easy(lens, filters).filter(reduce(or_, _parts(filters.supervisor)))
    if filters.words:
        rows = rows.filter(Exists(_said(filters.words).filter(call=OuterRef("call"))))
    return _ordered(rows)


def _first(rows: Transfers, before: Cursor | None, many: int) -> list[Cursor]:
    places = _after(rows, before).values_list("requested_at", "pk")[:many]
    return [Cursor(at, id) for at, id in places]


class Stretch(NamedTuple):
    """What a search for words looks at row by row: the newest of `rows`, if they are among `matching`."""

    rows: Rows
    id: str  # where these rows have the transfer's
    matching: Transfers


def _stretch(lens: Lens, filters: Filters, rows: Transfers, before: Cursor | None) -> Stretch:
    nothing_else = filters == Filters(words=filters.words, rehearsals=filters.rehearsals)
    if nothing_else and lens.is_of_manager_alone:  # all their past would be put in order
        mine = Attempt.objects.filter(manager=lens.manager_id, requested_at__isnull=False)
        return Stretch(_after(mine, before, id="transfer_id"), "transfer_id", rows)
    return Stretch(_after(rows, before), "pk", Transfer.objects.all())


def _with_words(
    rows: Transfers, near: Stretch, said: QuerySet[Utterance], before: Cursor | None, many: int
) -> list[Cursor]:
    looked_at = near.rows[:LOOKED_AT].values(near.id)
    spoken = near.matching.filter(Exists(said.filter(call=OuterRef("call"))), pk__in=looked_at)
    found = _first(spoken, before, many)  # the cursor again: who walks there begins where those are
    if len(found) == many:
        return found
    last = near.rows.values_list("requested_at", near.id)[LOOKED_AT - 1 : LOOKED_AT].first()
    if last is None:  # that was all
        return found
    rare = rows.filter(OneOf(F("call"), ArraySubquery(said.values("call"))))
    return found + _first(rare, Cursor(*last), many - len(found))


def _ordered(rows: Rows, id: str = "pk") -> Rows:
    return rows.order_by("-requested_at", f"-{id}")


def _after(rows: Rows, before: Cursor | None, id: str = "pk") -> Rows:
    """`id`: where these rows have the transfer's."""
    if before:
        # The first condition says no more than the second, but an index can begin there.
        later = Q(requested_at__lt=before.at) | Q(**{f"{id}__lt": before.id})
        rows = rows.filter(requested_at__lte=before.at).filter(later)
    return _ordered(rows, id)


# ── what PostgreSQL can judge ────────────────────────────────────────────────────────────────────


def _easy(lens: Lens, filters: Filters) -> Transfers:
    rows = _of_transfer(lens.transfers(), filters)
    attempts = _of_attempt(filters)
    if attempts:
        rows = rows.filter(pk__in=Attempt.objects.filter(attempts).values("transfer"))
    return rows


def _of_transfer(rows: Rows, filters: Filters, of: str = "") -> Rows:
    """By what the transfers are, and their calls; `of` is where these rows have the transfer."""
    wanted = _columns(filters) | _of_call(filters)
    rows = rows.filter(_failed_before_ringing(filters.failed, of), **{f"{of}{k}": v for k, v in wanted.items()})
    if filters.longer is not None or filters.shorter is not None:
        rows = rows.annotate(took=F(f"{of}ended_at") - F(f"{of}requested_at"))
        if filters.longer is not None:
            rows = rows.filter(took__gte=timedelta(seconds=filters.longer))
        if filters.shorter is not None:
            rows = rows.filter(took__lte=timedelta(seconds=filters.shorter))
    return rows


def _columns(filters: Filters) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if filters.department is not None:
        wanted["department"] = filters.department
    if filters.result:
        wanted["end_reason"] = filters.result
    if filters.since:
        wanted["requested_at__gte"] = datetime.combine(filters.since, time(), UTC)
    if filters.until:
        wanted["requested_at__lt"] = datetime.combine(filters.until, time(), UTC) + timedelta(days=1)
    if filters.kind in (Kind.WARM, Kind.COLD):
        wanted["kind"] = filters.kind
    return wanted


def _of_call(filters: Filters) -> dict[str, Any]:
    wanted: dict[str, Any] = {} if filters.rehearsals else {"call__rehearsal": False}
    if filters.kind == Kind.CALLBACK:
        wanted["call__source"] = Call.Source.CALLBACK
    if filters.caller:
        exact = "call__caller_last4" if len(filters.caller) <= LAST else "call__caller_number_hmac"
        wanted[exact] = filters.caller
    return wanted


def _of_attempt(filters: Filters) -> Q:
    """All of one attempt: whom Dana declined, not whom Dana was rung for and anybody declined."""
    wanted = Q()
    if filters.manager:
        wanted &= Q(manager=filters.manager)
    if filters.outcome:
        wanted &= Q(outcome=filters.outcome)
    if filters.sip is not None:
        wanted &= Q(sip_status=filters.sip)
    if filters.failed == Failed.RING:
        wanted &= FAILED_UNANSWERED
    elif filters.failed == Failed.CONSULTATION:
        wanted &= FAILED_ANSWERED
    elif filters.failed == Failed.JOIN:
        wanted &= Q(outcome=Outcome.MERGE_FAILED)
    return wanted


def _failed_before_ringing(failed: str, of: str) -> Q:
    if failed == Failed.APPROVAL:
        return Q(**{f"{of}end_reason": EndReason.NOT_APPROVED})
    if failed == Failed.UNTIL_DIAL:
        nobody = Q(**{f"{of}end_reason__in": (EndReason.NO_MANAGER, EndReason.OUTSIDE_HOURS)})
        return nobody & Q(~Exists(Attempt.objects.filter(transfer=OuterRef(f"{of}pk"))))
    return Q()


# ── what it cannot ───────────────────────────────────────────────────────────────────────────────


class View(NamedTuple):
    """What is seen for one reason, as transfers and as attempts."""

    transfers: Transfers
    attempts: QuerySet[Attempt]


def _views(lens: Lens, filters: Filters) -> Sequence[View]:
    """Together they are what this lens sees, as `Lens.transfers` has it."""
    scope = lens.scope
    if scope.every_department:
        return (View(Transfer.objects.all(), Attempt.objects.all()),)
    if len(scope.departments) > FEW:
        seen = lens.transfers()
        return (View(seen, Attempt.objects.filter(transfer__in=seen)),)
    if filters.department in scope.departments:
        return (_where(department=filters.department),)
    views = [_where(call_department=NO_DEPARTMENT)] if scope.sees_calls else []
    for one in scope.departments:
        views += [_where(department=one), _where(call_department=one)]
    if lens.manager_id:
        mine = Attempt.objects.filter(manager=lens.manager_id).order_by().values("transfer")
        views.append(View(Transfer.objects.filter(pk__in=mine), Attempt.objects.filter(transfer__in=mine)))
    return views


def _where(**seen: int | None) -> View:
    return View(Transfer.objects.filter(**seen), Attempt.objects.filter(**seen))


def _of_view(view: View, filters: Filters, before: Cursor | None, many: int) -> list[Cursor]:
    """What is asked of attempts is answered by their own indexes, which are in the history's order."""
    wanted = _of_attempt(filters)
    if not wanted:
        return _first(_of_transfer(view.transfers, filters), before, many)
    tried = _of_transfer(view.attempts.filter(wanted), filters, of="transfer__")
    places = _after(tried, before, id="transfer_id").values_list("requested_at", "transfer_id").distinct()[:many]
    return [Cursor(at, id) for at, id in places if at]


def _said(words: str) -> QuerySet[Utterance]:
    """Turns, on either side: refund, "late refund" as it stands, refund or -invoice."""
    query = SearchQuery(words, config="simple", search_type="websearch")
    return Utterance.objects.filter(words=query).order_by()


def _parts(supervisor: int | None) -> Sequence[Q]:
    """Who asked for it, decided it, stopped it, wrote its briefing, or was in its call: one after the other."""
    if supervisor is None:
        return (Q(),)
    return (
        Q(requested_by=supervisor),
        Q(decided_by=supervisor),
        Q(cancelled_by=supervisor),
        Q(pk__in=BriefingVersion.objects.filter(user=supervisor).order_by().values("transfer")),
        Q(call__in=Supervision.objects.filter(user=supervisor).order_by().values("call")),
    )


class OneOf(Func):
    """One of a list that PostgreSQL makes first: a mere subquery might still become a walk of the whole past."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()
