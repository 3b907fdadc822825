"""history: any page and any filter of the history, as a supervisor, an auditor and a manager see it.

What is judged is reading a page's rows, which is what grows with the past; the whole page is told beside it.

BIG=1 builds a million transfers, as the bar has it; else ten thousand, which proves nothing of a million.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client

from calls.models import Call, Department
from calls.roles import Role
from calls.states import CallState
from tests import rows
from tests.bench.figures import Part, Reading, Spread, spread
from tests.bench.ground import Ground
from tests.people import account
from transfers.access import Lens, lens_of
from transfers.history import filters_of, history_page
from transfers.models import Attempt, Manager, Transfer
from transfers.states import AttemptState, EndReason, TransferState

MILLION, FEW = 1_000_000, 10_000
DEPARTMENTS, MANAGERS = 8, 40
TIMES = 20
Query = dict[str, str]


def measure(ground: Ground) -> Reading:
    many = MILLION if os.environ.get("BIG") == "1" else FEW
    ground.rows.emptied()
    people = _house()
    _build(many, ground.say)
    found: dict[str, Spread] = {}
    for who, user in people.items():
        lens = lens_of(user)
        for what, queries in _queries(lens, ground.few(TIMES)).items():
            found[f"{what}, as {who}"] = spread([_read(lens, query) for query in queries][1:])
        ground.say(f"  as {who}: slowest p95 {max(f.p95 for n, f in found.items() if who in n):.1f} ms")
    slowest = max(found, key=lambda name: found[name].p95)
    parts = [Part(f"p95 of {name}", one.p95, "ms") for name, one in found.items()]
    parts.append(Part("the whole first page with its log-in and HTML, p95", _whole(people, ground), "ms"))
    why = "full text is not part of this version" if many == MILLION else "at 10,000; BIG=1 builds a million"
    return Reading(found[slowest].p95, found[slowest], tuple(parts), why=why, judged=many == MILLION)


def _read(lens: Lens, query: Query) -> float:
    began = time.perf_counter()
    history_page(lens, filters_of(query), before=query.get("before", ""))
    return (time.perf_counter() - began) * 1000


def _whole(people: dict[str, User], ground: Ground) -> float:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(people["a supervisor of one department"])
    return spread([_load(client, {}) for _ in range(ground.few(TIMES) + 1)][1:]).p95


def _load(client: Client, query: Query) -> float:
    began = time.perf_counter()
    answer = client.get(f"/history?{urlencode(query)}")
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.status_code
    return took


def _house() -> dict[str, User]:
    departments = [rows.department(f"Department {n}") for n in range(DEPARTMENTS)]
    managers = [rows.manager(f"Manager {n}", departments[n % DEPARTMENTS]) for n in range(MANAGERS)]
    people = {
        "a supervisor of one department": account(Role.SUPERVISOR, departments[0], name="priya"),
        "an auditor": account(Role.AUDITOR, name="audra"),
        "a manager": account(Role.MANAGER, name="dana"),
    }
    Manager.objects.filter(pk=managers[0].pk).update(user=people["a manager"])
    return people


def _queries(lens: Lens, times: int) -> dict[str, list[Query]]:
    """Each kind of page or filter, with as many of the values that the page offers as there are loads."""
    chance = random.Random(7)
    offered = Manager.objects.filter(departments__in=lens.departments())
    manager_ids = list(offered.order_by("name").values_list("pk", flat=True))
    department_ids = list(lens.departments().values_list("pk", flat=True))
    oldest, newest = (Transfer.objects.order_by(by).values_list("requested_at", flat=True)[0] for by in _ENDS)

    def day() -> str:
        return (oldest + chance.random() * (newest - oldest)).date().isoformat()

    def deep() -> Query:
        at = oldest + chance.random() * (newest - oldest)
        return {"before": f"{at.isoformat()}~{'f' * 8}-ffff-ffff-ffff-{'f' * 12}"}

    def each(make: Callable[[], Query]) -> list[Query]:
        return [make() for _ in range(times + 1)]

    def last4() -> str:
        return f"{chance.randrange(10_000):04}"

    return {
        "the first page": each(dict),
        "a page deep down": each(deep),
        "the last page": each(lambda: {"before": f"{oldest.isoformat()}~{'f' * 8}-ffff-ffff-ffff-{'f' * 12}"}),
        "a department": each(lambda: {"department": str(chance.choice(department_ids))}),
        "a department, deep down": each(lambda: {"department": str(chance.choice(department_ids)), **deep()}),
        "a common result": each(lambda: {"result": "connected"}),
        "a rare result": each(lambda: {"result": "error"}),
        "a result that never was": each(lambda: {"result": "callback"}),
        "a manager": each(lambda: {"manager": str(chance.choice(manager_ids))}),
        "a manager and a rare result": each(
            lambda: {"manager": str(chance.choice(manager_ids)), "result": "error"}
        ),
        "a day": each(lambda: {"since": (one := day()), "until": one}),
        "up to a day": each(lambda: {"until": day()}),
        "a caller's last four": each(lambda: {"caller": last4()}),
        "a caller's full number": each(lambda: {"caller": f"+1202{chance.randrange(10**7):07}"}),
        "a caller and a department": each(
            lambda: {"caller": last4(), "department": str(chance.choice(department_ids))}
        ),
        "with rehearsals": each(lambda: {"rehearsals": "1"}),
    }


_ENDS = ("requested_at", "-requested_at")


# ── a past of so many transfers ──────────────────────────────────────────────────────────────────
# Copies of one call with its transfer and attempt, made by the server itself, spread over two years: the n-th of
# so many differs in what pages and filters look at.

SLICE = 100_000
ID = "('0190' || lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 8, '0'))::uuid"
AT = "(now() - interval '730 days' * ((%(many)s - n + 1.0) / %(many)s))"
RESULT = (
    "CASE WHEN n %% 10 < 7 THEN 'connected' WHEN n %% 5000 = 9 THEN 'error' "
    "WHEN n %% 10 = 9 THEN 'no_manager' ELSE 'declined' END"
)
JOINED = "n %% 10 < 7"
DIFFERENT: dict[type[Model], dict[str, str]] = {
    Call: {
        "id": ID,
        "room_name": "'call-' || n",
        "department_id": "(%(departments)s::bigint[])[1 + n %% %(departments_n)s]",
        "caller_number_hmac": "md5(n::text) || md5(n::text)",
        "caller_last4": "lpad((n::bigint * 7919 %% 10000)::text, 4, '0')",
        "rehearsal": "n %% 200 = 0",
        "started_at": AT,
        "ended_at": f"{AT} + interval '4 minutes'",
    },
    Transfer: {
        "id": ID,
        "call_id": ID,
        "request_key": ID,
        "department_id": "(%(departments)s::bigint[])[1 + n %% %(departments_n)s]",
        "state": f"CASE WHEN {JOINED} THEN 'completed' ELSE 'failed' END",
        "end_reason": RESULT,
        "requested_at": f"{AT} + interval '1 minute'",
        "held_at": f"{AT} + interval '1 minute'",
        "merged_at": f"CASE WHEN {JOINED} THEN {AT} + interval '90 seconds' END",
        "ended_at": f"{AT} + interval '4 minutes'",
    },
    Attempt: {
        "id": ID,
        "transfer_id": ID,
        "manager_id": "(%(managers)s::uuid[])[1 + n %% %(managers_n)s]",
        "state": f"CASE WHEN {JOINED} THEN 'ended' ELSE 'failed' END",
        "outcome": f"CASE WHEN {JOINED} THEN '' ELSE 'no_answer' END",
        "reserved_at": f"{AT} + interval '1 minute'",
    },
}


def _build(many: int, say: Callable[[str], None]) -> None:
    say(f"  building {many:,} transfers …")
    first_department = Department.objects.order_by("pk")[0]
    call = rows.call(first_department, seconds=400, state=CallState.INACTIVE, ended_at=rows.ago(100))
    transfer = rows.transfer(call, TransferState.COMPLETED, end_reason=EndReason.CONNECTED, ended_at=rows.ago(100))
    attempt = rows.attempt(transfer, Manager.objects.order_by("name")[0], AttemptState.ENDED)
    values = {
        "many": many,
        "departments_n": DEPARTMENTS,
        "managers_n": MANAGERS,
        "departments": list(Department.objects.order_by("pk").values_list("pk", flat=True)),
        "managers": list(Manager.objects.order_by("name").values_list("pk", flat=True)),
    }
    for first, last in _slices(many):
        for row in (call, transfer, attempt):
            _copy(row, {**values, "pk": row.pk, "first": first, "last": last})
        if last < many:
            say(f"    {last:,}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE calls_call, transfers_transfer, transfers_attempt")


def _copy(row: Model, values: dict[str, Any]) -> None:
    different = DIFFERENT[type(row)]
    columns = [str(field.column) for field in row._meta.concrete_fields]
    sources = ", ".join(different.get(name, f'one."{name}"') for name in columns)
    table, names = row._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {sources} "
            f"FROM {table} AS one, generate_series(%(first)s, %(last)s) AS n WHERE one.id = %(pk)s",
            values,
        )


def _slices(many: int) -> Iterator[tuple[int, int]]:
    for first in range(1, many + 1, SLICE):
        yield first, min(first + SLICE - 1, many)
