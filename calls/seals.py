"""Seals unsealed events, in order, into the insert-only hash chain. Only the clock calls this."""

from __future__ import annotations

import hashlib

from django.db import transaction

from calls.locks import Lock, taken_for_this_transaction
from calls.models import Event, Seal
from calls.timing import now

GENESIS = b"\0" * 32


def link_digest(previous: bytes, body: bytes) -> bytes:
    """SHA-256 of the previous digest and the envelope's bytes."""
    return hashlib.sha256(previous + body).digest()


def seal_events(*, limit: int = 2000) -> int:
    """Seal up to `limit` events; returns how many. Does nothing while another process seals.

    An event is sealed in the order of its sequence. A slow transaction may commit a lower sequence later:
    it is then sealed after the higher one, and the chain's own order is the order of sealing.
    """
    with transaction.atomic():
        if not taken_for_this_transaction(Lock.CHAIN):
            return 0
        last = Seal.objects.order_by("-seq").first()
        previous = bytes(last.digest) if last else GENESIS
        seals, at = [], now()
        for event in Event.objects.filter(seal=None).order_by("seq")[:limit]:
            digest = link_digest(previous, bytes(event.body))
            seals.append(Seal(event=event, previous=previous, digest=digest, sealed_at=at))
            previous = digest
        Seal.objects.bulk_create(seals)
        return len(seals)
