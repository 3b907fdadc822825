"""Who took what of the history away."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from uuid6 import uuid7


class HistoryExport(models.Model):
    """One download of the history, from its first row to its last, or to where it was broken off."""

    class Form(models.TextChoices):
        CSV = "csv", "CSV"
        JSONL = "jsonl", gettext_lazy("JSON Lines")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    form = models.CharField(max_length=5, choices=Form)
    filters = models.JSONField(default=list, help_text="By what was filtered, not for what.")
    asked_at = models.DateTimeField()
    told_at = models.DateTimeField(help_text="When it was last heard of.")
    ended_at = models.DateTimeField(null=True, blank=True)
    whole = models.BooleanField(default=False, help_text="Every row was sent.")
    rows = models.PositiveBigIntegerField(default=0, help_text="Sent so far.")
    about = models.PositiveBigIntegerField(default=0, help_text="How many there are, as PostgreSQL guesses.")

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"Export {self.id}"
