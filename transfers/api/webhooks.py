"""A receiver asks for what it missed."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from ninja import Router
from ninja.responses import Status

from calls.models import WebhookTarget
from calls.outgoing.messages import scope_of_target, send_all_since
from transfers.api import schemas
from transfers.api.auth import KeyRequest, Needs, lens
from transfers.api.once import IdempotencyKey, once

router = Router(tags=["Webhooks"])


@router.post("/webhooks/{uuid:webhook_id}/replay", auth=Needs("webhooks:replay"), response=schemas.Replayed)
def replay_webhook(
    request: KeyRequest, webhook_id: UUID, replay: schemas.Replay, idempotency_key: IdempotencyKey = None
) -> Status[object]:
    """Send every event since then again, with the same ids. The key must see all that the webhook is told of."""
    target = get_object_or_404(WebhookTarget.objects.prefetch_related("departments"), pk=webhook_id)
    mine, told = lens(request).scope, scope_of_target(target)
    if not mine.every_department and (told.every_department or not told.departments <= mine.departments):
        raise Http404
    return once(request, idempotency_key, lambda: schemas.Replayed(messages=send_all_since(target, replay.since)))
