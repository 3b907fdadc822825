"""reports: the whole page of reports, of any range, department and hour, and how long counting takes.

BIG=1 builds a million measured transfers over two years, as the bar has it; else ten thousand, which proves
nothing of a million.
"""

from __future__ import annotations

import os
import random
import time
from urllib.parse import urlencode

from django.db import connection, transaction
from django.test import Client

from calls.roles import Role
from tests import rows
from tests.bench.figures import Part, Reading, Spread, spread
from tests.bench.ground import Ground
from tests.people import account
from transfers.models import Manager
from transfers.reports import tallies

MILLION, FEW = 1_000_000, 10_000
DEPARTMENTS, MANAGERS = 8, 40
TIMES = 20
Query = dict[str, object]


def measure(ground: Ground) -> Reading:
    many = MILLION if os.environ.get("BIG") == "1" else FEW
    ground.rows.emptied()
    departments = [rows.department(f"Department {n}") for n in range(DEPARTMENTS)]
    for n in range(MANAGERS):
        rows.manager(f"Manager {n}", departments[n % DEPARTMENTS])
    people = {
        "an auditor": account(Role.AUDITOR, name="audra"),
        "a supervisor of two departments": account(Role.SUPERVISOR, *departments[:2], name="priya"),
    }
    ids = [one.pk for one in departments]
    _build(many, ids, ground)
    began = time.perf_counter()
    tallies.add_all()
    counted = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    found: dict[str, Spread] = {}
    for who, user in people.items():
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user)
        for what, queries in _queries(ids[:2], ground.few(TIMES) + 1).items():
            found[f"{what}, as {who}"] = spread([_load(client, query) for query in queries][1:])
        ground.say(f"  as {who}: slowest p95 {max(f.p95 for n, f in found.items() if who in n):.0f} ms")
    slowest = max(found, key=lambda name: found[name].p95)
    parts = [Part(f"p95 of {name}", one.p95, "ms") for name, one in found.items()]
    parts.append(Part(f"adding up all {many:,} anew", counted, "s"))
    why = "" if many == MILLION else "at 10,000; BIG=1 builds a million"
    return Reading(found[slowest].p95, found[slowest], tuple(parts), why=why, judged=many == MILLION)


def _load(client: Client, query: Query) -> float:
    began = time.perf_counter()
    answer = client.get(f"/reports?{urlencode(query)}")
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.status_code
    assert b'id="plots"' in answer.content, "the report is empty"
    return took


def _queries(departments: list[int], times: int) -> dict[str, list[Query]]:
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


# ── measured rows of two years, made by the server ───────────────────────────────────────────────────────────────
# The transfers that they are of are not needed here.

ID = "('0190' || lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 8, '0'))::uuid"
AT = "now() - interval '730 days' * ((%(many)s - n + 1.0) / %(many)s)"
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


def _build(many: int, departments: list[int], ground: Ground) -> None:
    ground.say(f"  building {many:,} measured transfers …")
    managers = list(Manager.objects.values_list("pk", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at
        for statement in BUILD:
            cursor.execute(statement, {"many": many, "departments": departments, "managers": managers})
