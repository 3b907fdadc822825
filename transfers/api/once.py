"""The same request twice is one: the first answer is kept in the transaction of what it did, and given again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated

from django.db import transaction
from ninja import Header, Schema
from ninja.responses import Status

from calls.errors import Refused
from calls.events import Actor
from calls.models import ApiAnswer
from calls.services.api_keys import ANSWERS_KEPT
from calls.timing import now
from transfers.api.auth import KeyRequest
from transfers.api.problems import Problem, of_refusal

IdempotencyKey = Annotated[
    str | None,
    Header(
        None,
        alias="Idempotency-Key",
        max_length=255,
        description="The same key with the same request is answered with the first answer, for 24 hours.",
    ),
]
Work = Callable[[], Schema]


def actor(request: KeyRequest) -> Actor:
    return Actor("api_key", str(request.auth.pk))


def once(request: KeyRequest, idempotency_key: str | None, work: Work, *, status: int = 200) -> Status[object]:
    """Do `work` or give its first answer again.

    A second request waits for the first one's transaction, in whichever process that is. What a service
    refuses is an answer, too; what breaks is none, and may be tried again.
    """
    if not idempotency_key:
        return Status(status, work())
    kept = _kept(request, idempotency_key, work, status)
    if kept.status != status:
        raise of_refusal(Refused((kept.body or {}).get("detail", "")))
    return Status(status, kept.body)


@transaction.atomic
def _kept(request: KeyRequest, idempotency_key: str, work: Work, status: int) -> ApiAnswer:
    at, digest = now(), _digest(request)
    mine = ApiAnswer.objects.filter(key=request.auth, idempotency_key=idempotency_key)
    mine.filter(created_at__lte=at - ANSWERS_KEPT).delete()
    answer, made = ApiAnswer.objects.get_or_create(
        key=request.auth,
        idempotency_key=idempotency_key,
        defaults={"request_digest": digest, "created_at": at},
    )
    if answer.request_digest != digest:
        raise Problem(
            422,
            "key-reused",
            "This Idempotency-Key was used for another request. Use a new one for each thing that you want done. "
            "Nothing was changed.",
        )
    if made:
        answer.status, answer.body = _done(work, status)
        answer.save(update_fields=("status", "body"))
    return answer


def _done(work: Work, status: int) -> tuple[int, object]:
    try:
        with transaction.atomic():
            return status, work().model_dump(mode="json")
    except Refused as refusal:
        problem = of_refusal(refusal)
        return problem.status, problem.as_json()


def _digest(request: KeyRequest) -> str:
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request.body).hexdigest()
