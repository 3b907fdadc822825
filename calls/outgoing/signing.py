"""What is sent, and the signature by which a receiver knows that it is from us (Standard Webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from standardwebhooks import Webhook

from calls.events import canonical
from calls.models import EventPayload, WebhookMessage, WebhookTarget

OLD_SECRET_HOLDS = timedelta(hours=24)  # after a new one was made: both sign


@dataclass(frozen=True)
class Letter:
    """One request as it is sent."""

    url: str
    headers: dict[str, str]
    body: bytes


def secret_of(target: WebhookTarget, *, nth: int | None = None) -> str:
    """`whsec_…`, derived: it is in no database and no backup, and another installation's is another."""
    what = f"webhook:{target.pk}:{nth or target.secret_nth}".encode()
    key = hmac.new(settings.SECRET_KEY.encode(), what, hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def letter(message: WebhookMessage, *, at: datetime) -> Letter:
    """Signed for this moment: a receiver refuses what is older than a few minutes."""
    body = canonical(_said(message))
    secrets = [secret_of(message.target)]
    rotated = message.target.rotated_at
    if rotated and at < rotated + OLD_SECRET_HOLDS:
        secrets.append(secret_of(message.target, nth=message.target.secret_nth - 1))
    signatures = (Webhook(secret).sign(message.webhook_id, at, body.decode()) for secret in secrets)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Patchbay",
        "patchbay-webhook": str(message.target_id),  # by which a receiver asks for what it missed
        "webhook-id": message.webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Letter(message.target.url, headers, body)


def _said(message: WebhookMessage) -> dict[str, Any]:
    """Ids and typed facts, which name nobody; the words only where the target's setting says so."""
    event = message.event
    if event is None:
        return {"type": message.type, "timestamp": message.created_at.isoformat(), "data": {}}
    data: dict[str, Any] = {
        "call_id": event.call_id,
        "transfer_id": event.transfer_id,
        "attempt_id": event.attempt_id,
        "by": event.actor_kind,
        **event.facts,
    }
    data = {name: value if value is None else _plain(value) for name, value in data.items()}
    if message.target.with_content:
        payload = EventPayload.objects.filter(event=event).first()  # gone, if it was erased
        data["content"] = json.loads(bytes(payload.body)) if payload else {}
    return {"type": message.type, "timestamp": event.at.isoformat(), "data": data}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict) else str(value)
