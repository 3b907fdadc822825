"""Seals unsealed events, in order, into the insert-only hash chain. Only the clock calls this."""

from __future__ import annotations

import hashlib

from django.db import connection, transaction

from calls.models import Event, Seal
from calls.timing import now

GENESIS = b"\0" * 32
CHAIN_LOCK = 0x50_41_54_43  # any constant: one sealer at a time


def link_digest(previous: bytes, body: bytes) -> bytes:
    """SHA-256 of the previous digest and the envelope's bytes."""
    return hashlib.sha256(previous + body).digest()


def seal_events(*, limit: int = 500) -> int:
    """Seal up to `limit` events; returns how many. Does nothing while another process seals.

    An event is sealed in the order of its sequence. A slow transaction may commit a lower sequence later:
    it is then sealed after the higher one, and the chain's own order is the order of sealing.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [CHAIN_LOCK])
            if not cursor.fetchone()[0]:
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
