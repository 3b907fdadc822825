"""The dialling rules of this installation, asked before every dial; writes what is counted."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Count

from calls.timing import now
from transfers import dialling
from transfers.dialling import Refusal
from transfers.models import Dialled, DialRule

HOUR = timedelta(hours=1)


def refusal(address: str) -> Refusal | None:
    """Whether the address may be kept at all; how often it may be dialled is another matter."""
    return dialling.refusal(address, DialRule.objects.all())


@transaction.atomic
def admit(address: str) -> Refusal | None:
    """Why it is not dialled now. None: it is, and counts; in the transaction after which it is.

    Rules with a limit are locked meanwhile: of two dials at once one is the last that is allowed.
    """
    rules = list(DialRule.objects.all())
    limited = [rule.pk for rule in dialling.of_number(rules, address) if rule.per_hour]
    locked = list(DialRule.objects.select_for_update().filter(pk__in=limited).order_by("pk")) if limited else []
    Dialled.objects.filter(rule__in=locked, at__lte=now() - HOUR).delete()
    counted = Dialled.objects.filter(rule__in=locked).values_list("rule__prefix").annotate(Count("pk"))
    why = dialling.refusal(address, rules, dict(counted))
    if why is None:
        Dialled.objects.bulk_create([Dialled(rule=rule, at=now()) for rule in locked])
    return why
