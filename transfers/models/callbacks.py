"""A promise that somebody calls a caller back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy, gettext_noop
from uuid6 import uuid7

from calls.models import Call, Department

from .transfers import Transfer


class Callback(models.Model):
    """From the promise to its result. `states.CALLBACK_TRANSITIONS` is its lifecycle."""

    class State(models.TextChoices):
        OPEN = "open", gettext_lazy("Open")
        CLAIMED = "claimed", gettext_lazy("Claimed")
        CALLING = "calling", gettext_lazy("Calling")
        DONE = "done", gettext_lazy("Done")

    class Result(models.TextChoices):
        REACHED = "reached", gettext_lazy("Talked to them")
        NOT_REACHED = "not_reached", gettext_lazy("Not reached")
        WRONG_NUMBER = "wrong_number", gettext_lazy("Wrong number")
        NOT_NEEDED = "not_needed", gettext_lazy("Not needed any more")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request_key = models.UUIDField(unique=True, help_text="A repeated tool call is one promise.")
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="callbacks")
    transfer = models.ForeignKey(Transfer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    number = models.CharField(max_length=16, blank=True, help_text="In E.164; erased by retention.")
    number_hmac = models.CharField(max_length=64, blank=True, db_index=True)
    number_last4 = models.CharField(max_length=4, blank=True)
    preferred = models.CharField(max_length=120, blank=True, help_text="When it suits them, as they said it.")
    briefing = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    calling = models.ForeignKey(
        Transfer,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls_back",
        help_text="The newest.",
    )
    result = models.CharField(max_length=12, choices=Result, blank=True)
    note = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("due_at", "id")
        indexes = (
            models.Index(
                fields=("department", "due_at"), condition=~models.Q(state="done"), name="callback_waiting"
            ),
        )
        permissions = (("handle_callback", gettext_noop("Can claim and make callbacks")),)

    def __str__(self) -> str:
        return f"Callback {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state != self.State.DONE
