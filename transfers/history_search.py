"""Finds transfers by what is filtered for, newest first, at a cost that does not grow with the past.

Most filters are left to PostgreSQL's planner: it knows how common each value is, and either walks from the newest
on or begins with the rare ones. Three it cannot judge. That a value is common says nothing of one department: who
sees only a few is answered for each of them by itself, from an index that begins with it. Nor does it of one
manager: of who sees nothing else, a few hundred of the newest are looked at, which fills a page of what is common
there, and then all of theirs at once. Who had part in a transfer is in five tables: each is asked for its own
newest, and those are put in order. What was said is in an index without any order of time: the newest are looked
at in stretches, each as long as would fill the page by what those before it held; words that would need too long a
one are rare, and are sought by their index from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from calls.compiled import OneOf
from transfers.access import NO_DEPARTMENT, Lens
from transfers.history_conditions import (
    Rows,
    Transfers,
    beside_attempts,
    days,
    matching,
    of_attempt,
    of_its_call,
    of_itself,
    of_transfer,
    parts_of,
    said_in,
)
from transfers.history_filters import Filters
from transfers.models import Attempt, Transfer

FEW = 8  # departments: more are a part of the whole that fills a page from the newest on
FIRST_STRETCH = 300  # transfers of the newest, looked at for words; what is in one of six fills a page of fifty
SECOND_STRETCH = 3000  # at most: whether there are enough says this one, of rare words the first does not
MOST_LOOKED_AT = 13_000  # what is rarer is in few enough places to ask the index of all words
OWN_LOOKED_AT = 500  # of a manager's own: some 3 ms; thrice as many if a third of a page is in them
EVERY = 10**9  # a limit beyond all: PostgreSQL then plans to find them all, not to come upon the first ones soon


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
        every_one = matching(lens, filters)
        found: set[Cursor] = set()
        for part in parts_of(filters.supervisor):
            rows = every_one.filter(part)
            if filters.words:
                found |= set(_with_words(rows, _walk(lens, filters, rows), filters.words, before, many))
            else:
                found |= set(_first(rows, before, many))
    elif lens.is_of_manager_alone:
        found = set(_of_ones_own(lens, filters, before, many))
    else:
        found = {one for view in _views(lens, filters) for one in _of_view(view, filters, before, many)}
    return [one.id for one in sorted(found, reverse=True)[:many]]


def every(lens: Lens, filters: Filters) -> Transfers:
    """All that match, newest first, in whatever way PostgreSQL thinks the quickest."""
    if filters.words and not lens.sight.transcript:
        return Transfer.objects.none()
    rows = matching(lens, filters).filter(reduce(or_, parts_of(filters.supervisor)))
    if filters.words:
        rows = rows.filter(Exists(said_in(filters.words).filter(call=OuterRef("call"))))
    return _ordered(rows)


def _first(rows: Rows, before: Cursor | None, many: int, id: str = "pk") -> list[Cursor]:
    """`id`: where these rows have the transfer's; several may be of one."""
    places = _after(rows, before, id).values_list("requested_at", id)
    return [Cursor(at, one) for at, one in (places.distinct() if id != "pk" else places)[:many] if at]


class Walk(NamedTuple):
    """What a search for words goes along, newest first: transfers, or somebody's attempts, in the same order."""

    all: Rows  # of which so many are looked at
    rows: Rows  # those that match but for their words
    id: str = "pk"  # where these rows have the transfer's
    call: str = "call"


def _walk(lens: Lens, filters: Filters, rows: Transfers) -> Walk:
    """If a manager is asked for, or looks, and nothing else is asked: all their past would be put in order."""
    manager = filters.manager or (lens.manager_id if lens.is_of_manager_alone else None)
    if manager is None or filters != Filters(
        words=filters.words, manager=filters.manager, rehearsals=filters.rehearsals
    ):
        return Walk(rows, rows)
    seen = _called(Attempt.objects.all() if manager == lens.manager_id else lens.attempts(), manager)
    if lens.is_of_manager_alone and manager != lens.manager_id:  # both were: few, and found by themselves
        both = Transfer.objects.filter(pk__in=seen.order_by().values("transfer_id")[:EVERY])
        rows = of_transfer(both, filters)
        return Walk(rows, rows)
    return Walk(seen, of_transfer(seen, filters, of="transfer__"), "transfer_id", "transfer__call")


def _called(attempts: QuerySet[Attempt], manager: UUID | None) -> QuerySet[Attempt]:
    """Those of a manager that have a place in the history."""
    return attempts.filter(manager=manager, requested_at__isnull=False)


def _with_words(rows: Transfers, walk: Walk, words: str, before: Cursor | None, many: int) -> list[Cursor]:
    said, found = said_in(words), list[Cursor]()
    looked_at, stretch = 0, FIRST_STRETCH
    while looked_at + stretch <= MOST_LOOKED_AT:
        ahead = _after(walk.all, before, walk.id)
        place = ahead.values_list("requested_at", walk.id)[stretch - 1 : stretch].first()
        last = Cursor(*place) if place else None
        within = _until(last, walk.id)
        # Two indexes say together which turns these are: no other one is read, far away on the disk.
        turns = said.filter(OneOf(F("call"), ArraySubquery(ahead.filter(within).order_by().values(walk.call))))
        near = walk.rows.filter(within, OneOf(F(walk.call), ArraySubquery(turns.values("call"))))
        found += _first(near, before, many - len(found), walk.id)
        if len(found) == many or last is None:
            return found
        before, looked_at = last, looked_at + stretch
        stretch = _next_stretch(looked_at, len(found), many)
    rare = rows.filter(OneOf(F("call"), ArraySubquery(said.values("call"))))
    return found + _first(rare, before, many - len(found))


def _until(last: Cursor | None, id: str) -> Q:
    if last is None:
        return Q()
    return Q(requested_at__gte=last.at) & (Q(requested_at__gt=last.at) | Q(**{f"{id}__gte": last.id}))


def _next_stretch(looked_at: int, found: int, many: int) -> int:
    """How many more to look at to fill the page, if words are as common there, and somewhat more."""
    wanted = max(FIRST_STRETCH, int(1.3 * looked_at * (many - found) / max(found, 0.1)))
    return min(wanted, SECOND_STRETCH) if looked_at < SECOND_STRETCH else wanted


def _ordered(rows: Rows, id: str = "pk") -> Rows:
    return rows.order_by("-requested_at", f"-{id}")


def _after(rows: Rows, before: Cursor | None, id: str = "pk") -> Rows:
    """`id`: where these rows have the transfer's."""
    if before:
        # The first condition says no more than the second, but an index can begin there.
        later = Q(requested_at__lt=before.at) | Q(**{f"{id}__lt": before.id})
        rows = rows.filter(requested_at__lte=before.at).filter(later)
    return _ordered(rows, id)


# ── what it cannot ───────────────────────────────────────────────────────────────────────────────


class View(NamedTuple):
    """What is seen for one reason, as transfers and as attempts."""

    transfers: Transfers
    attempts: QuerySet[Attempt]


def _views(lens: Lens, filters: Filters) -> Sequence[View]:
    """Together they are what this lens sees, as `Lens.transfers` has it."""
    scope = lens.scope
    if scope.every_department or len(scope.departments) > FEW:
        return (View(lens.transfers(), lens.attempts()),)
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
    wanted = of_attempt(filters)
    if not wanted:
        return _first(of_transfer(view.transfers, filters), before, many)
    tried = of_transfer(view.attempts.filter(wanted), filters, of="transfer__")
    return _first(tried, before, many, "transfer_id")


def _narrows(filters: Filters) -> bool:
    """Whether anything is asked but for when."""
    return filters != Filters(since=filters.since, until=filters.until, rehearsals=filters.rehearsals)


def _of_ones_own(lens: Lens, filters: Filters, before: Cursor | None, many: int) -> list[Cursor]:
    """Among the transfers that a manager was called for. That a value is common says nothing of theirs."""
    own = _called(Attempt.objects.all(), lens.manager_id).filter(**days(filters))
    if filters.manager == lens.manager_id:
        own, filters = own.filter(of_attempt(filters)), beside_attempts(filters)
    if not _narrows(filters):
        return _first(of_transfer(own, filters, of="transfer__"), before, many, "transfer_id")
    few = filters.manager is not None or filters.caller  # no page of them is in the newest
    for looked_at in () if few else (OWN_LOOKED_AT, 3 * OWN_LOOKED_AT):
        found = _near(own, filters, before, many, looked_at)
        if len(found) == many:
            return found
        if len(found) < many / 3:
            break
    return _all_of(own, filters, before, many)


def _near(
    own: QuerySet[Attempt], filters: Filters, before: Cursor | None, many: int, looked_at: int
) -> list[Cursor]:
    """Those among the newest of one's own."""
    newest_of_own = ArraySubquery(_after(own, before, "transfer_id").values("transfer_id")[:looked_at])
    wanted = of_attempt(filters)
    if wanted:
        tried = Attempt.objects.filter(wanted, OneOf(F("transfer"), newest_of_own)).order_by()
        near = Q(pk__in=tried.values("transfer_id"))
    else:
        near = Q(OneOf(F("pk"), newest_of_own))
    return _first(of_transfer(Transfer.objects.filter(near), filters), before, many)


def _all_of(own: QuerySet[Attempt], filters: Filters, before: Cursor | None, many: int) -> list[Cursor]:
    """Those among all of one's own, found at once."""
    wanted = of_attempt(filters)
    tried = Attempt.objects.filter(wanted, transfer__in=own.values("transfer_id")) if wanted else own
    ids: Rows = tried.order_by().values("transfer_id")
    if filters.caller:  # who calls is in few transfers, of which PostgreSQL knows
        return _first(of_transfer(Transfer.objects.filter(pk__in=ids), filters), before, many)
    if wanted:
        return _first(of_transfer(Transfer.objects.filter(pk__in=ids[:EVERY]), filters), before, many)
    # By the transfers' own indexes, without their calls.
    ids = of_itself(Transfer.objects.filter(pk__in=ids), filters).values("pk")
    return _first(of_its_call(Transfer.objects.filter(pk__in=ids[:EVERY]), filters), before, many)
