"""Transfers with their attempts and phases, many at once: for metrics, traces and reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from calls.models import Event
from transfers.models import Attempt, Decision, Transfer
from transfers.phases import Phase, phases
from transfers.states import TransferState
from transfers.transfer_events import TransferMoved, TransferRequested


@dataclass(frozen=True)
class Course:
    transfer: Transfer
    attempts: Sequence[Attempt]
    phases: Sequence[Phase]
    asked_by: str  # the actor's kind; empty if no event tells


def courses(transfers: Sequence[Transfer]) -> list[Course]:
    """In the same order, with three queries."""
    ids = [transfer.pk for transfer in transfers]
    attempts: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(transfer__in=ids).order_by("nth"):
        attempts[attempt.transfer_id].append(attempt)
    decisions = {one.attempt_id: one for one in Decision.objects.filter(attempt__transfer__in=ids)}
    told: dict[UUID, list[Event]] = defaultdict(list)
    wanted = Event.objects.filter(transfer_id__in=ids, type__in=(TransferRequested.type, TransferMoved.type))
    for event in wanted.order_by("seq").only("type", "at", "facts", "transfer_id"):
        if event.transfer_id:
            told[event.transfer_id].append(event)
    return [_course(one, attempts[one.pk], decisions, told[one.pk]) for one in transfers]


def _course(
    transfer: Transfer, attempts: list[Attempt], decisions: dict[UUID, Decision], told: list[Event]
) -> Course:
    moves = (event for event in told if event.type == TransferMoved.type)
    approved = next((one.at for one in moves if one.facts["from_state"] == TransferState.REQUESTED), None)
    asked = next((str(one.facts["by"]) for one in told if one.type == TransferRequested.type), "")
    found = phases(transfer, attempts, approved_at=approved, decisions=decisions)
    return Course(transfer, attempts, found, asked)
