"""A transfer, the attempts to reach a manager, their decisions and the briefing's versions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy, gettext_noop
from uuid6 import uuid7

from calls.models import AgentProfile, Call, Department
from transfers.states import (
    MANAGER_STATE,
    OPEN_ATTEMPT,
    OPEN_TRANSFER,
    AttemptState,
    EndReason,
    ManagerState,
    Outcome,
    TransferState,
)

from .roster import Endpoint, Manager


class WaitsWith(models.TextChoices):
    """Who keeps the caller company until a manager takes them."""

    HOLD = "hold", gettext_lazy("On hold")
    AI = "ai", gettext_lazy("With the AI")


class HandOver(models.TextChoices):
    """What a manager asks for while talking to the caller: `*0` and `*1`."""

    BACK = "back", gettext_lazy("Back to the AI")
    ANOTHER = "another", gettext_lazy("To another manager")


class ReferResult(models.TextChoices):
    """What the caller's carrier said to a cold transfer."""

    DONE = "done", gettext_lazy("Accepted")
    REFUSED = "refused", gettext_lazy("Refused")
    UNKNOWN = "unknown", gettext_lazy("No answer")


class Afterwards(models.TextChoices):
    """What a manager says of the caller once they have talked."""

    HELPED = "helped", gettext_lazy("Helped")
    FOLLOW_UP = "follow_up", gettext_lazy("Needs a follow-up")
    PASSED_ON = "passed_on", gettext_lazy("Passed on")
    NOT_HELPED = "not_helped", gettext_lazy("Could not be helped")


class Transfer(models.Model):
    """One decision to escalate a call."""

    class Kind(models.TextChoices):
        WARM = "warm", gettext_lazy("Warm")
        COLD = "cold", gettext_lazy("Cold")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.WARM)
    state = models.CharField(max_length=12, choices=TransferState, default=TransferState.REQUESTED)
    end_reason = models.CharField(max_length=24, choices=EndReason, blank=True)
    words_for_caller = models.TextField(blank=True, help_text="What the AI says about how it ended.")
    follows = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True)
    waits_with = models.CharField(
        max_length=4,
        choices=WaitsWith,
        default=WaitsWith.HOLD,
        help_text="Where the caller is while managers are rung.",
    )
    prefer = models.ForeignKey(
        Manager,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Called first: the caller's line to them was cut.",
    )
    spare = models.ForeignKey(
        Manager,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Not called: they asked for somebody else.",
    )
    handed_over = models.CharField(
        max_length=8, choices=HandOver, blank=True, help_text="What the manager asked for by key, once joined."
    )
    parked_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when a supervisor holds the joined caller."
    )
    queued_at = models.DateTimeField(null=True, blank=True, help_text="Since when it waits in line.")
    queue_place = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Its place when it came.")
    queue_left_at = models.DateTimeField(null=True, blank=True, help_text="When a manager was free for it.")
    caller_rung_at = models.DateTimeField(
        null=True, blank=True, help_text="A callback's: when the caller was called."
    )
    refer_to = models.ForeignKey(
        Endpoint,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="A cold transfer's.",
    )
    refer_asked_at = models.DateTimeField(null=True, blank=True)
    refer_result = models.CharField(max_length=8, choices=ReferResult, blank=True)
    request_key = models.UUIDField(unique=True, help_text="A repeated click or tool call is one request.")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True)
    person = models.ForeignKey(
        Manager, on_delete=models.PROTECT, null=True, blank=True, help_text="Only this manager is asked."
    )
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only this phone is called: an agent's code named it, and waits for what comes of it.",
    )
    reason = models.TextField(blank=True)
    profile = models.ForeignKey(AgentProfile, on_delete=models.PROTECT, null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # empty: the AI
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved = models.BooleanField(null=True, blank=True)
    decline_reason = models.TextField(blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cancel_reason = models.CharField(max_length=24, choices=EndReason, blank=True, help_text="Asked to stop.")
    briefing = models.TextField(blank=True, help_text="Exactly what is spoken.")
    briefing_edited = models.BooleanField(default=False, help_text="By a person: a draft never replaces it.")
    briefing_saved_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True, blank=True, help_text="Since when the caller is on hold.")
    merged_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="Of the present state, for the page.")
    wake_at = models.DateTimeField(null=True, blank=True, help_text="When the clock looks at it next.")
    call_department = models.PositiveBigIntegerField(
        default=0, db_default=0, editable=False, help_text="The call's; 0 for none. PostgreSQL keeps it (0016)."
    )
    of_callback = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether its call is one that we made, back to the caller. PostgreSQL keeps it (0018).",
    )
    of_rehearsal = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether its call is one; kept likewise."
    )
    measured = models.BooleanField(
        default=False, db_default=False, help_text="It is over, and the reports have counted it."
    )
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("call",), condition=models.Q(state__in=OPEN_TRANSFER), name="one_open_transfer_a_call"
            ),
        )
        indexes = (
            models.Index(
                fields=("-requested_at", "-id"),
                include=("ended_at", "of_rehearsal", "call_department", "department"),
                name="transfer_newest",  # with what most walks of the past ask: they read no rows but those found
            ),
            models.Index(fields=("end_reason", "-requested_at", "-id"), name="transfer_by_result"),
            models.Index(fields=("department", "-requested_at", "-id"), name="transfer_by_department"),
            models.Index(
                fields=("department", "end_reason", "-requested_at", "-id"), name="transfer_by_department_result"
            ),
            models.Index(fields=("call_department", "-requested_at", "-id"), name="transfer_by_calls_department"),
            models.Index(
                fields=("call_department", "end_reason", "-requested_at", "-id"), name="transfer_by_calls_result"
            ),
            models.Index(fields=("-requested_at", "-id"), condition=models.Q(kind="cold"), name="transfer_cold"),
            models.Index(
                fields=("-requested_at", "-id"), condition=models.Q(of_callback=True), name="transfer_of_callback"
            ),
            models.Index(
                fields=("requested_by", "-requested_at", "-id"),
                condition=models.Q(requested_by__isnull=False),
                name="transfer_by_asker",
            ),
            models.Index(
                fields=("decided_by", "-requested_at", "-id"),
                condition=models.Q(decided_by__isnull=False),
                name="transfer_by_decider",
            ),
            models.Index(
                fields=("cancelled_by", "-requested_at", "-id"),
                condition=models.Q(cancelled_by__isnull=False),
                name="transfer_by_stopper",
            ),
            models.Index(models.F("ended_at") - models.F("requested_at"), name="transfer_took"),
            models.Index(
                fields=("department", "queued_at"),
                condition=models.Q(state=TransferState.QUEUED),
                name="transfer_in_line",
            ),
            models.Index(fields=("wake_at",), condition=models.Q(wake_at__isnull=False), name="transfer_wake"),
            models.Index(
                fields=("ended_at",),
                condition=models.Q(measured=False, ended_at__isnull=False),
                name="transfer_unmeasured",
            ),
        )
        permissions = (
            ("request_transfer", gettext_noop("Can escalate")),
            ("approve_transfer", gettext_noop("Can approve and decline")),
            ("cancel_transfer", gettext_noop("Can cancel")),
            ("refer_call", gettext_noop("Can transfer without a briefing")),
            ("park_call", gettext_noop("Can hold and resume a joined caller")),
        )

    def __str__(self) -> str:
        return f"Transfer {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_TRANSFER


NEWEST = ("-requested_at", "-transfer")  # the order of the history
FAILED_UNANSWERED = models.Q(state=AttemptState.FAILED, answered_at__isnull=True)
FAILED_ANSWERED = models.Q(state=AttemptState.FAILED, answered_at__isnull=False) & ~models.Q(
    outcome=Outcome.MERGE_FAILED
)


def _filtered(name: str, *fields: str, condition: models.Q | None = None) -> tuple[models.Index, ...]:
    """What the history filters attempts by, newest first: of everything, and of what one department sees.

    A value may be common and yet nowhere in a department: without its own index that is a walk of the whole past.
    """
    seen_by = {"": (), "_department": ("department",), "_calls": ("call_department",)}
    return tuple(
        models.Index(fields=(*department, *fields, *NEWEST), condition=condition, name=f"attempt_{name}{suffix}")
        for suffix, department in seen_by.items()
    )


class Attempt(models.Model):
    """One endpoint of one manager called once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="attempts")
    nth = models.PositiveSmallIntegerField()
    manager = models.ForeignKey(Manager, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=12, choices=AttemptState, default=AttemptState.RESERVED)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    outcome_detail = models.CharField(max_length=80, blank=True, help_text="Which phase timed out, and the like.")
    sip_status = models.PositiveSmallIntegerField(null=True, blank=True)
    retryable = models.BooleanField(null=True, blank=True)
    strategy = models.CharField(max_length=8, default="relay")
    ranking = models.JSONField(default=list, help_text="Who was ranked and who was passed over, as it was then.")
    ring_time_s = models.PositiveSmallIntegerField(default=25)
    reserved_at = models.DateTimeField()
    dialed_at = models.DateTimeField(null=True, blank=True)
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    briefing_started_at = models.DateTimeField(null=True, blank=True)
    briefing_spoken_at = models.DateTimeField(null=True, blank=True)
    bridged_at = models.DateTimeField(null=True, blank=True)
    merged_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    merge_error = models.CharField(max_length=80, blank=True, help_text="Why the two could not be joined.")
    leg_left_at = models.DateTimeField(null=True, blank=True, help_text="The manager's leg left its room.")
    desk = models.BooleanField(default=False, help_text="Rung on the manager's screen, not by telephone.")
    desk_tab = models.CharField(max_length=40, blank=True, help_text="The window that took it.")
    accepted_at = models.DateTimeField(
        null=True, blank=True, help_text="Accepted on screen: it counts once they are on the line."
    )
    afterwards = models.CharField(max_length=12, choices=Afterwards, blank=True)
    note = models.TextField(blank=True, help_text="The manager's own, written during the call or after it.")
    noted_at = models.DateTimeField(null=True, blank=True, help_text="When they were done with it.")
    requested_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="The transfer's, as are the departments: PostgreSQL keeps them (0016).",
    )
    department = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    call_department = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("reserved_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("manager",),
                condition=models.Q(state__in=OPEN_ATTEMPT),
                name="one_open_attempt_a_manager",
            ),
            models.UniqueConstraint(fields=("transfer", "nth"), name="attempt_nth_once"),
        )
        indexes = (
            *_filtered("by_manager", "manager"),
            *_filtered("outcome", "outcome", condition=~models.Q(outcome="")),
            *_filtered("sip", "sip_status", condition=models.Q(sip_status__isnull=False)),
            models.Index(
                fields=("manager", "outcome", "-requested_at", "-transfer"),
                condition=~models.Q(outcome=""),
                name="attempt_by_manager_outcome",
            ),
            *_filtered("unanswered", condition=FAILED_UNANSWERED),
            *_filtered("answered", condition=FAILED_ANSWERED),
        )

    def __str__(self) -> str:
        return f"Attempt {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_ATTEMPT

    @property
    def manager_state(self) -> ManagerState:
        """In the words of the warm-transfer workflow."""
        return MANAGER_STATE[AttemptState(self.state)]

    @property
    def consult_room(self) -> str:
        return f"consult-{self.id}"

    @property
    def manager_identity(self) -> str:
        return f"manager-{self.id}"


class Decision(models.Model):
    """The manager's first answer; a second is answered with this one."""

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, primary_key=True, related_name="decision")
    kind = models.CharField(max_length=12)
    via = models.CharField(max_length=8)
    reason = models.TextField(blank=True)
    redirect_department = models.CharField(max_length=80, blank=True)
    redirect_person = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} via {self.via}"


class BriefingVersion(models.Model):
    """Every saved text of the briefing: as drafted, edited and spoken."""

    class Author(models.TextChoices):
        EXTRACTION = "extraction", gettext_lazy("Drafted from the call")
        AI = "ai", gettext_lazy("Drafted by the AI")
        PERSON = "person", gettext_lazy("Edited")

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="briefings")
    nth = models.PositiveSmallIntegerField()
    author = models.CharField(max_length=12, choices=Author)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    text = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("nth",)
        constraints = (models.UniqueConstraint(fields=("transfer", "nth"), name="briefing_nth_once"),)

    def __str__(self) -> str:
        return f"Briefing {self.nth} of {self.transfer_id}"
