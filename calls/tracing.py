"""Which transfer's trace something in `calls` belongs to: `transfers` knows, and says so here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import Error

from calls.agents import tracing

OfSubject = Callable[[UUID], UUID | None]
OfJob = Callable[[UUID, UUID | None], UUID | None]

_of_subject: OfSubject | None = None
_of_job: OfJob | None = None


def find_transfers_with(of_subject: OfSubject, of_job: OfJob) -> None:
    """`of_subject` by an effect's subject; `of_job` by a job's call and attempt."""
    global _of_subject, _of_job
    _of_subject, _of_job = of_subject, of_job


def of_subject(subject_id: UUID) -> UUID | None:
    """None while nothing is traced: then nobody is asked. Nor for a database that is away."""
    if _of_subject is None or not tracing.on():
        return None
    with suppress(Error):
        return _of_subject(subject_id)
    return None


def of_job(call_id: UUID, attempt_id: UUID | None) -> UUID | None:
    """In the caller's transaction."""
    return _of_job(call_id, attempt_id) if _of_job and tracing.on() else None
