"""Whether those who want to be told of events are: for `doctor`, `/status` and a banner in the administration."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext, gettext_noop, ngettext

from calls import health
from calls.health import Check, Verdict
from calls.models import WebhookTarget
from calls.timing import now

NAME = gettext_noop("Webhooks out")
TROUBLED_AFTER = timedelta(hours=1)  # what is away for less comes back by itself


def troubled() -> QuerySet[WebhookTarget]:
    off = Q(enabled=False, gave_up_at__isnull=False)
    return WebhookTarget.objects.filter(off | Q(enabled=True, failing_since__lt=now() - TROUBLED_AFTER))


def trouble_of(target: WebhookTarget) -> str:
    """What happened, what it means, what to do."""
    if target.gave_up_at:
        return gettext(
            "The webhook “%(name)s” was switched off on %(day)s: nothing had arrived. It "
            "is told of nothing. Repair its receiver, switch it on again, then choose “Send all since …”."
        ) % {"name": target.name, "day": f"{target.gave_up_at:%-d %b}"}
    return gettext(
        "Nothing has arrived at the webhook “%(name)s” since %(time)s UTC. It "
        "is tried again for days and then switched off. Look at its messages for the reason."
    ) % {"name": target.name, "time": f"{target.failing_since:%-d %b, %H:%M}"}


def targets_reached() -> Check:
    found = list(troubled())
    if not found:
        count = WebhookTarget.objects.filter(enabled=True).count()
        says = ngettext("Events go to %(count)s address.", "Events go to %(count)s addresses.", count)
        says = says % {"count": count} if count else gettext("Nobody is told of events.")
        return Check(gettext(NAME), Verdict.OK, says)
    names = ", ".join(f"“{target.name}”" for target in found)
    return Check(
        gettext(NAME),
        Verdict.UNSURE,
        gettext("Nothing arrives at %(names)s.") % {"names": names},
        gettext("See Webhooks in the administration."),
    )


def register() -> None:
    health.register(NAME, targets_reached)
