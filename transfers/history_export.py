"""The history as a file: streamed row by row, so that millions take no more memory than a thousand."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction

from calls.display import caller_name
from calls.events import Actor, HistoryExported, record
from calls.timing import now
from transfers.access import Lens
from transfers.history import asked_by
from transfers.history_filters import Filters
from transfers.history_search import every
from transfers.models import Attempt, HistoryExport, Transfer
from transfers.record import programs_that_asked
from transfers.states import Outcome

logger = logging.getLogger(__name__)

BATCH = 1000  # rows that are in memory at a time
TOLD_EVERY_S = 0.5
SILENT = timedelta(seconds=30)  # whoever sent it has stopped
RELATED = ("call", "department", "requested_by", "decided_by")
COLUMNS = (
    *("id", "kind", "state", "end_reason", "requested_at", "held_at", "merged_at", "ended_at", "approved"),
    *("call__source", "call__rehearsal", "call__caller_number", "call__caller_last4", "call__erased_at"),
    *("department__name", "requested_by__username", "decided_by__username"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet would calculate instead of showing
Record = dict[str, Any]
Writer = Callable[[Sequence[Record]], str]


def begin(user: User, form: str, lens: Lens, filters: Filters) -> HistoryExport:
    """Written down, with its event, before the first row leaves the house."""
    names = sorted(filters.address())
    about = estimate(lens, filters)
    with transaction.atomic():
        made = HistoryExport.objects.create(
            asked_by=user, form=form, filters=names, asked_at=now(), told_at=now(), about=about
        )
        record(HistoryExported(export_id=str(made.pk), form=form, filters=names), actor=Actor.of(user))
    return made


def estimate(lens: Lens, filters: Filters) -> int:
    """How many rows there are about: the planner's guess, which reads none of them."""
    plan = json.loads(every(lens, filters).explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def newest_of(user: User, *, many: int = 3) -> list[HistoryExport]:
    return list(HistoryExport.objects.filter(asked_by=user).order_by("-asked_at")[:many])


def under_way(export: HistoryExport) -> bool:
    return export.ended_at is None and export.told_at > now() - SILENT


# ── the stream ───────────────────────────────────────────────────────────────────────────────────


async def stream(export: HistoryExport, lens: Lens, filters: Filters) -> AsyncIterator[bytes]:
    """Under ASGI a plain iterator would be made one list first.

    The rows are read in one transaction of the request's own thread; how far it is, is told from another, for
    what is written in that transaction nobody would see before its end.
    """
    parts = texts(lens, filters, WRITERS[export.form]())
    following = sync_to_async(partial(next, parts, None))
    sent, told_at, whole = 0, monotonic(), False
    try:
        while part := await following():
            text, sent = part
            yield text.encode()
            if monotonic() - told_at > TOLD_EVERY_S:
                told_at = monotonic()
                await _apart(partial(_told, export.pk, sent))
        whole = True
    finally:
        await sync_to_async(parts.close)()
        await _apart(partial(_told, export.pk, sent, ended=True, whole=whole))


async def _apart(do: Callable[[], None]) -> None:
    await sync_to_async(do, thread_sensitive=False)()


def _told(export_id: UUID, rows: int, *, ended: bool = False, whole: bool = False) -> None:
    try:
        ended_at = now() if ended else None
        HistoryExport.objects.filter(pk=export_id).update(rows=rows, told_at=now(), ended_at=ended_at, whole=whole)
    finally:
        connection.close()  # this thread's own


def texts(lens: Lens, filters: Filters, write: Writer) -> Generator[tuple[str, int]]:
    """Pieces of the file, each with the number of rows up to it."""
    done = 0
    yield write(()), done
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1")  # all of them are wanted, not the first soon
        rows = every(lens, filters).select_related(*RELATED).only(*COLUMNS).iterator(chunk_size=BATCH)
        while batch := list(islice(rows, BATCH)):
            done += len(batch)
            yield write(list(records(lens, batch))), done


def records(lens: Lens, batch: Sequence[Transfer]) -> Iterator[Record]:
    attempts: dict[UUID, list[Attempt]] = {}
    tried = Attempt.objects.filter(transfer__in=[one.pk for one in batch]).select_related("manager")
    for attempt in tried.order_by("nth"):
        attempts.setdefault(attempt.transfer_id, []).append(attempt)
    programs = programs_that_asked(batch)
    for one in batch:
        yield _record(one, attempts.get(one.pk, ()), lens, programs.get(one.pk, ""))


def _record(transfer: Transfer, attempts: Sequence[Attempt], lens: Lens, program: str) -> Record:
    off = transfer.merged_at or transfer.ended_at
    return {
        "transfer": str(transfer.pk),
        "call": str(transfer.call_id),
        "requested_at": _at(transfer.requested_at),
        "ended_at": _at(transfer.ended_at),
        "department": transfer.department.name if transfer.department else "",
        "caller": caller_name(transfer.call, lens.sight),
        "kind": "callback" if transfer.call.source == "callback" else transfer.kind,
        "state": transfer.state,
        "end_reason": transfer.end_reason,
        "asked_by": asked_by(_username(transfer.requested_by), program, rehearsal=transfer.call.rehearsal),
        "decided_by": _username(transfer.decided_by),
        "approved": transfer.approved,
        "hold_s": _seconds(transfer.held_at, off),
        "took_s": _seconds(transfer.requested_at, transfer.ended_at),
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


def _username(user: User | None) -> str:
    return user.get_username() if user else ""


def _attempt(attempt: Attempt) -> Record:
    return {
        "nth": attempt.nth,
        "manager": attempt.manager.name,
        "state": attempt.state,
        "outcome": attempt.outcome,
        "sip_status": attempt.sip_status,
        "rang_s": _seconds(attempt.dialed_at, attempt.answered_at or attempt.ended_at),
        "dialed_at": _at(attempt.dialed_at),
        "answered_at": _at(attempt.answered_at),
        "merged_at": _at(attempt.merged_at),
        "ended_at": _at(attempt.ended_at),
    }


def _at(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _seconds(began: datetime | None, ended: datetime | None) -> float | None:
    return round((ended - began).total_seconds(), 1) if began and ended else None


# ── the two forms ────────────────────────────────────────────────────────────────────────────────

# In a table the last attempt has columns of its own, all are words in one.
PLAIN = (
    *("transfer", "call", "requested_at", "ended_at", "department", "caller", "kind", "state", "end_reason"),
    *("asked_by", "decided_by", "approved", "hold_s", "took_s"),
)
OF_LAST = ("manager", "outcome", "sip_status")
HEAD = (*PLAIN, *OF_LAST, "attempts", "tried")


def csv_writer() -> Writer:
    begun = False

    def write(rows: Sequence[Record]) -> str:
        nonlocal begun
        out = io.StringIO()
        lines = csv.writer(out)
        if not begun:
            lines.writerow(HEAD)
            begun = True
        lines.writerows(map(_cells, rows))
        return out.getvalue()

    return write


def _cells(row: Record) -> Iterable[str]:
    tried: list[Record] = row["attempts"]
    last = tried[-1] if tried else {}
    cells = (
        *(row[name] for name in PLAIN),
        *(last.get(name) for name in OF_LAST),
        len(tried),
        "; ".join(map(_in_words, tried)),
    )
    return [_cell(cell) for cell in cells]


def _in_words(attempt: Record) -> str:
    how = Outcome(attempt["outcome"]).label if attempt["outcome"] else attempt["state"]
    sip = f" (SIP {attempt['sip_status']})" if attempt["sip_status"] else ""
    return f"{attempt['manager']}: {how}{sip}"


def _cell(value: Any) -> str:
    """As text; what a spreadsheet would take for a formula begins with an apostrophe instead."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def jsonl_writer() -> Writer:
    return lambda rows: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


WRITERS: dict[str, Callable[[], Writer]] = {
    HistoryExport.Form.CSV: csv_writer,
    HistoryExport.Form.JSONL: jsonl_writer,
}
