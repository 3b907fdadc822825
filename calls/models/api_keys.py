"""Keys of the HTTP API, and the answers that are kept so that a repeated request does nothing twice."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy
from uuid6 import uuid7

from calls.api_scopes import SCOPES

from .departments import Department


class ApiKey(models.Model):
    """What a program may see and do. Its secret is shown once and kept only as a digest."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(
        max_length=80, unique=True, help_text=gettext_lazy("Which program uses it. The history shows it.")
    )
    prefix = models.CharField(
        max_length=16, unique=True, editable=False, help_text=gettext_lazy("How its secret begins.")
    )
    digest = models.CharField(
        max_length=64, editable=False, help_text=gettext_lazy("SHA-256 of the whole secret.")
    )
    scopes = models.JSONField(default=list, help_text=gettext_lazy("What it may do."))
    every_department = models.BooleanField(
        default=False, help_text=gettext_lazy("Sees all calls and managers, those of later departments too.")
    )
    departments = models.ManyToManyField(
        Department, blank=True, related_name="+", help_text=gettext_lazy("None: unassigned calls only.")
    )
    per_minute = models.PositiveIntegerField(
        gettext_lazy("requests a minute"),
        default=300,
        validators=(MinValueValidator(1), MaxValueValidator(60_000)),
    )
    expires_at = models.DateTimeField(
        gettext_lazy("expires"), null=True, blank=True, help_text=gettext_lazy("In UTC; empty: never.")
    )
    revoked_at = models.DateTimeField(gettext_lazy("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(gettext_lazy("last used"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(gettext_lazy("made"), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ("name",)
        verbose_name = gettext_lazy("API key")
        verbose_name_plural = gettext_lazy("API keys")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        unknown = [scope for scope in self.scopes if scope not in SCOPES]
        if unknown:
            raise ValidationError(
                {
                    "scopes": gettext("There is no scope “%(scope)s”: choose from %(scopes)s.")
                    % {"scope": unknown[0], "scopes": ", ".join(SCOPES)}
                }
            )


class ApiAnswer(models.Model):
    """The first answer to a request that named an Idempotency-Key; written with what the request did."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="answers")
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "idempotency_key"), name="api_answer_once"),)
        indexes = (models.Index(fields=("created_at",), name="api_answer_age"),)

    def __str__(self) -> str:
        return f"Answer {self.idempotency_key}"
