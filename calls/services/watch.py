"""What the clock watches of a call: dead links, a missing SupportAgent, sealing's and Valkey's absence aside."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from calls import effects
from calls.agents.protocol import DEAD_AFTER_SECONDS, Role
from calls.hints import each
from calls.models import AgentJob, Call, Leg, LegKind, Owner, OwnerRole
from calls.services import calls as call_service
from calls.services.links import close_job, live_job
from calls.states import CallerWith, CallState
from calls.timing import now

DEAD_AFTER = timedelta(seconds=DEAD_AFTER_SECONDS)
WEB_GRACE = timedelta(seconds=6)  # a web that was away: its agents need a moment to come back
LOOK_AGAIN = timedelta(seconds=3)
DISPATCH_PAUSE = timedelta(seconds=2.5)


def web_was_there() -> bool:
    """Silence means death only if a web process was there to hear: one that has beaten, and for a while."""
    at = now()
    return Owner.objects.filter(
        role=OwnerRole.WEB, beat_at__gt=at - timedelta(seconds=1.5), started_at__lt=at - WEB_GRACE
    ).exists()


def bury_dead_jobs() -> None:
    """Judge links by themselves: silent for 2.5 s while a web was listening is dead."""
    if not web_was_there():
        return
    silent = AgentJob.objects.filter(closed_at=None, last_seen_at__lt=now() - DEAD_AFTER)
    each(silent.select_related("call")[:50], _bury)


def _bury(job: AgentJob) -> None:
    with transaction.atomic():
        call_service.locked(job.call_id)
        fresh = AgentJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
        if fresh.closed_at is None and fresh.last_seen_at < now() - DEAD_AFTER:
            close_job(fresh, reason="silent")


def check(call_id: UUID) -> None:
    """A live call with a caller and nobody to talk to gets a SupportAgent, if none comes by itself."""
    with transaction.atomic():
        call = call_service.locked(call_id)
        if not call.is_live:
            Call.objects.filter(pk=call.pk).update(wake_at=None)
            return
        waiting = _needs_agent(call)
        at = now()
        if waiting and at - _last_agent_sign(call) >= call_service.NO_AGENT_AFTER:
            effects.once_more("dispatch_support", call.pk, pause=DISPATCH_PAUSE)
        Call.objects.filter(pk=call.pk).update(wake_at=at + LOOK_AGAIN if waiting else None)


def _needs_agent(call: Call) -> bool:
    """Not only who is with it: whoever has taken over may give the caller back, or be lost."""
    with_agent = call.caller_with != CallerWith.MANAGER and call.state != CallState.INACTIVE
    caller_here = Leg.objects.filter(call=call, kind=LegKind.CALLER, left_at=None).exists()
    return with_agent and caller_here and live_job(call.pk, Role.SUPPORT) is None


def _last_agent_sign(call: Call) -> datetime:
    closed: datetime | None = AgentJob.objects.filter(call=call, role=Role.SUPPORT).aggregate(at=Max("closed_at"))[
        "at"
    ]
    return max(closed, call.started_at) if closed else call.started_at
