"""A transfer on real audio goes on whatever dies beside it, and nobody is dialled twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import redis

from tests.bench.house import Carrier
from tests.product import Product, until

pytestmark = [pytest.mark.e2e, pytest.mark.audio, pytest.mark.timeout(300)]

NEWEST = """
SELECT a.state FROM transfers_attempt a JOIN transfers_transfer t ON t.id = a.transfer_id
WHERE t.requested_at > to_timestamp(%s) ORDER BY a.reserved_at DESC LIMIT 1
"""


class Rehearsal:
    """One that runs meanwhile; `step` is the state of its attempt."""

    def __init__(self, product: Product) -> None:
        self.since = time.time()
        self.carrier = Carrier(product)
        self.rows = psycopg.connect(product.settings["DATABASE_URL"], autocommit=True)
        self.pool = ThreadPoolExecutor(1)
        run = lambda: product.manage("rehearse", "--json", "--scenario", "accepts-by-key", timeout=280)  # noqa: E731
        self.done: Future[Any] = self.pool.submit(run)

    def reaches(self, *steps: str) -> None:
        until(lambda: self.done.done() or self._step() in steps, 150, f"the attempt is {' or '.join(steps)}")

    def _step(self) -> str:
        found = self.rows.execute(NEWEST, [self.since]).fetchone()
        return str(found[0]) if found else ""

    def ends_well(self) -> None:
        result = self.done.result(280)
        told = json.loads(result.stdout)
        assert told["ok"], f"{told['problems']}\n{result.stderr}"
        assert len(self.carrier.dials(self.since)) == 1

    def close(self) -> None:
        self.rows.close()
        self.pool.shutdown()


@pytest.fixture
def rehearsal(product: Product) -> Iterator[Rehearsal]:
    made = Rehearsal(product)
    yield made
    made.close()


def kill(product: Product, *names: str) -> Callable[[], None]:
    def now() -> None:
        for name in names:
            product.kill(name)

    return now


def test_worker_clocks_and_web_may_be_killed_in_every_step(product: Product, rehearsal: Rehearsal) -> None:
    for steps, victims in (
        (("reserved", "dialing", "ringing"), ("worker",)),
        (("summarizing",), ("clock-1", "web")),
        (("merged",), ("worker", "clock-2")),
    ):
        rehearsal.reaches(*steps)
        kill(product, *victims)()
    rehearsal.ends_well()


def test_the_product_s_valkey_may_be_emptied_and_killed(product: Product, rehearsal: Rehearsal) -> None:
    for steps in (("dialing", "ringing"), ("summarizing",)):
        rehearsal.reaches(*steps)
        with redis.Redis.from_url(product.settings["VALKEY_URL"]) as valkey:
            valkey.flushall()
        product.kill("valkey")
    rehearsal.ends_well()
