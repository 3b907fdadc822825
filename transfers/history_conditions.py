"""What is filtered for, as conditions on transfers, and on attempts, which are ordered by the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from calls.models import Supervision, Utterance
from transfers.access import Lens
from transfers.history_filters import LAST, Failed, Filters, Kind
from transfers.models import FAILED_ANSWERED, FAILED_UNANSWERED, Attempt, BriefingVersion, Transfer
from transfers.states import EndReason, Outcome

Rows = QuerySet[Any]  # transfers or attempts
Transfers = QuerySet[Transfer]


def matching(lens: Lens, filters: Filters) -> Transfers:
    """All but for what was said and whose part they had."""
    rows = of_transfer(lens.transfers(), filters)
    attempts = of_attempt(filters)
    if attempts:
        rows = rows.filter(pk__in=Attempt.objects.filter(attempts).values("transfer"))
    return rows


def of_transfer(rows: Rows, filters: Filters, of: str = "") -> Rows:
    """By what the transfers are, and their calls; `of` is where these rows have the transfer."""
    return of_its_call(of_itself(rows, filters, of), filters, of)


def of_itself(rows: Rows, filters: Filters, of: str = "") -> Rows:
    """By what the transfers are, without their calls."""
    wanted = {f"{of}{k}": v for k, v in _columns(filters).items()}
    rows = rows.filter(_failed_before_ringing(filters.failed, of), **wanted)
    if filters.longer is not None or filters.shorter is not None:
        rows = rows.annotate(took=F(f"{of}ended_at") - F(f"{of}requested_at"))
        if filters.longer is not None:
            rows = rows.filter(took__gte=timedelta(seconds=filters.longer))
        if filters.shorter is not None:
            rows = rows.filter(took__lte=timedelta(seconds=filters.shorter))
    return rows


def days(filters: Filters) -> dict[str, Any]:
    """Of transfers, and of attempts, which know when theirs was asked for."""
    wanted = {}
    if filters.since:
        wanted["requested_at__gte"] = datetime.combine(filters.since, time(), UTC)
    if filters.until:
        wanted["requested_at__lt"] = datetime.combine(filters.until, time(), UTC) + timedelta(days=1)
    return wanted


def _columns(filters: Filters) -> dict[str, Any]:
    wanted = days(filters)
    if filters.department is not None:
        wanted["department"] = filters.department
    if filters.result:
        wanted["end_reason"] = filters.result
    if filters.kind == Kind.CALLBACK:
        wanted["of_callback"] = True
    elif filters.kind:
        wanted["kind"] = filters.kind
    return wanted


def of_its_call(rows: Rows, filters: Filters, of: str = "") -> Rows:
    """By what their calls are."""
    wanted: dict[str, Any] = {} if filters.rehearsals else {f"{of}of_rehearsal": False}
    if filters.caller:
        exact = "caller_last4" if len(filters.caller) <= LAST else "caller_number_hmac"
        wanted[f"{of}call__{exact}"] = filters.caller
    return rows.filter(**wanted)


def of_attempt(filters: Filters) -> Q:
    """All of one attempt: whom Dana declined, not whom Dana was rung for and anybody declined."""
    wanted = Q()
    if filters.manager:
        wanted &= Q(manager=filters.manager)
    if filters.outcome:
        wanted &= Q(outcome=filters.outcome)
    if filters.sip is not None:
        wanted &= Q(sip_status=filters.sip)
    if filters.failed == Failed.RING:
        wanted &= FAILED_UNANSWERED
    elif filters.failed == Failed.CONSULTATION:
        wanted &= FAILED_ANSWERED
    elif filters.failed == Failed.JOIN:
        wanted &= Q(outcome=Outcome.MERGE_FAILED)
    return wanted


def beside_attempts(filters: Filters) -> Filters:
    """What else is asked for."""
    failed = filters.failed if filters.failed in (Failed.APPROVAL, Failed.UNTIL_DIAL) else ""
    return replace(filters, manager=None, outcome="", sip=None, failed=failed)


def _failed_before_ringing(failed: str, of: str) -> Q:
    if failed == Failed.APPROVAL:
        return Q(**{f"{of}end_reason": EndReason.NOT_APPROVED})
    if failed == Failed.UNTIL_DIAL:
        nobody = Q(**{f"{of}end_reason__in": (EndReason.NO_MANAGER, EndReason.OUTSIDE_HOURS)})
        return nobody & Q(~Exists(Attempt.objects.filter(transfer=OuterRef(f"{of}pk"))))
    return Q()


def said_in(words: str) -> QuerySet[Utterance]:
    """Turns, on either side: refund, "late refund" as it stands, refund or -invoice."""
    query = SearchQuery(words, config="simple", search_type="websearch")
    return Utterance.objects.filter(words=query).order_by()


def parts_of(supervisor: int | None) -> Sequence[Q]:
    """Who asked for it, decided it, stopped it, wrote its briefing, or was in its call: one after the other."""
    if supervisor is None:
        return (Q(),)
    return (
        Q(requested_by=supervisor),
        Q(decided_by=supervisor),
        Q(cancelled_by=supervisor),
        Q(pk__in=BriefingVersion.objects.filter(user=supervisor).order_by().values("transfer")),
        Q(call__in=Supervision.objects.filter(user=supervisor).order_by().values("call")),
    )
