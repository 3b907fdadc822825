"""Ten events for each transfer, as the services would have recorded them, and the chain that seals them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import connection

from calls.seals import GENESIS
from tests.bench import past

EVENTS = 10  # of a transfer
BATCH = 20_000

# k is 0…9; the micro-seconds are never none: Python's text of a time leaves those out.
EVENTS_SQL = """
WITH made AS (
  SELECT (n::bigint - 1) * 10 + k + 1 AS seq,
         ('0191' || lpad(to_hex(n), 12, '0') || '7000800' || k || lpad(to_hex(n), 8, '0'))::uuid AS id,
         {ID} AS subject,
         date_trunc('second', {AT}) + interval '20 seconds' * k
           + interval '1 microsecond' * (1 + (n * 7 + k) %% 999983) AS at,
         (ARRAY['call.started', 'transfer.requested', 'transfer.moved', 'transfer.moved', 'attempt.reserved',
                'attempt.moved', 'briefing.saved', 'transfer.moved', 'hold.progress',
                'call.ended'])[k + 1] AS type,
         (ARRAY['{{"department_id":1,"source":"phone"}}',
                '{{"by":"ai","department_id":1,"follows_id":"","kind":"warm","person_id":""}}',
                '{{"end_reason":"","from_state":"requested","to_state":"queued"}}',
                '{{"end_reason":"","from_state":"queued","to_state":"connecting"}}',
                '{{"manager_id":"","nth":1,"ranking":[]}}',
                '{{"detail":"","from_state":"reserved","outcome":"","sip_status":null,"to_state":"dialing"}}',
                '{{"author":"extraction","nth":1}}',
                '{{"end_reason":"connected","from_state":"merged","to_state":"completed"}}',
                '{{"count":1}}',
                '{{"from_state":"escalated","reason":"caller_left"}}'])[k + 1] AS facts,
         CASE WHEN k = 1 THEN decode(md5('salt' || n), 'hex') END AS salt,
         CASE WHEN k = 1 THEN convert_to('{{"reason":"wants a person, the ' || n || 'th"}}', 'UTF8') END AS payload
  FROM generate_series(%(first)s, %(last)s) AS n, generate_series(0, 9) AS k
), whole AS (
  SELECT *, CASE WHEN payload IS NOT NULL THEN sha256(salt || payload) END AS payload_digest FROM made
), kept AS (
  INSERT INTO calls_event (seq, id, at, actor_kind, actor_id, type, call_id, transfer_id, facts, body,
                           payload_digest)
  SELECT seq, id, at, 'system', '', type, subject, subject, facts::jsonb,
         convert_to('{{"actor":["system",""],"at":"'
           || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00","attempt":"","call":"'
           || subject || '","facts":' || facts || ',"id":"' || id || '","payload":"'
           || coalesce(encode(payload_digest, 'hex'), '') || '","transfer":"' || subject
           || '","type":"' || type || '"}}', 'UTF8'),
         payload_digest
  FROM whole
)
INSERT INTO calls_eventpayload (event_id, salt, body)
SELECT seq, salt, payload FROM whole WHERE payload IS NOT NULL
"""


def build(many: int, say: past.Say) -> None:
    say(f"  recording {many * EVENTS:,} events …")
    past.run("TRUNCATE calls_event, calls_eventpayload, calls_seal CASCADE")  # those of the first call's
    # A payload may be written before its event: both are there at the end of the statement's transaction.
    sql = EVENTS_SQL.format(ID=past.ID, AT=past.AT)

    def one(part: tuple[int, int]) -> None:
        try:
            past.run(sql, {"many": many, "first": part[0], "last": part[1]})
        finally:
            connection.close()

    past.in_slices(many, one, say)
    say("  sealing them …")
    _seal()
    for table in ("calls_event", "calls_seal"):
        past.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'seq'), {many * EVENTS})")
    past.run("VACUUM ANALYZE calls_event, calls_eventpayload, calls_seal")


def _seal() -> None:
    """The chain over all of them, in their order: read by one connection, written by another."""
    with _apart() as reading, _apart() as writing, reading.cursor(name="bodies", binary=True) as bodies:
        bodies.itersize = BATCH
        bodies.execute("SELECT seq, body FROM calls_event ORDER BY seq")
        sql = "COPY calls_seal (seq, event_id, previous, digest, sealed_at) FROM STDIN"
        with writing.cursor().copy(sql) as copy:
            for lines in _links(bodies):
                copy.write(lines)


def _links(bodies: Any) -> Iterator[str]:
    previous, lines = GENESIS, []
    for seq, body in bodies:
        digest = hashlib.sha256(previous + body).digest()
        lines.append(f"{seq}\t{seq}\t\\\\x{previous.hex()}\t\\\\x{digest.hex()}\tnow\n")
        previous = digest
        if len(lines) == BATCH:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _apart() -> psycopg.Connection[Any]:
    settings = connection.settings_dict
    return psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"])
