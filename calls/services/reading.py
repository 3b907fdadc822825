"""Who was shown what was said: an event itself."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from calls.events import Actor, TranscriptRead, record


def was_read(actor: Actor, call_id: UUID, page: Literal["call", "transfer", "profile", "api"]) -> None:
    with transaction.atomic():
        record(TranscriptRead(page=page), actor=actor, call_id=call_id)


def opened(request: HttpRequest, call_id: UUID, page: Literal["call", "transfer"]) -> None:
    """Whoever opens a page reads what it shows; its own later looks at what changed are the same reading."""
    if "X-Snapshot" not in request.headers:
        was_read(Actor.of(request.user), call_id, page)
