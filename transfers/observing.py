"""What Prometheus and OpenTelemetry are told of transfers: from the record, after each commit, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Count, Min
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily

from calls import events, metrics
from calls.agents import tracing
from calls.models import Event
from calls.timing import now
from calls.tracing import find_transfers_with
from transfers.courses import courses
from transfers.models import Attempt, Transfer
from transfers.phases import AFTER_MERGE, Phase
from transfers.states import OPEN_TRANSFER, AttemptState, TransferState
from transfers.transfer_events import (
    AttemptMoved,
    DialAdopted,
    TransferDecided,
    TransferMoved,
    TransferRequested,
)

phase_seconds = Histogram(
    "patchbay_transfer_phase_seconds",
    "How long the phases of a transfer took.",
    ("phase",),
    buckets=metrics.SECONDS,
)
transfers_ended = Counter("patchbay_transfers_ended_total", "Transfers that are over.", ("kind", "end_reason"))
attempts_over = Counter(
    "patchbay_attempts_total", "Attempts to reach a manager: joined, or why they failed.", ("outcome",)
)

OVER = (TransferState.REJECTED, TransferState.COMPLETED, TransferState.FAILED, TransferState.CANCELLED)
WELL = (TransferState.COMPLETED, TransferState.CANCELLED, TransferState.REJECTED)
JOINED = "joined"


def register() -> None:
    events.on_record(observe)
    metrics.register(gauges)
    find_transfers_with(transfer_of_subject, transfer_of_job)


def observe(event: Event) -> None:
    """One event that is committed. Rehearsals count, too: they go the same ways."""
    match event.type:
        case TransferRequested.type:
            _span("request", event, by=event.facts["by"], kind=event.facts["kind"])
        case TransferDecided.type:
            _span("decision", event, approved=event.facts["approved"])
        case DialAdopted.type:
            _span("dial adopted", event)
        case TransferMoved.type if event.transfer_id:
            _moved(event.transfer_id, event.facts["from_state"], event.facts["to_state"])
        case AttemptMoved.type:
            if event.facts["to_state"] == AttemptState.FAILED:
                attempts_over.labels(event.facts["outcome"]).inc()
            elif event.facts["to_state"] == AttemptState.MERGED:
                attempts_over.labels(JOINED).inc()


def _span(name: str, event: Event, **attributes: str | bool) -> None:
    """A moment: from what was decided until it was committed."""
    if event.transfer_id:
        tracing.took(name, event.transfer_id, event.at, now(), attributes)


def _moved(transfer_id: UUID, source: str, to: str) -> None:
    """A phase is counted when the two are joined or when all is over, whichever comes first, and once."""
    joined, over = to == TransferState.MERGED, to in OVER
    if not joined and not over:
        return
    transfer = Transfer.objects.get(pk=transfer_id)
    found = courses([transfer])[0].phases
    after = source == TransferState.MERGED
    for phase in found:
        if (phase.name in AFTER_MERGE) == after:
            phase_seconds.labels(phase.name).observe(phase.seconds)
    if over:
        transfers_ended.labels(transfer.kind, transfer.end_reason).inc()
        _trace(transfer, found)


def _trace(transfer: Transfer, found: Sequence[Phase]) -> None:
    """By whoever finished it: the phases, and at last the root that holds every process's spans."""
    if not tracing.on() or transfer.ended_at is None:
        return
    for phase in found:
        attributes: dict[str, str] = {"patchbay.outcome": phase.outcome} if phase.outcome else {}
        if phase.attempt:
            attributes["patchbay.attempt"] = str(phase.attempt)
        tracing.took(phase.name, transfer.pk, phase.began, phase.ended, attributes, ok=not phase.outcome)
    told = {
        "patchbay.transfer": str(transfer.pk),
        "patchbay.call": str(transfer.call_id),
        "patchbay.kind": transfer.kind,
        "patchbay.state": transfer.state,
        "patchbay.end_reason": transfer.end_reason,
    }
    well = transfer.state in WELL
    tracing.took(tracing.ROOT_NAME, transfer.pk, transfer.requested_at, transfer.ended_at, told, ok=well)


def gauges() -> Iterator[GaugeMetricFamily]:
    open_ones = Transfer.objects.filter(state__in=OPEN_TRANSFER)
    states = dict(open_ones.values_list("state").annotate(Count("pk")).order_by())
    says = "Transfers under way."
    yield metrics.several("patchbay_transfers_open", says, "state", states, OPEN_TRANSFER)
    queued = open_ones.filter(state=TransferState.QUEUED).aggregate(since=Min("queued_at"))["since"]
    says = "How long the transfer longest in line has been there."
    yield metrics.one("patchbay_queue_oldest_age_seconds", says, metrics.age(queued))


# ── whose trace something belongs to ─────────────────────────────────────────────────────────────


def transfer_of_subject(subject_id: UUID) -> UUID | None:
    """An effect's subject: a transfer, an attempt, or a call with its newest transfer that is not over."""
    if Transfer.objects.filter(pk=subject_id).exists():
        return subject_id
    found = Attempt.objects.filter(pk=subject_id).values_list("transfer_id", flat=True).first()
    return found or _newest(subject_id)


def transfer_of_job(call_id: UUID, attempt_id: UUID | None) -> UUID | None:
    return transfer_of_subject(attempt_id) if attempt_id else _newest(call_id)


def _newest(call_id: UUID) -> UUID | None:
    """Of a call. What is said to the AI right after its end belongs to it still."""
    newest = Transfer.objects.filter(call_id=call_id).order_by("-requested_at").first()
    if newest is None or metrics.age(newest.ended_at) > AFTERWARDS_SECONDS:
        return None
    return newest.pk


AFTERWARDS_SECONDS = 5.0
