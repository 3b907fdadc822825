"""A phone line tried from the administration: one number rung once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from uuid6 import uuid7

from transfers.models.roster import Endpoint, Trunk


class Ring(models.Model):
    """Somebody had a number rung, to see whether the line works. It is hung up as soon as it is answered."""

    class State(models.TextChoices):
        ASKED = "asked", gettext_lazy("Asked for")
        RINGING = "ringing", gettext_lazy("Dialled")
        ENDED = "ended", gettext_lazy("Over")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request_key = models.UUIDField(unique=True, help_text="A repeated click is one ring.")
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    trunk = models.ForeignKey(Trunk, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    address = models.CharField(max_length=200, blank=True, help_text="Forgotten when it is over.")
    last4 = models.CharField(max_length=4, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    dialled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, help_text="answered, or an attempt's outcome.")
    sip_status = models.PositiveSmallIntegerField(null=True, blank=True)
    detail = models.CharField(max_length=200, blank=True, help_text="The carrier's or LiveKit's own words.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Ring of …{self.last4}"

    @property
    def room(self) -> str:
        return f"ring-{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state == self.State.ENDED
