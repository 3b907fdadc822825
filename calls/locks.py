"""Advisory locks of PostgreSQL: of what one process at a time may do. Each key stands here once."""

from __future__ import annotations

from enum import IntEnum, unique

from django.db import connection


@unique
class Lock(IntEnum):
    CHAIN = 0x50_41_54_43  # sealing events
    HEADS = 0x48_45_41_44  # signing heads
    REHEARSALS = 0x52_45_48_45  # a rehearsal, held for the whole session
    AUDIT_RUNS = 0x52_55_4E_53  # beginning a verification
    REPORTS = 0x52_45_50_4F  # measuring transfers that are over


def taken_for_this_transaction(lock: Lock) -> bool:
    """Take it until the transaction ends; False, at once, while another process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int(lock)])
        return bool(cursor.fetchone()[0])


def awaited_for_this_transaction(lock: Lock) -> None:
    """Take it until the transaction ends, once no other process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(lock)])
