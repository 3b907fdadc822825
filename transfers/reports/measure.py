"""Every transfer that is over is measured, once: its row, its attempts' rows and the sums in one transaction.

The mark on the transfer and the rows are written together, under a lock that lets one process measure at a time:
so none is counted twice, and whatever is not marked yet is found again, by its index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from typing import Any

from django.db import transaction

from calls.locks import Lock, awaited_for_this_transaction, taken_for_this_transaction
from calls.models import Call
from transfers.courses import Course, courses
from transfers.models import Asked, Attempt, MeasuredAttempt, MeasuredTransfer, Policy, Transfer
from transfers.phases import PhaseName
from transfers.reports import tallies

AT_ONCE = 100  # the clock has deadlines to look for
A_PERSONS_LEAST_MS = 1000  # an approval that took less was the policy's: nobody waited for it
LARGEST = 2**31 - 1

Fields = dict[str, Any]


def measure(*, limit: int = AT_ONCE) -> int:
    """Measure up to `limit` that are over; how many are done with. 0 while another process measures."""
    with transaction.atomic():
        if not taken_for_this_transaction(Lock.REPORTS):
            return 0
        over = Transfer.objects.filter(measured=False, ended_at__isnull=False).select_related("call")
        found = list(over.select_for_update(of=("self",), skip_locked=True).order_by("ended_at")[:limit])
        _write(found)
        return len(found)


def rebuild(progress: Callable[[int], None]) -> None:
    """Measure all of them anew; `progress` is told how many are done. The clock may go on meanwhile."""
    with transaction.atomic():
        awaited_for_this_transaction(Lock.REPORTS)
        tallies.clear()
        MeasuredAttempt.objects.all().delete()
        MeasuredTransfer.objects.all().delete()
        Transfer.objects.filter(measured=True).update(measured=False)
    done = 0
    while waiting():
        done += measure(limit=AT_ONCE * 20)
        progress(done)


def waiting() -> int:
    """How many are over and not measured yet."""
    return Transfer.objects.filter(measured=False, ended_at__isnull=False).count()


def _write(found: Sequence[Transfer]) -> None:
    """Rehearsals are marked and nothing more. A row that is there already was counted when it was written."""
    if not found:
        return
    ids = [one.pk for one in found]
    known = set(MeasuredTransfer.objects.filter(pk__in=ids).values_list("pk", flat=True))
    limits = dict(Policy.objects.values_list("department", "hold_limit_s"))
    new = courses([one for one in found if not one.call.rehearsal and one.pk not in known])
    rows = [_measured(one, limits) for one in new]
    attempts = [row for one, measured in zip(new, rows, strict=True) for row in _attempts(one, measured)]
    MeasuredTransfer.objects.bulk_create(rows)
    MeasuredAttempt.objects.bulk_create(attempts)
    tallies.add([row.pk for row in rows], [row.pk for row in attempts])
    Transfer.objects.filter(pk__in=ids).update(measured=True)


def _measured(course: Course, limits: dict[int, int]) -> MeasuredTransfer:
    one = course.transfer
    at = one.requested_at.astimezone(UTC)
    approval, hold = _longest(course, PhaseName.APPROVAL), _longest(course, PhaseName.HOLD)
    limit_ms = 1000 * limits.get(one.department_id or 0, Policy().hold_limit_s)
    return MeasuredTransfer(
        transfer=one,
        at=at,
        hour=at.hour,
        department=one.department_id or 0,
        asked=_asked(course),
        end_reason=one.end_reason,
        held_to_limit=hold is not None and hold >= limit_ms,
        approval_ms=approval if approval is not None and approval >= A_PERSONS_LEAST_MS else None,
        hold_ms=hold,
        to_person_ms=_ms(one.merged_at - one.requested_at) if one.merged_at else None,
    )


def _attempts(course: Course, row: MeasuredTransfer) -> list[MeasuredAttempt]:
    """Those whose phone was rung."""
    shared: Fields = {"at": row.at, "hour": row.hour, "department": row.department}
    return [
        MeasuredAttempt(
            attempt=attempt,
            manager_id=attempt.manager_id,
            outcome=attempt.outcome,
            ring_ms=_longest(course, PhaseName.RING, attempt),
            briefing_ms=_longest(course, PhaseName.BRIEFING, attempt),
            merge_ms=_longest(course, PhaseName.JOIN, attempt) if attempt.merged_at else None,
            **shared,
        )
        for attempt in course.attempts
        if attempt.dialed_at
    ]


def _longest(course: Course, name: PhaseName, attempt: Attempt | None = None) -> int | None:
    wanted = attempt.pk if attempt else None
    found = [_ms(p.ended - p.began) for p in course.phases if p.name == name and p.attempt == wanted]
    return max(found, default=None)


def _ms(span: timedelta) -> int:
    """From 0 to what a column holds, which is 24 days."""
    return min(max(0, round(span.total_seconds() * 1000)), LARGEST)


def _asked(course: Course) -> Asked:
    by = course.asked_by or ("person" if course.transfer.requested_by_id else "ai")
    if by == "person" and course.transfer.call.source == Call.Source.CALLBACK:
        return Asked.CALLBACK
    return WHO.get(by, Asked.AI)


WHO = {
    "ai": Asked.AI,
    "person": Asked.SUPERVISOR,
    "api_key": Asked.PROGRAM,
    "manager": Asked.MANAGER,
    "system": Asked.CUT_OFF,
}
