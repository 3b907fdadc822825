"""What is asked of the history: every kind of page, filter and search, with many values each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.test import Client

from tests.bench.figures import spread
from transfers.access import Lens
from transfers.history import history_page, supervisors
from transfers.history_filters import filters_of
from transfers.models import Manager, Transfer

Query = dict[str, str]
LAST_ID = f"{'f' * 8}-ffff-ffff-ffff-{'f' * 12}"


class Read(NamedTuple):
    took_ms: float
    rows: int


def read(lens: Lens, query: Query) -> Read:
    began = time.perf_counter()
    page = history_page(lens, filters_of(query), before=query.get("before", ""))
    return Read((time.perf_counter() - began) * 1000, len(page.rows))


def whole(user: User, times: int) -> float:
    """The first page with its log-in and HTML: p95 in ms."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return spread([_load(client, {}) for _ in range(times + 1)][1:]).p95


def _load(client: Client, query: Query) -> float:
    began = time.perf_counter()
    answer = client.get(f"/history?{urlencode(query)}")
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.status_code
    return took


def queries(lens: Lens, times: int, *, seed: int = 7) -> dict[str, list[Query]]:
    """As many of each as there are loads, and one to warm up; values are those that the page offers."""
    chance = random.Random(seed)
    offered = Manager.objects.filter(departments__in=lens.departments())
    manager_ids = list(offered.order_by("name").values_list("pk", flat=True))
    department_ids = list(lens.departments().values_list("pk", flat=True))
    people = list(supervisors(lens).filter(username__startswith="supervisor-").values_list("pk", flat=True))
    many = Transfer.objects.count()
    oldest, newest = (
        Transfer.objects.order_by(by).values_list("requested_at", flat=True)[0]
        for by in ("requested_at", "-requested_at")
    )

    def day() -> str:
        return (oldest + chance.random() * (newest - oldest)).date().isoformat()

    def deep() -> Query:
        return {"before": f"{(oldest + chance.random() * (newest - oldest)).isoformat()}~{LAST_ID}"}

    def each(make: Callable[[], Query]) -> list[Query]:
        return [make() for _ in range(times + 1)]

    def last4() -> str:
        return f"{chance.randrange(10_000):04}"

    def manager() -> str:
        return str(chance.choice(manager_ids))

    def department() -> str:
        return str(chance.choice(department_ids))

    def words(low: int, high: int) -> str:
        return f"word{chance.randrange(low, high)}"

    found = {
        "the first page": each(dict),
        "a page deep down": each(deep),
        "the last page": each(lambda: {"before": f"{oldest.isoformat()}~{LAST_ID}"}),
        "a department": each(lambda: {"department": department()}),
        "a department, deep down": each(lambda: {"department": department(), **deep()}),
        "a common result": each(lambda: {"result": "connected"}),
        "a rare result": each(lambda: {"result": "error"}),
        "a result that never was": each(lambda: {"result": "callback"}),
        "a manager": each(lambda: {"manager": manager()}),
        "a manager, deep down": each(lambda: {"manager": manager(), **deep()}),
        "a manager and a rare result": each(lambda: {"manager": manager(), "result": "error"}),
        "whom a manager did not answer": each(lambda: {"manager": manager(), "outcome": "no_answer"}),
        "a common outcome": each(lambda: {"outcome": "busy"}),
        "a rare outcome": each(lambda: {"outcome": "merge_failed"}),
        "a common SIP status": each(lambda: {"sip": "486"}),
        "a rare SIP status": each(lambda: {"sip": "603"}),
        "failed at ringing": each(lambda: {"failed": "ring"}),
        "failed at joining, deep down": each(lambda: {"failed": "join", **deep()}),
        "failed before ringing": each(lambda: {"failed": "approval"}),
        "failed at briefing": each(lambda: {"failed": "consultation"}),
        "an outcome of other departments": each(lambda: {"outcome": "voicemail"}),
        "a SIP status of other departments": each(lambda: {"sip": "487"}),
        "a result of other departments": each(lambda: {"result": "outside_hours"}),
        "a cold transfer": each(lambda: {"kind": "cold"}),
        "a callback": each(lambda: {"kind": "callback"}),
        "a usual duration": each(lambda: {"longer": "60", "shorter": "300"}),
        "the longest": each(lambda: {"longer": "1480"}),
        "longer than any": each(lambda: {"longer": "5000"}),
        "a day": each(lambda: {"since": (one := day()), "until": one}),
        "up to a day": each(lambda: {"until": day()}),
        "a caller's last four": each(lambda: {"caller": last4()}),
        "a caller's full number": each(lambda: {"caller": f"+1202{chance.randrange(10**7):07}"}),
        "a caller and a department": each(lambda: {"caller": last4(), "department": department()}),
        "with rehearsals": each(lambda: {"rehearsals": "1"}),
    }
    if people:
        found["a supervisor"] = each(lambda: {"supervisor": str(chance.choice(people))})
        found["a supervisor, deep down"] = each(lambda: {"supervisor": str(chance.choice(people)), **deep()})
    if lens.sight.transcript:
        found |= {
            "words: the commonest": each(lambda: {"words": words(0, 10)}),
            "words: common": each(lambda: {"words": words(20, 400)}),
            "words: middling": each(lambda: {"words": words(400, 3000)}),
            "words: rare": each(lambda: {"words": words(3000, 20_000)}),
            "words: in one call": each(lambda: {"words": f"order {chance.randrange(many) // 3}"}),
            "words: never said": each(lambda: {"words": "platypus"}),
            "words: two": each(lambda: {"words": f"{words(0, 50)} {words(0, 50)}"}),
            "words: two that were never said in one turn": each(lambda: {"words": "word3 word3000"}),
            "words: common, deep down": each(lambda: {"words": words(0, 400), **deep()}),
            "words: rare, deep down": each(lambda: {"words": words(400, 20_000), **deep()}),
            "words: common, and a rare result": each(lambda: {"words": words(0, 20), "result": "error"}),
            "words: common, and a manager": each(lambda: {"words": words(0, 50), "manager": manager()}),
        }
    return found
