"""The audit of the record: signed heads of the chain, and who had it verified when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid6 import uuid7


class AuditHead(models.Model):
    """The links from `first_seal` to `last_seal`, signed. PostgreSQL refuses to change or delete one.

    `body` is the canonical JSON that `signature` (Ed25519) is of: see `calls.audit.heads`.
    """

    seq = models.BigAutoField(primary_key=True)
    first_seal = models.BigIntegerField()
    last_seal = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    body = models.BinaryField()
    signature = models.BinaryField()

    class Meta:
        ordering = ("seq",)

    def __str__(self) -> str:
        return f"Head at link {self.last_seal}"


class AuditRun(models.Model):
    """One verification of the whole chain that somebody asked for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    told_at = models.DateTimeField(
        help_text="When it was last heard of: silent for a minute means it has stopped."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.PositiveBigIntegerField(default=0, help_text="Links so far.")
    links = models.PositiveBigIntegerField(default=0, help_text="In all, when it began.")
    heads = models.PositiveBigIntegerField(default=0, help_text="Signed heads that fit.")
    erased = models.PositiveBigIntegerField(default=0, help_text="Events whose words were erased.")
    broken_kind = models.CharField(max_length=12, blank=True)
    broken_words = models.TextField(blank=True)
    digest = models.BinaryField(default=bytes, help_text="Of the newest link.")

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"Verification {self.id}"
