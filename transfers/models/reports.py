"""What the reports are read from: every transfer that is over measured once, and what these add up to.

Durations are milliseconds. A time is the request's, its day and hour in UTC, as the history has them. Nothing of
it names a caller or quotes anybody, so it stays when what was said is erased. `department` is 0 for none: a key
of a sum cannot be null.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy

from .roster import Manager
from .transfers import Attempt, Transfer

EVERY_DEPARTMENT = 2**63 - 1  # as the department of a `PhaseTally`: of all of them together


class Asked(models.TextChoices):
    """Who asked for a person, which is why."""

    AI = "ai", gettext_lazy("The AI, for the caller")
    SUPERVISOR = "supervisor", gettext_lazy("A supervisor")
    PROGRAM = "program", gettext_lazy("A program")
    MANAGER = "manager", gettext_lazy("A manager, for another one")
    CUT_OFF = "cut_off", gettext_lazy("Patchbay, as the talk was cut short")
    CALLBACK = "callback", gettext_lazy("A callback that was promised")


class PhaseKind(models.TextChoices):
    """What percentiles are told of."""

    APPROVAL = "approval", gettext_lazy("Approval")
    HOLD = "hold", gettext_lazy("On hold")
    RING = "ring", gettext_lazy("Ringing")
    BRIEFING = "briefing", gettext_lazy("Briefing")
    MERGE = "merge", gettext_lazy("Joining")
    TO_PERSON = "to_person", gettext_lazy("From asking to a person")


def _ms() -> models.IntegerField[int | None, int | None]:
    return models.IntegerField(null=True, help_text="Empty: there was none.")


class MeasuredTransfer(models.Model):
    """One transfer that is over, written once."""

    transfer = models.OneToOneField(Transfer, on_delete=models.CASCADE, primary_key=True, related_name="measures")
    at = models.DateTimeField()
    hour = models.PositiveSmallIntegerField()
    department = models.PositiveBigIntegerField()
    asked = models.CharField(max_length=10, choices=Asked)
    end_reason = models.CharField(max_length=24)
    held_to_limit = models.BooleanField(help_text="On hold as long as the department allows, or longer.")
    approval_ms = _ms()
    hold_ms = _ms()
    to_person_ms = _ms()

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("hour", "at"), name="measured_transfer_hour"),)

    def __str__(self) -> str:
        return f"Measures of {self.transfer_id}"


class MeasuredAttempt(models.Model):
    """One call to a manager in such a transfer."""

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, primary_key=True, related_name="measures")
    at = models.DateTimeField(help_text="The transfer's request.")
    hour = models.PositiveSmallIntegerField()
    department = models.PositiveBigIntegerField()
    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="+", db_index=False)
    outcome = models.CharField(max_length=16, blank=True, help_text="Empty: joined.")
    ring_ms = _ms()
    briefing_ms = _ms()
    merge_ms = _ms()

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("hour", "at"), name="measured_attempt_hour"),)

    def __str__(self) -> str:
        return f"Measures of {self.attempt_id}"


class DayTally(models.Model):
    """How many transfers of a kind there were on a day."""

    day = models.DateField()
    department = models.PositiveBigIntegerField()
    asked = models.CharField(max_length=10, choices=Asked)
    end_reason = models.CharField(max_length=24)
    n = models.PositiveIntegerField()
    held_to_limit = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("day", "department", "asked", "end_reason"), name="day_tally_once"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.end_reason}: {self.n}"


class HourTally(models.Model):
    """How many transfers there were in an hour, and of those how many reached a person, and how many nobody."""

    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    department = models.PositiveBigIntegerField()
    n = models.PositiveIntegerField()
    reached = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("day", "hour", "department"), name="hour_tally_once"),)

    def __str__(self) -> str:
        return f"{self.day} {self.hour}: {self.n}"


class PhaseTally(models.Model):
    """How many phases of a day, or of a week by its Monday, fell into a bucket of `reports.histogram`.

    These are by far the most rows of a report, so their sums over all departments are there, too.
    """

    weekly = models.BooleanField()
    day = models.DateField()
    department = models.PositiveBigIntegerField()
    phase = models.CharField(max_length=10, choices=PhaseKind)
    bucket = models.PositiveSmallIntegerField()
    n = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("weekly", "day", "department", "phase", "bucket"),
                include=("n",),  # it is all that a report reads
                name="phase_tally_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.phase} {self.bucket}: {self.n}"


class ManagerTally(models.Model):
    """How often a manager was rung on a day for a department, by what came of it."""

    day = models.DateField()
    department = models.PositiveBigIntegerField()
    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="+", db_index=False)
    outcome = models.CharField(max_length=16, blank=True)
    n = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("day", "department", "manager", "outcome"), name="manager_tally_once"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.outcome or 'joined'}: {self.n}"
