"""The phases of a transfer, from its rows: for histograms and traces. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from transfers.models import Attempt, Decision, Transfer
from transfers.states import AttemptState


class PhaseName(StrEnum):
    APPROVAL = "approval"  # requested → approved or declined
    UNTIL_DIAL = "until_dial"  # approved → the first phone is dialled
    HOLD = "hold"  # the caller hears music
    RING = "ring"  # dialled → answered, or not
    BRIEFING = "briefing"  # begun → spoken to its end
    CONSULTATION = "consultation"  # answered → decided, or over
    JOIN = "join"  # accepted → joined
    CONVERSATION = "conversation"  # joined → one of them hung up


N = PhaseName
AFTER_MERGE = (N.CONVERSATION,)


@dataclass(frozen=True)
class Phase:
    name: PhaseName
    began: datetime
    ended: datetime
    attempt: UUID | None = None
    outcome: str = ""

    @property
    def seconds(self) -> float:
        return max(0.0, (self.ended - self.began).total_seconds())


def phases(
    transfer: Transfer,
    attempts: Iterable[Attempt],
    *,
    approved_at: datetime | None,
    decisions: dict[UUID, Decision] | None = None,
) -> list[Phase]:
    """Those that are over, by their beginning. `approved_at`: when somebody said yes, or the policy did."""
    tried = sorted(attempts, key=lambda attempt: attempt.nth)
    decided = decisions or {}
    found = [*_of_transfer(transfer, tried, approved_at)]
    for attempt in tried:
        found += _of_attempt(attempt, decided.get(attempt.pk))
    return sorted(found, key=lambda phase: phase.began)


def _of_transfer(transfer: Transfer, tried: list[Attempt], approved_at: datetime | None) -> Iterator[Phase]:
    approved = approved_at or (transfer.ended_at if not tried else None)
    yield from _phase(N.APPROVAL, transfer.requested_at, approved)
    dialed = min((attempt.dialed_at for attempt in tried if attempt.dialed_at), default=None)
    yield from _phase(N.UNTIL_DIAL, approved_at, dialed)
    yield from _phase(N.HOLD, transfer.held_at, transfer.merged_at or transfer.ended_at)
    yield from _phase(N.CONVERSATION, transfer.merged_at, transfer.ended_at)


def _of_attempt(attempt: Attempt, decision: Decision | None) -> Iterator[Phase]:
    outcome = attempt.outcome if attempt.state == AttemptState.FAILED else ""
    over = attempt.merged_at or attempt.ended_at
    decided_at = decision.at if decision else over
    answered = "" if attempt.answered_at else outcome
    yield from _phase(N.RING, attempt.dialed_at, attempt.answered_at or attempt.ended_at, attempt, answered)
    yield from _phase(N.BRIEFING, attempt.briefing_started_at, attempt.briefing_spoken_at, attempt)
    yield from _phase(N.CONSULTATION, attempt.answered_at, decided_at, attempt, outcome)
    if decision and decision.kind == "accept":
        yield from _phase(N.JOIN, decision.at, over, attempt, outcome)


def _phase(
    name: PhaseName,
    began: datetime | None,
    ended: datetime | None,
    attempt: Attempt | None = None,
    outcome: str = "",
) -> Iterator[Phase]:
    if began and ended:
        yield Phase(name, began, ended, attempt.pk if attempt else None, outcome)
