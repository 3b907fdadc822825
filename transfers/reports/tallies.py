"""The sums: made from the measured rows by PostgreSQL, of a few that are new or of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from transfers.models import EVERY_DEPARTMENT, DayTally, HourTally, ManagerTally, PhaseKind, PhaseTally
from transfers.reports.histogram import BOUNDS
from transfers.reports.reached import MISSED, REACHED

DAY = "(at AT TIME ZONE 'UTC')::date"

# The phases that each measured row has, in columns of their own.
MEASURED = {
    "transfers_measuredtransfer": (PhaseKind.APPROVAL, PhaseKind.HOLD, PhaseKind.TO_PERSON),
    "transfers_measuredattempt": (PhaseKind.RING, PhaseKind.BRIEFING, PhaseKind.MERGE),
}


def _phases_of(table: str) -> str:
    values = ", ".join(f"('{phase}', {phase}_ms)" for phase in MEASURED[table])
    return f"""
        SELECT {DAY} AS day, department, phase, width_bucket(ms, %(bounds)s) AS bucket
        FROM {table}, LATERAL (VALUES {values}) AS measured (phase, ms) WHERE ms IS NOT NULL
    """


# Each phase of each measured row.
PHASES = f"""
    {_phases_of("transfers_measuredtransfer")} AND {{of_transfers}} UNION ALL
    {_phases_of("transfers_measuredattempt")} AND {{of_attempts}}
"""
ADD = (
    f"""
    INSERT INTO transfers_daytally AS old (day, department, asked, end_reason, n, held_to_limit)
    SELECT {DAY}, department, asked, end_reason, count(*), count(*) FILTER (WHERE held_to_limit)
    FROM transfers_measuredtransfer WHERE {{of_transfers}} GROUP BY 1, 2, 3, 4
    ON CONFLICT (day, department, asked, end_reason)
    DO UPDATE SET n = old.n + excluded.n, held_to_limit = old.held_to_limit + excluded.held_to_limit
    """,
    f"""
    INSERT INTO transfers_hourtally AS old (day, hour, department, n, reached, missed)
    SELECT {DAY}, hour, department, count(*), count(*) FILTER (WHERE end_reason = ANY(%(reached)s)),
        count(*) FILTER (WHERE end_reason = ANY(%(missed)s))
    FROM transfers_measuredtransfer WHERE {{of_transfers}} GROUP BY 1, 2, 3
    ON CONFLICT (day, hour, department) DO UPDATE
    SET n = old.n + excluded.n, reached = old.reached + excluded.reached, missed = old.missed + excluded.missed
    """,
    f"""
    WITH by_department AS (
        SELECT day, department, phase, bucket, count(*) AS n FROM ({PHASES}) AS measured GROUP BY 1, 2, 3, 4
    ), daily AS (
        SELECT * FROM by_department UNION ALL
        SELECT day, {EVERY_DEPARTMENT}, phase, bucket, sum(n) FROM by_department GROUP BY 1, 2, 3, 4
    )
    INSERT INTO transfers_phasetally AS old (weekly, day, department, phase, bucket, n)
    SELECT false, day, department, phase, bucket, n FROM daily UNION ALL
    SELECT true, date_trunc('week', day)::date, department, phase, bucket, sum(n) FROM daily GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (weekly, day, department, phase, bucket) DO UPDATE SET n = old.n + excluded.n
    """,
    f"""
    INSERT INTO transfers_managertally AS old (day, department, manager_id, outcome, n)
    SELECT {DAY}, department, manager_id, outcome, count(*)
    FROM transfers_measuredattempt WHERE {{of_attempts}} GROUP BY 1, 2, 3, 4
    ON CONFLICT (day, department, manager_id, outcome) DO UPDATE SET n = old.n + excluded.n
    """,
)

FIXED: dict[str, Any] = {
    "bounds": list(BOUNDS),
    "reached": [reason.value for reason in REACHED],
    "missed": [reason.value for reason in MISSED],
}


def add(transfer_ids: Sequence[UUID], attempt_ids: Sequence[UUID]) -> None:
    """Count these measured rows, in the transaction that wrote them."""
    _run(
        "transfer_id = ANY(%(transfers)s)",
        "attempt_id = ANY(%(attempts)s)",
        transfers=list(transfer_ids),
        attempts=list(attempt_ids),
    )


def add_all() -> None:
    """Count every measured row; the tallies are empty."""
    _run("true", "true")


def clear() -> None:
    for tally in (DayTally, HourTally, PhaseTally, ManagerTally):
        tally.objects.all().delete()


def _run(of_transfers: str, of_attempts: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        for statement in ADD:
            text = statement.format(of_transfers=of_transfers, of_attempts=of_attempts)
            cursor.execute(text, FIXED | values)
