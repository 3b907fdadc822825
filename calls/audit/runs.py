"""A verification, and the run of one that somebody asked for on the page: done by the worker, told as it goes."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from calls.audit import chain, heads
from calls.errors import Refused
from calls.events import Actor, AuditVerified, record
from calls.hints import after_commit
from calls.locks import Lock, awaited_for_this_transaction
from calls.models import AuditRun
from calls.timing import now

logger = logging.getLogger(__name__)

SILENT = timedelta(seconds=60)  # whoever did it has stopped
TOLD_EVERY_S = 0.5


def ask(user: User) -> AuditRun:
    """Start one. Raises Refused while another is under way."""
    with transaction.atomic():
        awaited_for_this_transaction(Lock.AUDIT_RUNS)
        if AuditRun.objects.filter(ended_at=None, told_at__gt=now() - SILENT).exists():
            raise Refused(gettext("A verification is under way already. Its result appears on this page."))
        run = AuditRun.objects.create(asked_by=user, asked_at=now(), told_at=now())
        after_commit(partial(_begin, run.pk))
    return run


def _begin(run_id: UUID) -> None:
    """A long task, so no hint that may be late; if it cannot be handed over, the page says so at once."""
    from calls.tasks import verify_audit

    try:
        verify_audit.apply_async(args=(str(run_id),), queue="default", retry=False)
    except Exception as error:  # whatever the broker's client raises
        logger.warning("a verification could not be handed over", extra={"error": type(error).__name__})
        AuditRun.objects.filter(pk=run_id).update(told_at=now() - SILENT)


def do(run_id: UUID) -> None:
    """Verify, and write down what was found; once, whoever begins first."""
    runs = AuditRun.objects.filter(pk=run_id, ended_at=None)
    if not runs.filter(looked_at=0, links=0).update(told_at=now(), links=max(1, chain.total())):
        return
    last = monotonic()

    def told(done: int, of: int) -> None:
        nonlocal last
        if monotonic() - last >= TOLD_EVERY_S:
            last = monotonic()
            runs.update(looked_at=done, links=of, told_at=now())

    verdict = audit(told=told)
    with transaction.atomic():
        runs.update(
            ended_at=now(),
            told_at=now(),
            looked_at=verdict.seals,
            heads=verdict.heads,
            erased=verdict.erased,
            broken_kind=verdict.broken.kind if verdict.broken else "",
            broken_words=verdict.broken.words if verdict.broken else "",
            digest=verdict.digest,
        )
        run = AuditRun.objects.get(pk=run_id)
        record(
            AuditVerified(links=verdict.seals, heads=verdict.heads, broken=run.broken_kind),
            actor=Actor.of(run.asked_by),
        )


def audit(*, told: chain.OnProgress, kept: Iterable[heads.Kept] = ()) -> chain.Verdict:
    """The chain, then the heads that the database has and those that were kept elsewhere."""
    verdict = chain.verify(told=told)
    if verdict.ok:
        verdict.heads, verdict.broken = heads.compare(itertools.chain(heads.stored(), kept))
    return verdict
