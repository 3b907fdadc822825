"""Whether those who want to be told of events are: for `doctor`, `/status` and a banner in the administration."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet

from calls import health
from calls.health import Check, Verdict
from calls.models import WebhookTarget
from calls.timing import now

NAME = "Webhooks out"
TROUBLED_AFTER = timedelta(hours=1)  # what is away for less comes back by itself


def troubled() -> QuerySet[WebhookTarget]:
    off = Q(enabled=False, gave_up_at__isnull=False)
    return WebhookTarget.objects.filter(off | Q(enabled=True, failing_since__lt=now() - TROUBLED_AFTER))


def trouble_of(target: WebhookTarget) -> str:
    """What happened, what it means, what to do."""
    if target.gave_up_at:
        return (
            f"The webhook “{target.name}” was switched off on {target.gave_up_at:%-d %b}: nothing had arrived. It "
            "is told of nothing. Repair its receiver, switch it on again, then choose “Send all since …”."
        )
    return (
        f"Nothing has arrived at the webhook “{target.name}” since {target.failing_since:%-d %b, %H:%M} UTC. It "
        "is tried again for days and then switched off. Look at its messages for the reason."
    )


def targets_reached() -> Check:
    found = list(troubled())
    if not found:
        count = WebhookTarget.objects.filter(enabled=True).count()
        says = (
            f"Events go to {count} address{'' if count == 1 else 'es'}." if count else "Nobody is told of events."
        )
        return Check(NAME, Verdict.OK, says)
    names = ", ".join(f"“{target.name}”" for target in found)
    return Check(NAME, Verdict.UNSURE, f"Nothing arrives at {names}.", "See Webhooks in the administration.")


def register() -> None:
    health.register(NAME, targets_reached)
