"""Who has a page of the console open now."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid6 import uuid7


class OpenPage(models.Model):
    """One live socket of an account and its heartbeat; a row that is not renewed for a while is nobody."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    call_id = models.UUIDField(null=True, blank=True, help_text="The call whose page it is, or is beside.")
    seen_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("seen_at",), name="page_seen"),)

    def __str__(self) -> str:
        return f"Page of {self.user_id}"
