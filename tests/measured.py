"""Transfers that are over, of every kind, for reports: rows, not measured yet."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from calls.models import Department
from calls.states import CallState
from tests import rows
from transfers.models import Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def past(
    departments: list[Department], count: int, *, seed: int = 7, hour: int | None = None, end: datetime = NOON
) -> list[Transfer]:
    """Transfers of the ten days before `end` that are over, of every kind."""
    chance = random.Random(seed)
    people = [rows.manager(f"Manager {n}", *departments) for n in range(3)]
    made = []
    for _ in range(count):
        at = end - timedelta(days=chance.randrange(10), seconds=chance.randrange(43_000))
        at = at if hour is None else at.replace(hour=hour)
        where = chance.choice([*departments, None])
        call = rows.call(where, state=CallState.INACTIVE, ended_at=at)
        reason = chance.choice(list(EndReason))
        waited = timedelta(seconds=chance.lognormvariate(3, 1))
        merged = at + waited if reason == EndReason.CONNECTED else None
        ended = at + waited + timedelta(seconds=chance.randrange(100))
        one = rows.transfer(
            call,
            TransferState.COMPLETED if merged else TransferState.FAILED,
            end_reason=reason,
            requested_at=at,
            held_at=at + waited / 9,
            merged_at=merged,
            ended_at=ended,
        )
        outcome = "" if merged else chance.choice(list(Outcome))
        rows.attempt(
            one,
            chance.choice(people),
            AttemptState.ENDED if merged else AttemptState.FAILED,
            outcome=outcome,
            dialed_at=at,
            answered_at=at + waited / 2 if merged else None,
            merged_at=merged,
            ended_at=ended,
        )
        made.append(one)
    return made
