"""A past of so many transfers, made by PostgreSQL itself: copies of one call with everything that belongs to it,
spread over two years. The n-th of so many differs in what pages, filters and searches look at.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model

from calls.models import Call, Department, Utterance
from calls.roles import Role
from calls.states import CallState
from tests import rows
from tests.people import account
from transfers.models import Attempt, Manager, Transfer
from transfers.states import AttemptState, EndReason, TransferState

DEPARTMENTS, MANAGERS, SUPERVISORS = 8, 40, 20
SLICE = 50_000
AT_ONCE = 2  # slices
Say = Callable[[str], None]

ID = "('0190' || lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 8, '0'))::uuid"
# Never a whole second: as text, Python leaves those out.
AT = "(date_trunc('second', now()) - interval '730 days' * ((%(many)s - n + 1.0) / %(many)s))"
JOINED = "n %% 10 < 7"
# Mixed, so that each department has of everything; but the first, and the small one, which is the last, have
# nothing of what is `ELSEWHERE`.
NTH = "(n::bigint * 48271 %% 65537) %% %(departments_n)s"
DEPARTMENT = f"(%(departments)s::bigint[])[CASE WHEN n %% 2000 = 1 THEN 1 + %(departments_n)s ELSE 1 + {NTH} END]"
ELSEWHERE = f"{NTH} > 0 AND n %% 20 = 8"
RESULT = (
    "CASE WHEN n %% 10 < 7 THEN 'connected' WHEN n %% 5000 = 9 THEN 'error' "
    f"WHEN {ELSEWHERE} THEN 'outside_hours' "
    "WHEN n %% 100 = 19 THEN 'not_approved' WHEN n %% 10 = 9 THEN 'no_manager' ELSE 'declined' END"
)
# One of its own: `house` gives each department every so manieth.
MANAGER = f"(%(managers)s::uuid[])[1 + {NTH} + %(departments_n)s * ((n::bigint * 16807 %% 65539) %% %(of_each)s)]"
# Most ask the AI; of the others some ask often, and the last hardly ever.
ASKER = (
    "CASE WHEN n %% 3 = 0 THEN (%(people)s::bigint[])[1 + floor(%(people_n)s * power((n %% 997) / 997.0, 4))] END"
)
DIFFERENT: dict[type[Model], dict[str, str]] = {
    Call: {
        "id": ID,
        "room_name": "'call-' || n",
        "department_id": DEPARTMENT,
        "caller_number_hmac": "md5(n::text) || md5(n::text)",
        "caller_last4": "lpad((n::bigint * 7919 %% 10000)::text, 4, '0')",
        "source": "CASE WHEN n %% 500 = 3 THEN 'callback' ELSE 'phone' END",
        "rehearsal": "n %% 200 = 0",
        "started_at": AT,
        "ended_at": f"{AT} + interval '4 minutes'",
    },
    Transfer: {
        "id": ID,
        "call_id": ID,
        "request_key": ID,
        "kind": "CASE WHEN n %% 2000 = 5 THEN 'cold' ELSE 'warm' END",
        "department_id": DEPARTMENT,
        "requested_by_id": ASKER,
        "state": f"CASE WHEN {JOINED} THEN 'completed' ELSE 'failed' END",
        "end_reason": RESULT,
        "requested_at": f"{AT} + interval '1 minute'",
        "held_at": f"{AT} + interval '1 minute'",
        "merged_at": f"CASE WHEN {JOINED} THEN {AT} + interval '90 seconds' END",
        "ended_at": f"{AT} + interval '1 minute' + interval '1 second' * (30 + power(n %% 1009, 2) / 700)",
        "measured": "true",
    },
    Attempt: {
        "id": ID,
        "transfer_id": ID,
        "manager_id": MANAGER,
        "state": f"CASE WHEN {JOINED} THEN 'ended' ELSE 'failed' END",
        "outcome": f"CASE WHEN {JOINED} THEN '' WHEN n %% 4000 = 18 THEN 'merge_failed' "
        f"WHEN {ELSEWHERE} THEN 'voicemail' WHEN n %% 20 = 18 THEN 'busy' ELSE 'no_answer' END",
        "sip_status": f"CASE WHEN {JOINED} THEN NULL WHEN n %% 20000 = 19 THEN 603 "
        f"WHEN {ELSEWHERE} THEN 487 WHEN n %% 20 = 18 THEN 486 ELSE 480 END",
        "reserved_at": f"{AT} + interval '1 minute'",
        "dialed_at": f"{AT} + interval '1 minute'",
        "answered_at": f"CASE WHEN {JOINED} OR n %% 4000 = 18 OR ({ELSEWHERE}) "
        f"THEN {AT} + interval '70 seconds' END",
    },
}
# Ten words each, the common ones often; and in every turn of a caller a number that is in a few turns only.
SENTENCES = 5000
VOCABULARY = 20_000
TURNS = 4
SAID = """
INSERT INTO calls_utterance (call_id, speaker, side, text, started_at, after_merge)
SELECT {ID}, (ARRAY['ai', 'caller'])[1 + t %% 2], 'call',
       (%(sentences)s::text[])[1 + (n::bigint * 48271 + t * 16807) %% %(sentences_n)s]
       || CASE WHEN t = 1 THEN ' order ' || n / 3 ELSE '' END,
       {AT} + interval '10 seconds' * t, false
FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, %(turns)s) AS t
"""


def house() -> dict[str, User]:
    """Departments, managers, supervisors; and who looks at the past."""
    departments = [rows.department(f"Department {n}") for n in range(DEPARTMENTS)]
    small = rows.department("Small department")  # one in two thousand
    managers = [rows.manager(f"Manager {n}", departments[n % DEPARTMENTS]) for n in range(MANAGERS)]
    people = {
        "a supervisor of one department": account(Role.SUPERVISOR, departments[0], name="priya"),
        "a supervisor of a small department": account(Role.SUPERVISOR, small, name="sam"),
        "an auditor": account(Role.AUDITOR, name="audra"),
        "a manager": account(Role.MANAGER, name="dana"),
    }
    managers[1].departments.add(small)
    for n in range(SUPERVISORS):
        account(Role.SUPERVISOR, departments[n % DEPARTMENTS], name=f"supervisor-{n:02}")
    Manager.objects.filter(pk=managers[0].pk).update(user=people["a manager"])
    return people


def build(many: int, say: Say) -> None:
    """Calls, transfers, attempts and what was said."""
    say(f"  building {many:,} transfers …")
    first_department = Department.objects.order_by("pk")[0]
    call = rows.call(first_department, seconds=400, state=CallState.INACTIVE, ended_at=rows.ago(100))
    transfer = rows.transfer(call, TransferState.COMPLETED, end_reason=EndReason.CONNECTED, ended_at=rows.ago(100))
    attempt = rows.attempt(transfer, Manager.objects.order_by("name")[0], AttemptState.ENDED)
    people = User.objects.filter(username__startswith="supervisor-").order_by("username")
    values = {
        "many": many,
        "departments_n": DEPARTMENTS,
        "of_each": MANAGERS // DEPARTMENTS,
        "people_n": SUPERVISORS,
        "departments": list(Department.objects.order_by("pk").values_list("pk", flat=True)),
        "managers": list(Manager.objects.order_by("pk").values_list("pk", flat=True)),  # as they were made
        "people": list(people.values_list("pk", flat=True)),
        "sentences": list(sentences()),
        "sentences_n": SENTENCES,
        "turns": TURNS,
    }
    index = _without_index("utterance_words") if many > SLICE else ""

    def one(part: tuple[int, int]) -> None:
        try:
            for row in (call, transfer, attempt):
                _copy(row, {**values, "pk": row.pk, "first": part[0], "last": part[1]})
            run(SAID.format(ID=ID, AT=AT), {**values, "first": part[0], "last": part[1]})
        finally:
            connection.close()

    in_slices(many, one, say)
    if index:
        say("    indexing the words …")
        run("SET maintenance_work_mem = '1GB'")
        run(index)
    tables = (Call, Transfer, Attempt, Utterance)
    run(f"VACUUM ANALYZE {', '.join(model._meta.db_table for model in tables)}")


def sentences() -> Iterator[str]:
    """Words are numbered by how common they are: word0 is in a third of all turns."""
    chance = random.Random(7)
    for _ in range(SENTENCES):
        yield " ".join(f"word{int(VOCABULARY ** chance.random() - 1)}" for _ in range(10))


def in_slices(many: int, do: Callable[[tuple[int, int]], None], say: Say, *, at_once: int = AT_ONCE) -> None:
    with ThreadPoolExecutor(at_once) as threads:
        for done, _ in enumerate(threads.map(do, slices(many)), 1):
            if done % 4 == 0:
                say(f"    {min(many, done * SLICE):,}")


def slices(many: int) -> Iterator[tuple[int, int]]:
    for first in range(1, many + 1, SLICE):
        yield first, min(first + SLICE - 1, many)


def run(sql: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _without_index(name: str) -> str:
    """Drops it; the statement that makes it again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        (made,) = cursor.fetchone()
        cursor.execute(f"DROP INDEX {name}")
    return str(made)


def _copy(row: Model, values: dict[str, Any]) -> None:
    different = DIFFERENT[type(row)]
    columns = [str(field.column) for field in row._meta.concrete_fields]
    sources = ", ".join(different.get(name, f'one."{name}"') for name in columns)
    table, names = row._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    run(
        f"INSERT INTO {table} ({names}) SELECT {sources} "
        f"FROM {table} AS one, generate_series(%(first)s, %(last)s) AS n WHERE one.id = %(pk)s",
        values,
    )
