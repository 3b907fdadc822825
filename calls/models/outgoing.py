"""Webhooks that go out: where to, which events, and how each message fared. LiveKit's own are in `webhooks`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext, gettext_lazy
from uuid6 import uuid7

from calls import validation

from .departments import Department
from .record import Event


class WebhookTarget(models.Model):
    """An address that is told of events. Its secret is derived from the installation's and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    url = models.CharField(gettext_lazy("address"), max_length=500, help_text="https://…")
    types = models.JSONField(gettext_lazy("events"), default=list)
    every_department = models.BooleanField(
        default=False, help_text=gettext_lazy("Told of all calls and managers, those of later departments too.")
    )
    departments = models.ManyToManyField(
        Department, blank=True, related_name="+", help_text=gettext_lazy("None: unassigned calls only.")
    )
    with_content = models.BooleanField(
        gettext_lazy("with names and words"),
        default=False,
        help_text=gettext_lazy(
            "Reasons and other words of the event; otherwise ids and states only, the API gives the rest."
        ),
    )
    enabled = models.BooleanField(default=True)
    secret_nth = models.PositiveIntegerField(default=1, editable=False)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=gettext_lazy("Nothing has arrived since.")
    )
    gave_up_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=gettext_lazy("When it was switched off because nothing arrived."),
    )
    created_at = models.DateTimeField(gettext_lazy("made"), editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = gettext_lazy("webhook")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        with validation.of_field("url"):
            self.url = validation.webhook_address(self.url)
        if not self.types:
            raise ValidationError({"types": gettext("Choose at least one event.")})


class WebhookMessage(models.Model):
    """One event for one target. Its `webhook-id` is the event's id, however often it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        SENDING = "sending", gettext_lazy("Being sent")
        SENT = "sent", gettext_lazy("Arrived")
        GIVEN_UP = "given_up", gettext_lazy("Given up")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    target = models.ForeignKey(WebhookTarget, on_delete=models.CASCADE, related_name="messages")
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, null=True, related_name="+", help_text=gettext_lazy("None: a test.")
    )
    type = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(help_text=gettext_lazy("When it is tried next."))
    tries = models.PositiveSmallIntegerField(default=0, help_text=gettext_lazy("Since it was last asked for."))
    token = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(gettext_lazy("arrived"), null=True)
    created_at = models.DateTimeField(gettext_lazy("made"))

    class Meta:
        constraints = (models.UniqueConstraint(fields=("target", "event"), name="webhook_message_once"),)
        indexes = (
            models.Index(
                fields=("target", "due_at"), condition=models.Q(state="waiting"), name="webhook_message_due"
            ),
            models.Index(
                fields=("claimed_at",), condition=models.Q(state="sending"), name="webhook_message_sending"
            ),
            models.Index(fields=("-created_at",), name="webhook_message_newest"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"

    @property
    def webhook_id(self) -> str:
        return f"msg_{self.event.id if self.event else self.id}"


class WebhookTry(models.Model):
    """One request and what came of it: `status` of the answer, or why there was none."""

    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=80, blank=True)
    took_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ("at", "id")
        verbose_name = gettext_lazy("try")
        verbose_name_plural = gettext_lazy("tries")

    def __str__(self) -> str:
        return f"{self.status or self.error} at {self.at:%H:%M:%S}"


class WebhookCursor(models.Model):
    """How far the sealed events have been made into messages: one row, from the first target on."""

    seal = models.BigIntegerField(help_text="The last seal that was looked at.")

    def __str__(self) -> str:
        return f"Up to seal {self.seal}"
