"""The figures as tables: what the page shows, what its plots draw, and what a CSV file holds."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from calls.display import department_name
from calls.models import Department
from transfers.access import NO_DEPARTMENT
from transfers.models import Asked, Manager, PhaseKind
from transfers.reports.histogram import percentiles
from transfers.reports.read import Counted, Figures, Histogram
from transfers.reports.wanted import Wanted
from transfers.states import EndReason, Outcome

PER_CENTS = (50, 90, 99)
SPANS = {
    PhaseKind.TO_PERSON: gettext_noop("asked for, until joined with one"),
    PhaseKind.APPROVAL: gettext_noop("asked for, until somebody has decided"),
    PhaseKind.HOLD: gettext_noop("on hold, until joined or back with the AI"),
    PhaseKind.RING: gettext_noop("dialled, until answered or given up"),
    PhaseKind.BRIEFING: gettext_noop("begun, until spoken to its end"),
    PhaseKind.MERGE: gettext_noop("accepted, until joined"),
}
DECLINED = (Outcome.DECLINED, Outcome.REDIRECTED)
MISSED = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.SILENT, Outcome.HUNG_UP)
COUNTS = (
    gettext_noop("Asked for"),
    gettext_noop("Reached"),
    gettext_noop("Not reached"),
    gettext_noop("Otherwise"),
    gettext_noop("Reached (%)"),
)
NONE = "–"


@dataclass(frozen=True)
class Row:
    """`name` says of what; `url` opens the transfers behind it, if the history can show just these."""

    name: str
    values: Sequence[str]
    url: str = ""


@dataclass(frozen=True)
class Table:
    key: str
    title: str
    about: str
    columns: Sequence[str]  # the first is of the names
    rows: Sequence[Row]
    plots: Sequence[str] = ()
    long: bool = False


def tables(found: Figures, wanted: Wanted) -> list[Table]:
    return [
        _phases(found),
        _periods(found, wanted),
        _hours(found),
        _departments(found, wanted),
        _end_reasons(found, wanted),
        _asked(found),
        _managers(found, wanted),
    ]


def _phases(found: Figures) -> Table:
    measured = {phase: found.phases.get(phase, Histogram()) for phase in SPANS}
    rows = [
        Row(str(phase.label), (str(counts.total()), *_percentiles(counts), gettext(SPANS[phase])))
        for phase, counts in measured.items()
    ]
    about = gettext(
        "p50: half took no longer; p90: nine of ten; p99: ninety-nine of a hundred. Each within 2.5 %."
    )
    columns = (
        gettext("What"),
        gettext("Measured"),
        *(f"p{p} (s)" for p in PER_CENTS),
        gettext("From … until"),
    )
    return Table("phases", gettext("How long it takes"), about, columns, rows)


def _percentiles(counts: Histogram | None) -> list[str]:
    return [seconds(ms) for ms in percentiles(counts or {}, PER_CENTS)]


def seconds(ms: float | None) -> str:
    if ms is None:
        return NONE
    return f"{ms / 1000:.1f}" if ms >= 1000 else f"{ms / 1000:.2f}"


def _counts(counted: Counted) -> list[str]:
    return [
        *map(str, (counted.n, counted.reached, counted.missed, counted.otherwise)),
        _per_cent(counted.per_cent),
    ]


def _per_cent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}"


def _share(part: int, whole: int) -> str:
    return _per_cent(100 * part / whole if whole else None)


def _periods(found: Figures, wanted: Wanted) -> Table:
    rows = [
        Row(
            f"{period.first:%-d %b %Y}",
            [
                *_counts(found.periods.get(period.first, Counted())),
                *_percentiles(found.to_person.get(period.first)),
            ],
            wanted.history(since=period.first.isoformat(), until=period.last.isoformat()),
        )
        for period in reversed(wanted.periods())
    ]
    name = gettext("Week from (UTC)") if wanted.weekly else gettext("Day (UTC)")
    columns = (
        name,
        *map(gettext, COUNTS),
        *(gettext("To a person, p%(per_cent)s (s)") % {"per_cent": p} for p in PER_CENTS),
    )
    title = gettext("Week by week") if wanted.weekly else gettext("Day by day")
    about = gettext("Transfers that are over, by when they were asked for.")
    return Table("days", title, about, columns, rows, ("to-person", "days"), long=True)


def _hours(found: Figures) -> Table:
    rows = [Row(f"{hour:02}:00–{hour:02}:59", _counts(found.hours.get(hour, Counted()))) for hour in range(24)]
    about = gettext(
        "When people are asked for, and when they are reached: hours of the day in UTC, over the whole range."
    )
    return Table(
        "hours",
        gettext("Hour by hour"),
        about,
        (gettext("Hour (UTC)"), *map(gettext, COUNTS)),
        rows,
        ("hours",),
        long=True,
    )


def _departments(found: Figures, wanted: Wanted) -> Table:
    names = dict(Department.objects.filter(pk__in=found.departments).values_list("pk", "name"))
    names[NO_DEPARTMENT] = department_name(None)
    rows = [
        Row(
            names.get(pk, gettext("Department %(number)s") % {"number": pk}),
            [*_counts(counted), str(counted.held_to_limit)],
            wanted.history(department=pk) if pk else "",
        )
        for pk, counted in found.departments.items()
    ]
    about = gettext(
        "Held to the limit: on hold as long as the department allows, after which the AI takes the caller back."
    )
    columns = (gettext("Department"), *map(gettext, COUNTS), gettext("Held to the limit"))
    return Table("departments", gettext("Departments"), about, columns, sorted(rows, key=lambda row: row.name))


def _end_reasons(found: Figures, wanted: Wanted) -> Table:
    labels: dict[str, str] = {key: str(words) for key, words in EndReason.choices}
    rows = [
        Row(labels.get(reason, reason), (str(n), _share(n, found.total.n)), wanted.history(result=reason))
        for reason, n in found.end_reasons.most_common()
    ]
    about = gettext("Reached is “Connected” or a cold transfer; the wallboard counts alike.")
    return Table(
        "results",
        gettext("How they ended"),
        about,
        (gettext("Ended as"), gettext("Transfers"), gettext("Share (%)")),
        rows,
    )


def _asked(found: Figures) -> Table:
    labels: dict[str, str] = {key: str(words) for key, words in Asked.choices}
    by = sorted(found.asked.items(), key=lambda one: -one[1].n)
    rows = [
        Row(labels.get(who, who), (str(one.n), _share(one.n, found.total.n), _per_cent(one.per_cent)))
        for who, one in by
    ]
    about = gettext(
        "Who asked, which is why: callers ask through the AI; a cut talk and a promised callback ask again."
    )
    return Table(
        "asked",
        gettext("Why people are asked for"),
        about,
        (gettext("Asked by"), gettext("Transfers"), gettext("Share (%)"), gettext(COUNTS[-1])),
        rows,
    )


def _managers(found: Figures, wanted: Wanted) -> Table:
    names = dict(Manager.objects.filter(pk__in=found.managers).values_list("pk", "name"))
    rows = [_manager(pk, names.get(pk, NONE), outcomes, wanted) for pk, outcomes in found.managers.items()]
    columns = (
        gettext("Manager"),
        gettext("Rung"),
        gettext("Took it"),
        gettext("Declined"),
        gettext("Missed"),
        gettext("Otherwise"),
        gettext("Answered (%)"),
    )
    about = gettext(
        "Missed: no answer, busy, voicemail, silent or hung up. Otherwise: the caller left, or the line failed: "
        "nothing that a manager can help."
    )
    return Table("managers", gettext("Managers"), about, columns, sorted(rows, key=lambda row: row.name))


def _manager(pk: UUID, name: str, outcomes: Mapping[str, int], wanted: Wanted) -> Row:
    rung, took = sum(outcomes.values()), outcomes.get("", 0)
    declined, missed = (sum(outcomes.get(one, 0) for one in kinds) for kinds in (DECLINED, MISSED))
    answered = took + declined
    counts = (rung, took, declined, missed, rung - answered - missed)
    return Row(name, [*map(str, counts), _share(answered, answered + missed)], wanted.history(manager=pk))


# ── as a file ────────────────────────────────────────────────────────────────────────────────────


def as_csv(table: Table) -> str:
    """A spreadsheet takes no name for a formula; what was not measured is an empty cell."""
    text = StringIO()
    out = csv.writer(text)
    out.writerow(table.columns)
    out.writerows(
        [_harmless(row.name), *("" if value == NONE else value for value in row.values)] for row in table.rows
    )
    return text.getvalue()


def _harmless(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name


# ── as plots ─────────────────────────────────────────────────────────────────────────────────────

Plot = dict[str, object]


def plots(found: Figures, wanted: Wanted) -> list[Plot]:
    """What `reports.js` draws: labels along, and series of numbers or gaps. Each is in a table, too."""
    periods = wanted.periods()
    labels = [f"{period.first:%-d %b}" for period in periods]
    read = [percentiles(found.to_person.get(period.first, Histogram()), PER_CENTS) for period in periods]
    lines = [
        _series(f"p{p}", role, [_in_seconds(one[nth]) for one in read])
        for nth, (p, role) in enumerate(zip(PER_CENTS, ("merged", "approval", "failed"), strict=True))
    ]
    return [
        {"id": "to-person", "kind": "lines", "unit": "s", "labels": labels, "series": lines},
        {"id": "days", "labels": labels, **_bars([found.periods.get(one.first, Counted()) for one in periods])},
        {
            "id": "hours",
            "labels": [f"{hour:02}" for hour in range(24)],
            **_bars([found.hours.get(hour, Counted()) for hour in range(24)]),
        },
    ]


def _bars(counted: Iterable[Counted]) -> Plot:
    """One upon the other: each series holds the height of its top."""
    all_of_them = list(counted)
    series = [
        _series(gettext("Otherwise"), "ended", [one.n for one in all_of_them]),
        _series(gettext("Not reached"), "failed", [one.reached + one.missed for one in all_of_them]),
        _series(gettext("Reached"), "merged", [one.reached for one in all_of_them]),
    ]
    return {"kind": "bars", "unit": "", "series": series}


def _series(name: str, role: str, values: Sequence[float | None]) -> Plot:
    return {"name": name, "role": role, "values": values}


def _in_seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 2)
