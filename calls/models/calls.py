"""A call, its legs, its words and the rooms of the server."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy, gettext_noop
from uuid6 import uuid7

from calls.agents.protocol import Speaker
from calls.states import CallerWith, CallState

from .departments import AgentProfile, Department


class Call(models.Model):
    """One caller's call. `state` is its lifecycle; `caller_with` is who is at the other end of the line."""

    class Source(models.TextChoices):
        PHONE = "phone", gettext_lazy("Phone")
        TEST = "test", gettext_lazy("Test call")
        CALLBACK = "callback", gettext_lazy("Callback")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    room_name = models.CharField(max_length=200)
    room_sid = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.PHONE)
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    profile = models.ForeignKey(AgentProfile, on_delete=models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=10, choices=CallState, default=CallState.ACTIVE)
    caller_with = models.CharField(max_length=10, choices=CallerWith, default=CallerWith.AI)
    caller_since = models.DateTimeField(help_text="Since when the caller is with whom they are with.")
    caller_identity = models.CharField(max_length=200, blank=True)
    caller_number = models.CharField(max_length=128, blank=True, help_text="Erased by retention.")
    caller_number_hmac = models.CharField(max_length=64, blank=True, db_index=True)
    caller_last4 = models.CharField(max_length=4, blank=True)
    dialled_number = models.CharField(max_length=128, blank=True)
    agent_state = models.CharField(max_length=16, blank=True)
    caller_speaking = models.BooleanField(default=False, help_text="Voice activity while on hold.")
    rehearsal = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=32, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="What was said, names and numbers.")
    last_fact_at = models.DateTimeField(help_text="When anything was last heard of its room.")
    missed_listings = models.PositiveSmallIntegerField(default=0)
    last_missed_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True, help_text="When the clock looks at it next.")
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("room_name",),
                condition=~models.Q(state=CallState.INACTIVE),
                name="one_live_call_a_room",
            ),
        )
        indexes = (
            models.Index(fields=("-started_at", "-id"), name="call_newest"),
            models.Index(fields=("caller_last4",), name="call_by_last4"),
            models.Index(
                fields=("ended_at",),
                condition=models.Q(erased_at__isnull=True, ended_at__isnull=False),
                name="call_to_erase",
            ),
            models.Index(fields=("wake_at",), condition=models.Q(wake_at__isnull=False), name="call_wake"),
            models.Index(fields=("department",), condition=~models.Q(state=CallState.INACTIVE), name="call_live"),
            models.Index(fields=("source",), condition=models.Q(source="callback"), name="call_back"),
        )
        permissions = (
            ("view_every_department", gettext_noop("Can see every department's calls")),
            ("view_transcript", gettext_noop("Can read transcripts")),
            ("view_full_number", gettext_noop("Can see full numbers")),
            ("listen_call", gettext_noop("Can listen to calls")),
            ("export_calls", gettext_noop("Can export calls")),
            ("supervise_call", gettext_noop("Can supervise calls")),
        )

    def __str__(self) -> str:
        return f"Call {self.id}"

    @property
    def is_live(self) -> bool:
        return self.state != CallState.INACTIVE

    @property
    def is_practice(self) -> bool:
        """A rehearsal with a real manager: it belongs to no department, the rehearsals' own least of all."""
        return self.rehearsal and self.department_id is None


class LegKind(models.TextChoices):
    CALLER = "caller", gettext_lazy("Caller")
    SUPPORT = "support", gettext_lazy("AI")
    TRANSFER = "transfer", gettext_lazy("Transfer agent")
    BRIDGE = "bridge", gettext_lazy("Line")
    MANAGER = "manager", gettext_lazy("Manager")
    LISTENER = "listener", gettext_lazy("Listener")
    SUPERVISOR = "supervisor", gettext_lazy("Supervisor")
    OTHER = "other", gettext_lazy("Other")


class Leg(models.Model):
    """One participant in one of our rooms, from joining to leaving."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    attempt_id = models.UUIDField(null=True, blank=True, db_index=True)
    kind = models.CharField(max_length=12, choices=LegKind)
    identity = models.CharField(max_length=200)
    participant_sid = models.CharField(max_length=64, unique=True)
    room_name = models.CharField(max_length=200)
    sip_status = models.CharField(max_length=16, blank=True)
    by_phone = models.BooleanField(default=False, help_text="A SIP leg: its carrier can be asked to call another.")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    leave_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = (models.Index(fields=("room_name", "identity"), name="leg_by_identity"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.call_id}"


class UtteranceManager(models.Manager["Utterance"]):
    """Nobody reads the words' index out of a row: it is there to be searched."""

    def get_queryset(self) -> models.QuerySet[Utterance]:
        return super().get_queryset().defer("words")


class Utterance(models.Model):
    """One finished turn of somebody, on the caller's side or in the consultation."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="utterances", db_index=False)
    attempt_id = models.UUIDField(null=True, blank=True)
    speaker = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Speaker])
    side = models.CharField(max_length=12, default="call")
    text = models.TextField()
    started_at = models.DateTimeField()
    after_merge = models.BooleanField(default=False)
    words = models.GeneratedField(
        expression=SearchVector("text", config="simple"),  # of no language: callers speak many
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = UtteranceManager()

    class Meta:
        ordering = ("started_at", "id")
        indexes = (
            models.Index(fields=("call", "started_at", "id"), name="utterance_order"),
            models.Index(fields=("call", "-id"), name="utterance_newest"),
            # Without a list of what is to be indexed later: every search would read through it.
            GinIndex(fields=("words",), fastupdate=False, name="utterance_words"),
        )

    def __str__(self) -> str:
        return f"{self.speaker} in {self.call_id}"


class CallFact(models.Model):
    """A fact that the AI collected, by the key of the profile."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="facts")
    key = models.CharField(max_length=40)
    value = models.TextField()
    learned_at = models.DateTimeField()

    class Meta:
        ordering = ("learned_at",)
        constraints = (models.UniqueConstraint(fields=("call", "key"), name="fact_once"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.call_id}"


class Room(models.Model):
    """A room of the server as last seen, ours or not. Rooms that are not ours are only looked at."""

    class Kind(models.TextChoices):
        CALL = "call", gettext_lazy("Call")
        CONSULT = "consult", gettext_lazy("Consultation")
        FOREIGN = "foreign", gettext_lazy("Not ours")

    name = models.CharField(max_length=200, unique=True)
    sid = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FOREIGN)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, null=True, blank=True, related_name="rooms")
    attempt_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    participants = models.JSONField(
        default=list,
        help_text="[{identity, name, kind, state, joined_at, tracks: [{kind, source, muted}], sip: {}}]",
    )
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("created_at", "name")

    def __str__(self) -> str:
        return self.name
