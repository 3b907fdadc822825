"""The figures of a report, read from the sums; those of one hour of the day, from the measured rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, DateField, F, Model, Q, QuerySet, Sum, When
from django.db.models.functions import Cast, TruncDay, TruncWeek

from transfers.models import (
    EVERY_DEPARTMENT,
    DayTally,
    HourTally,
    ManagerTally,
    MeasuredAttempt,
    MeasuredTransfer,
    PhaseKind,
    PhaseTally,
)
from transfers.reports.histogram import BOUNDS
from transfers.reports.reached import MISSED, REACHED
from transfers.reports.tallies import DAY, MEASURED
from transfers.reports.wanted import Wanted

Histogram = Counter[int]


@dataclass
class Counted:
    """How many transfers there were."""

    n: int = 0
    reached: int = 0
    missed: int = 0
    held_to_limit: int = 0

    def add(self, end_reason: str, n: int, held_to_limit: int = 0) -> None:
        self.n += n
        self.held_to_limit += held_to_limit
        if end_reason in REACHED:
            self.reached += n
        elif end_reason in MISSED:
            self.missed += n

    @property
    def otherwise(self) -> int:
        return self.n - self.reached - self.missed

    @property
    def per_cent(self) -> float | None:
        """Reached, of those of which it could be said."""
        told = self.reached + self.missed
        return 100 * self.reached / told if told else None


@dataclass
class Figures:
    """By day, or by week where more than a few are asked for; see `Wanted.periods`."""

    total: Counted = field(default_factory=Counted)
    periods: dict[date, Counted] = field(default_factory=lambda: defaultdict(Counted))
    hours: dict[int, Counted] = field(default_factory=lambda: defaultdict(Counted))
    departments: dict[int, Counted] = field(default_factory=lambda: defaultdict(Counted))
    end_reasons: Counter[str] = field(default_factory=Counter)
    asked: dict[str, Counted] = field(default_factory=lambda: defaultdict(Counted))
    phases: Mapping[str, Histogram] = field(default_factory=dict)
    to_person: Mapping[date, Histogram] = field(default_factory=dict)  # of each period
    managers: Mapping[UUID, Counter[str]] = field(default_factory=dict)


def read(wanted: Wanted, departments: list[int] | None) -> Figures:
    """`departments`: which may be seen; None is all of them."""
    found = Figures()
    _count(found, wanted, departments)
    if wanted.hour is not None:
        found.hours[wanted.hour] = found.total
    else:
        sums = {"n": Sum("n"), "reached": Sum("reached"), "missed": Sum("missed")}
        for hour, n, reached, missed in _summed(_of(HourTally, wanted, departments), "hour", **sums):
            found.hours[hour] = Counted(n, reached, missed)
    found.phases, found.to_person = _durations(wanted, departments)
    found.managers = _managers(wanted, departments)
    return found


def _of(tally: type[Model], wanted: Wanted, departments: list[int] | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = tally._default_manager.filter(day__gte=wanted.since, day__lte=wanted.until)
    rows = rows.annotate(period=Cast(TruncWeek("day"), DateField()) if wanted.weekly else F("day"))
    return rows if departments is None else rows.filter(department__in=departments)


def _measured(of: type[Model], wanted: Wanted, departments: list[int] | None) -> QuerySet[Any]:
    """The rows of one hour of the day."""
    rows: QuerySet[Any] = of._default_manager.filter(hour=wanted.hour, at__gte=wanted.begins, at__lt=wanted.ends)
    trunc = TruncWeek if wanted.weekly else TruncDay
    rows = rows.annotate(period=trunc("at", output_field=DateField(), tzinfo=UTC))
    return rows if departments is None else rows.filter(department__in=departments)


def _summed(rows: QuerySet[Any], *by: str, **what: Any) -> list[Any]:
    """A row for each combination of `by`, with the sums after it."""
    sums = {f"sum_of_{name}": one for name, one in what.items()}  # no alias may be a column's name
    return list(rows.order_by().values(*by).annotate(**sums).values_list(*by, *sums))


def _count(found: Figures, wanted: Wanted, departments: list[int] | None) -> None:
    sums: dict[str, Any]
    if wanted.hour is None:
        rows, sums = _of(DayTally, wanted, departments), {"n": Sum("n"), "held": Sum("held_to_limit")}
    else:
        held = Count("pk", filter=Q(held_to_limit=True))
        rows, sums = _measured(MeasuredTransfer, wanted, departments), {"n": Count("pk"), "held": held}
    for department, asked, end_reason, n, held_n in _summed(rows, "department", "asked", "end_reason", **sums):
        for counted in (found.total, found.departments[department], found.asked[asked]):
            counted.add(end_reason, n, held_n)
        found.end_reasons[end_reason] += n
    for period, end_reason, n, held_n in _summed(rows, "period", "end_reason", **sums):
        found.periods[period].add(end_reason, n, held_n)


Durations = tuple[Mapping[str, Histogram], Mapping[date, Histogram]]


def _durations(wanted: Wanted, departments: list[int] | None) -> Durations:
    """Of each phase, and from asking to a person by period."""
    whole = _of_an_hour(wanted, departments) if wanted.hour is not None else _of_days(wanted, departments)
    phases: dict[str, Histogram] = defaultdict(Counter)
    periods: dict[date, Histogram] = defaultdict(Counter)
    for period, phase, bucket, n in whole:
        phases[phase][bucket] += n
        if period:
            periods[period][bucket] += n
    return phases, periods


Bucket = tuple[date | None, str, int, int]


def _of_days(wanted: Wanted, departments: list[int] | None) -> list[Bucket]:
    of_these = [EVERY_DEPARTMENT] if departments is None else departments
    rows = _of(PhaseTally, wanted, of_these).filter(weekly=wanted.weekly)
    when = Case(When(phase=PhaseKind.TO_PERSON, then=F("period")), output_field=DateField())
    return _summed(rows.annotate(when=when), "when", "phase", "bucket", n=Sum("n"))


def _of_an_hour(wanted: Wanted, departments: list[int] | None) -> list[Bucket]:
    only = "hour = %(hour)s AND at >= %(begins)s AND at < %(ends)s"
    if departments is not None:
        only += " AND department = ANY(%(departments)s)"
    values: dict[str, Any] = {"bounds": list(BOUNDS), "hour": wanted.hour, "departments": departments}
    values |= {"begins": wanted.begins, "ends": wanted.ends}
    period = f"date_trunc('week', {DAY})::date" if wanted.weekly else DAY
    each = [  # of itself: to group all by their phase's name takes more than twice as long
        f"SELECT {period if phase == PhaseKind.TO_PERSON else 'NULL::date'}, '{phase}', "
        f"width_bucket({phase}_ms, %(bounds)s), count(*) FROM {table} WHERE {phase}_ms IS NOT NULL AND {only} "
        "GROUP BY 1, 3"
        for table, phases in MEASURED.items()
        for phase in phases
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each), values)
        return [(row[0], row[1], row[2], row[3]) for row in cursor.fetchall()]


def _managers(wanted: Wanted, departments: list[int] | None) -> Mapping[UUID, Counter[str]]:
    if wanted.hour is None:
        told = _summed(_of(ManagerTally, wanted, departments), "manager_id", "outcome", count=Sum("n"))
    else:
        rows = _measured(MeasuredAttempt, wanted, departments)
        told = _summed(rows, "manager_id", "outcome", count=Count("pk"))
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    for manager, outcome, n in told:
        found[manager][outcome] += n
    return found
