"""Who was shown what was said: an event itself."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from calls.events import Actor, TranscriptRead, record


def was_read(actor: Actor, call_id: UUID, page: Literal["call", "transfer", "api"]) -> None:
    with transaction.atomic():
        record(TranscriptRead(page=page), actor=actor, call_id=call_id)


def is_opening(request: HttpRequest) -> bool:
    """Whether somebody opens a page; its own later looks at what changed are the same reading."""
    return "X-Snapshot" not in request.headers
