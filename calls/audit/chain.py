"""Walks the whole chain and names the first row that is not as it was sealed.

Somebody with the database's own rights can switch triggers off, so nothing here trusts a column: every envelope
is hashed again, compared with its columns, and followed to the next link. A chain cut off at its end is found
by the signed heads (`heads`), which are kept elsewhere too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import psycopg
from django.db import connection

from calls.events import canonical
from calls.models import Seal
from calls.seals import GENESIS, link_digest

BATCH = 5000  # rows a query
FIRST = -(2**63)  # before any sequence, a forged one's too
Kind = Literal["changed", "missing", "inserted", "reordered"]
OnProgress = Callable[[int, int], None]  # rows looked at, rows in all


@dataclass(frozen=True)
class Break:
    """The first place where the record is not what was sealed. `event` is the event's sequence, if it has one."""

    kind: Kind
    seal: int
    event: int | None
    words: str


@dataclass
class Verdict:
    """`erased` payloads are counted, not judged: an event says of each call when that was done."""

    seals: int = 0
    erased: int = 0
    digest: bytes = GENESIS  # of the newest link
    broken: Break | None = None
    heads: int = 0  # signed heads that were compared

    @property
    def ok(self) -> bool:
        return self.broken is None


class Row(NamedTuple):
    """One link with its envelope and payload, as `ROWS` selects them."""

    seal: int
    event_ref: int
    previous: bytes
    digest: bytes
    event: int | None
    id: str
    at: datetime
    actor_kind: str
    actor_id: str
    type: str
    call: str
    transfer: str
    attempt: str
    facts: str
    body: bytes
    payload_digest: bytes | None
    salt: bytes | None
    payload: bytes | None


ROWS = """
SELECT s.seq, s.event_id, s.previous, s.digest, e.seq, e.id::text, e.at, e.actor_kind, e.actor_id, e.type,
       coalesce(e.call_id::text, ''), coalesce(e.transfer_id::text, ''), coalesce(e.attempt_id::text, ''),
       e.facts::text, e.body, e.payload_digest, p.salt, p.body
FROM calls_seal s
LEFT JOIN calls_event e ON e.seq = s.event_id
LEFT JOIN calls_eventpayload p ON p.event_id = e.seq
WHERE s.seq > %s ORDER BY s.seq LIMIT %s
"""
# A payload may be missing only where an event says that the call's content was erased.
VANISHED = """
SELECT e.seq, s.seq FROM calls_event e JOIN calls_seal s ON s.event_id = e.seq
LEFT JOIN calls_eventpayload p ON p.event_id = e.seq
WHERE e.payload_digest IS NOT NULL AND p.event_id IS NULL AND NOT EXISTS (
  SELECT 1 FROM calls_event gone WHERE gone.call_id = e.call_id AND gone.type = 'content.erased'
) ORDER BY s.seq LIMIT 1
"""


def total() -> int:
    return Seal.objects.count()


def verify(*, told: OnProgress = lambda done, of: None) -> Verdict:
    """Look at every sealed event, oldest first, up to the first break. Reads only; memory does not grow."""
    verdict = Verdict()
    links = total()
    before: Row | None = None
    for batch in _batches():
        for row in batch:
            verdict.broken = _judge(row, before, verdict.digest)
            if verdict.broken:
                return verdict
            verdict.seals += 1
            verdict.digest = row.digest
            verdict.erased += row.payload_digest is not None and row.payload is None
            before = row
        told(verdict.seals, links)
    verdict.broken = _vanished() if verdict.erased else None
    told(verdict.seals, max(links, verdict.seals))
    return verdict


def _batches() -> Iterator[list[Row]]:
    """Millions of rows in constant memory, and in no transaction: what is told meanwhile is seen by others."""
    last = FIRST
    while True:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:  # Django's own reads text only, which is slower
            batch = [Row._make(row) for row in cursor.execute(ROWS, [last, BATCH], binary=True).fetchall()]
        if not batch:
            return
        yield batch
        last = batch[-1].seal


# ── one link ─────────────────────────────────────────────────────────────────────────────────────


def _judge(row: Row, before: Row | None, previous: bytes) -> Break | None:
    if row.event is None:
        return Break(
            "missing", row.seal, row.event_ref, f"Event {row.event_ref} was sealed and is not there any more."
        )
    if row.previous != previous:
        return _misplaced(row, before)
    if row.digest != link_digest(previous, row.body):
        return _changed(row, "its bytes are not those that were sealed")
    told = _contradiction(row)
    return _changed(row, told) if told else None


def _changed(row: Row, why: str) -> Break:
    return Break("changed", row.seal, row.event, f"Event {row.event} was changed: {why}.")


def _misplaced(row: Row, before: Row | None) -> Break:
    """The link follows another than the one before it: where that other is tells what was done."""
    others = Seal.objects.filter(digest=row.previous).values_list("seq", flat=True)
    where = others.first() if row.previous != GENESIS else 0
    if where is not None and before and where < before.seal:
        words = f"Event {before.event} (link {before.seal}) was put in: the next link follows link {where}."
        return Break("inserted", before.seal, before.event, words)
    if where is not None and where > row.seal:
        words = f"Event {row.event} (link {row.seal}) is out of order: it was sealed after link {where}."
        return Break("reordered", row.seal, row.event, words)
    words = f"At least one event before event {row.event} (link {row.seal}) is missing, with its link."
    return Break("missing", row.seal, row.event, words)


def _contradiction(row: Row) -> str:
    """What the columns or the payload say otherwise than the sealed bytes do; empty if nothing."""
    if not _as_written(row):
        told = _which_column(row)
        if told:
            return f"its column “{told}” says otherwise than its bytes"
    if row.payload is not None and hashlib.sha256((row.salt or b"") + row.payload).digest() != row.payload_digest:
        return "its words are not those that it was recorded with"
    return ""


def _as_written(row: Row) -> bool:
    """Whether the bytes are, but for the facts, letter by letter what `calls.events` makes of these columns.

    That is so of every row that nobody touched, and asked in a fraction of the time that reading all of the bytes
    takes. Of no other row does it say anything.
    """
    head = (
        f'{{"actor":{_actor(row.actor_kind, row.actor_id)},"at":"{row.at.astimezone(UTC).isoformat()}",'
        f'"attempt":"{row.attempt}","call":"{row.call}","facts":'
    ).encode()
    digest = row.payload_digest.hex() if row.payload_digest else ""
    tail = (
        f',"id":"{row.id}","payload":"{digest}","transfer":"{row.transfer}","type":{_quoted(row.type)}}}'
    ).encode()
    facts = row.body[len(head) : -len(tail)]  # shorter than both, it could not be put together again
    return row.body == head + facts + tail and _same_json(facts, row.facts)


@lru_cache(maxsize=4096)
def _actor(kind: str, id: str) -> str:
    return canonical([kind, id]).decode()


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return canonical(text).decode()


@lru_cache(maxsize=4096)
def _same_json(sealed: bytes, column: str) -> bool:
    """The facts of many events are alike."""
    try:
        return bool(json.loads(sealed) == json.loads(column))
    except ValueError:
        return False


def _which_column(row: Row) -> str:
    """Which says otherwise than the bytes, which are read as a whole; empty if none."""
    said: dict[str, Any] = json.loads(row.body)
    columns = {
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat(),
        "actor": [row.actor_kind, row.actor_id],
        "type": row.type,
        "call": row.call,
        "transfer": row.transfer,
        "attempt": row.attempt,
        "payload": row.payload_digest.hex() if row.payload_digest else "",
        "facts": json.loads(row.facts),
    }
    return next((name for name, value in columns.items() if said.get(name) != value), "")


def _vanished() -> Break | None:
    with connection.cursor() as cursor:
        cursor.execute(VANISHED)
        found = cursor.fetchone()
    if found is None:
        return None
    event, seal = found
    words = f"The words of event {event} are missing, and no event says that they were erased."
    return Break("missing", seal, event, words)
