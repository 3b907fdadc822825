"""Keys of the HTTP API: made once, recognised by their digest, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction

from calls.events import Actor
from calls.models import ApiAnswer, ApiKey
from calls.services.configuration import save_row
from calls.timing import now

BEGINS = "pbk_"
PREFIX_LENGTH = len(BEGINS) + 8
NOTED_EVERY = timedelta(minutes=1)  # a row's write for every request would be more than it is worth
ANSWERS_KEPT = timedelta(hours=24)


def digest_of(secret: str) -> str:
    """Plain SHA-256 is enough: the secret is 32 random bytes, nobody guesses one."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make(key: ApiKey, *, user: User) -> str:
    """Save a validated new key; returns its secret, which nobody can read again."""
    secret = f"{BEGINS}{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    key.prefix, key.digest = secret[:PREFIX_LENGTH], digest_of(secret)
    key.created_at, key.created_by = now(), user
    save_row(key, actor=Actor.of(user))
    return secret


@transaction.atomic
def revoke(key: ApiKey, *, actor: Actor) -> None:
    """From its next request on it is refused. A second time changes nothing."""
    found = ApiKey.objects.select_for_update().get(pk=key.pk)
    if found.revoked_at is None:
        found.revoked_at = now()
        save_row(found, actor=actor)


def recognised(secret: str) -> ApiKey | None:
    """The key of a secret, revoked and expired ones too: whoever has it may be told which of the two."""
    found = ApiKey.objects.filter(prefix=secret[:PREFIX_LENGTH]).first()
    if found is None or not secrets.compare_digest(found.digest, digest_of(secret)):
        return None
    return found


def used(key: ApiKey) -> None:
    """Note that it is in use, at most once a minute."""
    at = now()
    if key.last_used_at is None or at - key.last_used_at >= NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=at)


def forget_answers() -> None:
    ApiAnswer.objects.filter(created_at__lt=now() - ANSWERS_KEPT).delete()
