from __future__ import annotations

from django.db import models


class WebhookDelivery(models.Model):
    """A verified webhook, stored once by LiveKit's event id."""

    id = models.CharField(primary_key=True, max_length=64)
    type = models.CharField(max_length=40)
    room_name = models.CharField(max_length=200, blank=True)
    room_sid = models.CharField(max_length=64, blank=True)
    identity = models.CharField(max_length=200, blank=True)
    participant_sid = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(help_text="LiveKit's clock.")
    received_at = models.DateTimeField()
    body = models.BinaryField()

    class Meta:
        indexes = (
            models.Index(fields=("room_name", "identity"), name="webhook_of_leg"),
            models.Index(fields=("received_at",), name="webhook_received"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
