"""How the tables are emptied after a test with real transactions.

Django truncates them all and makes every permission again: a quarter of a second each time. Most tables are
empty; deleting from the others takes milliseconds, and what the migrations wrote (roles, permissions) stays.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

OF_THE_MIGRATIONS = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)

# Of two that wait for each other the one that has waited so long gives up: the other, which is a console that
# notes that a window was closed and can do without.
PATIENCE = "60s"


def install() -> None:
    """Every test with real transactions ends so from here on."""
    TransactionTestCase._fixture_teardown = lambda case: empty()  # type: ignore[attr-defined]


def empty() -> None:
    """Without triggers: those of the append-only tables would refuse, and no order suits every foreign key."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT set_config('deadlock_timeout', %s, true)", [PATIENCE])
        for table in _filled(cursor):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def truncate() -> None:
    """The same after a million rows, of which nothing is left behind to slow a measurement."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        tables = [connection.ops.quote_name(table) for table in _filled(cursor)]
        if tables:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


def _filled(cursor: Any) -> list[str]:
    tables = [name for name in connection.introspection.table_names(cursor) if name not in OF_THE_MIGRATIONS]
    quote = connection.ops.quote_name
    asked = ", ".join(f"EXISTS (SELECT FROM {quote(name)})" for name in tables)
    cursor.execute(f"SELECT {asked}")
    return [name for name, filled in zip(tables, cursor.fetchone(), strict=True) if filled]
