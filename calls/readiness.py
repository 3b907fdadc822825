"""Whether this process should be sent work: for load balancers, and for a deploy that waits for a new version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from calls.link import shutdown
from calls.live.publish import valkey


@dataclass(frozen=True)
class Readiness:
    """`words` has a line for every part: what it is, and `ok` or what is wrong."""

    ready: bool
    words: str


class Watch:
    """What has to be right before the first work may come, and what after that.

    A Valkey that goes away later is told and no more: calls go on without it, and if every console gave up its
    agents for it, they would not. Migrations are looked for until they are there.
    """

    def __init__(self) -> None:
        self._was_ready = self._migrated = False

    def look(self) -> Readiness:
        database = _said(_database)
        migrations = _said(self._migrations) if database == "ok" else "unknown"
        cache = _said(_valkey)
        stopping = shutdown.begun()
        ready = database == "ok" and migrations == "ok" and (cache == "ok" or self._was_ready) and not stopping
        self._was_ready = self._was_ready or ready
        parts = {"database": database, "migrations": migrations, "valkey": cache}
        if stopping:
            parts["process"] = "stopping"
        return Readiness(ready, "".join(f"{part}: {said}\n" for part, said in parts.items()))

    def _migrations(self) -> None:
        if self._migrated:
            return
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            raise NotYet(f"{len(missing)} missing, run `manage.py migrate`")
        self._migrated = True


class NotYet(Exception):
    """Something is not as it has to be; the words say what."""


READINESS = Watch()


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _valkey() -> None:
    valkey().ping()


def _said(look: Callable[[], None]) -> str:
    try:
        look()
    except NotYet as error:
        return str(error)
    except (Error, redis.RedisError) as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"
