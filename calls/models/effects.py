"""Effects: what is to be done outside the database, as rows; and the processes that do it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7


class OwnerRole(models.TextChoices):
    WORKER = "worker", "Worker"
    CLOCK = "clock", "Clock"
    WEB = "web", "Web"


class Owner(models.Model):
    """One process and its heartbeat: a claim is stale when its owner has been silent for 1.5 s."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.CharField(max_length=8, choices=OwnerRole)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("role", "beat_at"), name="owner_beats"),)

    def __str__(self) -> str:
        return f"{self.role} {self.pid}"


class EffectState(models.TextChoices):
    DUE = "due", "Due"
    CLAIMED = "claimed", "Claimed"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Effect(models.Model):
    """One thing to do through the gateway. A repeat is the next `nth`; a dial has only the first."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    nth = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=8, choices=EffectState, default=EffectState.DUE)
    args = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, null=True, blank=True)
    token = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "subject_id", "nth"), name="effect_once"),)
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(state="due"), name="effect_due"),
            models.Index(fields=("owner",), condition=models.Q(state="claimed"), name="effect_claimed"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} #{self.nth}"
