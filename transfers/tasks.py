"""Hints of `transfers` to the worker, and what the clock looks for."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from calls.agents.logs import about
from calls.hints import each
from calls.timing import now
from transfers.abandon import advance_or_abandon
from transfers.advance import advance as advance_now
from transfers.models import Transfer
from transfers.reports.measure import measure


@shared_task(ignore_result=True)
def advance(transfer_id: str) -> None:
    with about(transfer=transfer_id):
        advance_now(UUID(transfer_id))


def wake_transfers() -> None:
    """The clock's part: every transfer whose time has come, hinted or not."""
    each(Transfer.objects.filter(wake_at__lte=now()).values_list("pk", flat=True)[:100], advance_or_abandon)


def measure_transfers() -> None:
    """The clock's part: transfers that are over come into the reports."""
    measure()
