"""The record: immutable envelopes, erasable payloads, and the chain that seals them.

PostgreSQL refuses UPDATE and DELETE on envelopes and seals (a trigger of the first migration).
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_noop
from uuid6 import uuid7


class Event(models.Model):
    """Who did what when, in typed facts that name nobody and quote nothing.

    `body` is the canonical JSON of the envelope as bytes, which the chain seals: JSONB would not keep bytes.
    `payload_digest` is SHA-256 of salt and payload; the salt goes with the payload when that is erased.
    """

    seq = models.BigAutoField(primary_key=True)
    id = models.UUIDField(default=uuid7, unique=True, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)  # see `calls.events.ActorKind`
    actor_id = models.CharField(max_length=64, blank=True)
    type = models.CharField(max_length=64)
    call_id = models.UUIDField(null=True, blank=True)
    transfer_id = models.UUIDField(null=True, blank=True)
    attempt_id = models.UUIDField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    body = models.BinaryField()
    payload_digest = models.BinaryField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("call_id", "seq"), name="event_of_call"),
            models.Index(fields=("transfer_id", "seq"), name="event_of_transfer"),
            models.Index(
                fields=("transfer_id",),
                condition=models.Q(actor_kind="api_key", transfer_id__isnull=False),
                name="event_of_program",
            ),
        )
        permissions = (("verify_audit", gettext_noop("Can verify the audit")),)

    def __str__(self) -> str:
        return f"{self.type} #{self.seq}"


class EventPayload(models.Model):
    """What was said, names and numbers of an event: erasable, the chain still verifies."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="payload")
    salt = models.BinaryField()
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"Payload of {self.event_id}"


class Seal(models.Model):
    """One link of the hash chain: `digest` is SHA-256 of the previous digest and the envelope's body."""

    seq = models.BigAutoField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="seal")
    previous = models.BinaryField()
    digest = models.BinaryField()
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Seal {self.seq}"
