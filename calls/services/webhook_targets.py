"""Webhooks as administrators set them up."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from calls.events import Actor
from calls.models import Seal, WebhookCursor, WebhookTarget
from calls.outgoing.signing import secret_of
from calls.services.configuration import save_row
from calls.timing import now


@transaction.atomic
def make(target: WebhookTarget, *, actor: Actor) -> str:
    """Save a validated new target, which is told of what happens from now on; returns its secret."""
    target.created_at = now()
    save_row(target, actor=actor)
    newest = Seal.objects.aggregate(newest=Max("seq"))["newest"] or 0
    WebhookCursor.objects.get_or_create(pk=1, defaults={"seal": newest})
    return secret_of(target)


@transaction.atomic
def save(target: WebhookTarget, *, actor: Actor) -> None:
    """Save a validated change. Switched on again, it begins anew: what waits goes now."""
    if target.enabled and target.gave_up_at:
        target.gave_up_at = target.failing_since = None
    save_row(target, actor=actor)


@transaction.atomic
def new_secret(target: WebhookTarget, *, actor: Actor) -> str:
    """For a day, messages are signed with the old one, too."""
    found = WebhookTarget.objects.select_for_update().get(pk=target.pk)
    found.secret_nth, found.rotated_at = found.secret_nth + 1, now()
    save_row(found, actor=actor)
    return secret_of(found)
