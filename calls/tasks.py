"""Hints of `calls` to the worker; each is safe to lose and safe to run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from calls import effects
from calls.models import OwnerRole
from calls.owners import own


@shared_task(ignore_result=True)
def run_effect(effect_id: str) -> None:
    effects.run(UUID(effect_id), owner=own(OwnerRole.WORKER))


@shared_task(ignore_result=True)
def check_call(call_id: str) -> None:
    from calls.services.watch import check

    check(UUID(call_id))


@shared_task(ignore_result=True)
def verify_audit(run_id: str) -> None:
    from calls.audit import runs

    runs.do(UUID(run_id))
