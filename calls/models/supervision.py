"""A supervisor in a call: who, how, since when, and how it ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid6 import uuid7

from calls.states import SupervisionEnd, SupervisionMode, SupervisionState

from .calls import Call


class Supervision(models.Model):
    """One grant to be in a call's room in one mode. Tokens are minted for it while it has not ended."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="supervisions")
    attempt_id = models.UUIDField(
        null=True,
        blank=True,
        db_index=True,
        help_text="On the side of its manager; none: on the caller's.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=9, choices=SupervisionMode)
    state = models.CharField(max_length=6, choices=SupervisionState, default=SupervisionState.OPENED)
    request_key = models.UUIDField(unique=True, help_text="A repeated click is one grant.")
    opened_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, blank=True)
    away_since = models.DateTimeField(null=True, blank=True, help_text="Joined, and not in the room now.")
    seen_at = models.DateTimeField(help_text="When their browser last said that it is there.")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=12, choices=SupervisionEnd, blank=True)
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("opened_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("call", "user"),
                condition=~models.Q(state=SupervisionState.ENDED),
                name="one_open_supervision_a_user",
            ),
            models.UniqueConstraint(
                fields=("call",),
                condition=models.Q(mode=SupervisionMode.TAKE_OVER) & ~models.Q(state=SupervisionState.ENDED),
                name="one_open_take_over",
            ),
        )
        indexes = (
            models.Index(
                fields=("opened_at",), condition=~models.Q(state=SupervisionState.ENDED), name="supervision_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.mode} of {self.call_id}"

    @property
    def is_open(self) -> bool:
        return self.state != SupervisionState.ENDED

    @property
    def identity(self) -> str:
        """In the room; as `telephony/tokens.py` has it."""
        return f"{'listen' if self.mode == SupervisionMode.LISTEN else 'supervisor'}-{self.pk}"

    @property
    def manager_identity(self) -> str:
        """Of the manager on whose side they are; empty: on the caller's."""
        return f"manager-{self.attempt_id}" if self.attempt_id else ""
