"""Which managers have their desk open now."""

from __future__ import annotations

from django.db import models
from uuid6 import uuid7

from .roster import Manager


class OpenDesk(models.Model):
    """One window with a desk and its heartbeat; a row that is not renewed for a while is nobody."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="desks")
    microphone = models.BooleanField(default=False, help_text="Its sound was checked: it can take a call.")
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("seen_at",), name="desk_seen"),)

    def __str__(self) -> str:
        return f"Desk of {self.manager_id}"
