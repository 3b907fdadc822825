"""Agent jobs, their link to the console, and the directives sent down it."""

from __future__ import annotations

from django.db import models
from uuid6 import uuid7

from .calls import Call


class AgentJob(models.Model):
    """One job of the AgentServer. The newest epoch of its link wins; life is judged by the link alone."""

    id = models.CharField(primary_key=True, max_length=64)  # LiveKit's job id
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="jobs")
    role = models.CharField(max_length=8)
    attempt_id = models.UUIDField(null=True, blank=True, db_index=True)
    room_name = models.CharField(max_length=200)
    identity = models.CharField(max_length=200, blank=True)
    agent_name = models.CharField(max_length=80, blank=True, help_text="As it was dispatched.")
    epoch = models.PositiveIntegerField(default=1)
    up_received = models.PositiveBigIntegerField(default=0)
    down_last = models.PositiveBigIntegerField(default=0, help_text="Last sequence given to a directive.")
    down_acked = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Left, was replaced, or judged dead.")

    class Meta:
        indexes = (
            models.Index(fields=("call", "role"), condition=models.Q(closed_at__isnull=True), name="job_live"),
        )

    def __str__(self) -> str:
        return f"{self.role} job of {self.call_id}"


class Directive(models.Model):
    """A stored order to an agent. `key` makes it happen once: `hold:<transfer>`, `merge:<attempt>:bridge`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(AgentJob, on_delete=models.CASCADE, related_name="directives")
    seq = models.PositiveBigIntegerField()
    key = models.CharField(max_length=120)
    body = models.JSONField()
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("job", "seq"), name="directive_in_order"),
            models.UniqueConstraint(fields=("job", "key"), name="directive_once"),
        )

    def __str__(self) -> str:
        return f"{self.key} #{self.seq}"
