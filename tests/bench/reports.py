"""reports: the whole page of reports, of any range, department and hour, and how long counting takes.

Ten thousand transfers prove nothing of a million: `make bench BIG=1` (see `tests.bench.big`) holds the bar.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from calls.models import Department
from calls.roles import Role
from tests import rows
from tests.bench.figures import Part, Reading, Spread, spread
from tests.bench.ground import Ground
from tests.people import account
from transfers.models import Manager
from transfers.reports import tallies

FEW = 10_000
DEPARTMENTS, MANAGERS = 8, 40
TIMES = 20
Query = dict[str, object]


def measure(ground: Ground) -> Reading:
    ground.rows.emptied()
    departments = [rows.department(f"Department {n}") for n in range(DEPARTMENTS)]
    for n in range(MANAGERS):
        rows.manager(f"Manager {n}", departments[n % DEPARTMENTS])
    people = {
        "an auditor": account(Role.AUDITOR, name="audra"),
        "a supervisor of two departments": account(Role.SUPERVISOR, *departments[:2], name="priya"),
    }
    ground.say(f"  building {FEW:,} measured transfers …")
    counted = build(FEW)
    found = {}
    for who, user in people.items():
        read = pages(user, ground.few(TIMES), [one.pk for one in departments[:2]])
        found |= {f"{what}, as {who}": one for what, one in read.items()}
        ground.say(f"  as {who}: slowest p95 {max(one.p95 for one in read.values()):.0f} ms")
    slowest = max(found, key=lambda name: found[name].p95)
    parts = [Part(f"p95 of {name}", one.p95, "ms") for name, one in found.items()]
    parts.append(Part(f"adding up all {FEW:,} anew", counted, "s"))
    why = "at 10,000; BIG=1 builds a million"
    return Reading(found[slowest].p95, found[slowest], tuple(parts), why=why, judged=False)


def pages(user: User, times: int, departments: Sequence[int]) -> dict[str, Spread]:
    """In ms, by what was asked for; `departments` are those that this person may choose."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    asked = _queries(departments, times + 1)
    return {what: spread([_load(client, query) for query in queries][1:]) for what, queries in asked.items()}


def _load(client: Client, query: Query) -> float:
    began = time.perf_counter()
    answer = client.get(f"/reports?{urlencode(query)}")
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.status_code
    assert b'id="plots"' in answer.content, "the report is empty"
    return took


def _queries(departments: Sequence[int], times: int) -> dict[str, list[Query]]:
    chance = random.Random(7)
    year: Query = {"range": "custom", "since": "2000-01-01"}
    kinds: dict[str, Query] = {"a year": year, **{f"{days} days": {"range": days} for days in ("7", "30", "90")}}
    found: dict[str, list[Query]] = {}
    for name, query in kinds.items():
        found[name] = [query] * times
        found[f"{name} of a department"] = [
            {**query, "department": chance.choice(departments)} for _ in range(times)
        ]
        found[f"{name} at an hour"] = [{**query, "hour": chance.randrange(24)} for _ in range(times)]
    return found


# ── measured rows, as many a day as a million has in two years, made by the server ────────────────────────────
# The transfers that they are of are `tests.bench.past`'s, where those are; they are not needed here.

ID = "('0190' || lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 8, '0'))::uuid"
AT = "now() - interval '730 days' * ((%(many)s - n + 1.0) / 1e6)"
SHARED = f"{ID}, {AT}, extract(hour FROM ({AT}) AT TIME ZONE 'UTC'), (%(departments)s::bigint[])[1 + n %% 8]"
BUILD = (
    f"""
    INSERT INTO transfers_measuredtransfer (transfer_id, at, hour, department, asked, end_reason, held_to_limit,
        approval_ms, hold_ms, to_person_ms)
    SELECT {SHARED}, (ARRAY['ai', 'ai', 'ai', 'supervisor', 'program'])[1 + n %% 5],
        (ARRAY['connected', 'connected', 'connected', 'no_manager', 'declined', 'caller_left'])[1 + n %% 6],
        n %% 50 = 0, CASE WHEN n %% 2 = 0 THEN (exp(random() * 4) * 1000)::int END,
        (exp(random() * 5) * 1000)::int, CASE WHEN n %% 6 < 3 THEN (exp(random() * 5) * 2000)::int END
    FROM generate_series(1, %(many)s) AS n
    """,
    f"""
    INSERT INTO transfers_measuredattempt (attempt_id, at, hour, department, manager_id, outcome, ring_ms,
        briefing_ms, merge_ms)
    SELECT {SHARED}, (%(managers)s::uuid[])[1 + n %% 40],
        (ARRAY['', '', '', 'no_answer', 'declined', 'busy'])[1 + n %% 6], (exp(random() * 3) * 1000)::int,
        CASE WHEN n %% 6 < 4 THEN (exp(random() * 3) * 2000)::int END,
        CASE WHEN n %% 6 < 3 THEN (100 + random() * 900)::int END
    FROM generate_series(1, %(many)s) AS n
    """,
)


def build(many: int) -> float:
    """Measured transfers and their attempts, of the first departments and managers; s that their sums took."""
    values: dict[str, Any] = {
        "many": many,
        "departments": list(Department.objects.order_by("pk").values_list("pk", flat=True)[:DEPARTMENTS]),
        "managers": list(Manager.objects.order_by("pk").values_list("pk", flat=True)[:MANAGERS]),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at
        for statement in BUILD:
            cursor.execute(statement, values)
    began = time.perf_counter()
    tallies.add_all()
    counted = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return counted
