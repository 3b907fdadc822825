"""Departments, who may see them, the numbers that lead to them and how their AI speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from calls import validation

if TYPE_CHECKING:
    from .calls import Call


class DepartmentManager(models.Manager["Department"]):
    def real(self) -> models.QuerySet[Department]:
        """Those that callers can be with, without the one that rehearsals use."""
        return self.filter(rehearsal=False)

    def of(self, call: Call) -> models.QuerySet[Department]:
        """Those that a call may go to: a rehearsal stays among its own."""
        return self.filter(rehearsal=call.rehearsal)


class Department(models.Model):
    name = models.CharField(max_length=80, unique=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="departments", blank=True
    )
    retention_days = models.PositiveIntegerField(
        gettext_lazy("keep for (days)"),
        null=True,
        blank=True,
        help_text=gettext_lazy(
            "Then what was said in a call, names and numbers are erased for good. 0: never. Empty: as the "
            "setting RETENTION_DAYS says."
        ),
    )
    rehearsal = models.BooleanField(
        default=False,
        editable=False,
        help_text=gettext_lazy("Only rehearsals use it: no caller and no page is led to it."),
    )

    objects: ClassVar[DepartmentManager] = DepartmentManager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A supervisor sees and steers the calls of this department."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "department"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.department}"


class NumberRoute(models.Model):
    """A number that callers dial (`sip.trunkPhoneNumber`) and the department it leads to."""

    number = models.CharField(
        max_length=16, unique=True, help_text=gettext_lazy("In E.164, for example +12025550150.")
    )
    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="numbers")

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number} → {self.department}"

    def clean(self) -> None:
        with validation.of_field("number"):
            self.number = validation.phone_number(self.number)


class AgentProfile(models.Model):
    """One version of how the AI speaks for a department; without a department: for unassigned calls.

    A change is a new version: a transfer keeps the version it used.
    """

    department = models.ForeignKey(
        Department, on_delete=models.CASCADE, related_name="profiles", null=True, blank=True
    )
    version = models.PositiveIntegerField(default=1)
    greeting = models.TextField()
    persona = models.TextField(blank=True)
    facts = models.JSONField(
        default=list, blank=True, help_text=gettext_lazy("List of {key, label, required, may_be_spoken}.")
    )
    sections = models.JSONField(
        default=list,
        blank=True,
        help_text=gettext_lazy("Sections of the briefing in order: who, reason, tried, facts."),
    )
    instructions = models.TextField(blank=True)
    word_limit = models.PositiveSmallIntegerField(
        default=45,
        validators=(MinValueValidator(10), MaxValueValidator(150)),
        help_text=gettext_lazy("Words of the spoken briefing."),
    )
    introduction = models.TextField(
        blank=True, help_text=gettext_lazy("Spoken to both when they are joined; empty: none.")
    )
    disclosure = models.JSONField(
        default=list, blank=True, help_text=gettext_lazy("Lines said after the greeting.")
    )
    transcribe_consultation = models.BooleanField(default=True)
    transcribe_after_merge = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("department", "-version")
        constraints = (
            models.UniqueConstraint(
                fields=("department", "version"), name="profile_version_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.department or gettext('Unassigned')} v{self.version}"

    def introducing(self, manager: str) -> str:
        """The introduction as it is spoken of this manager; empty: none."""
        return self.introduction.replace("{manager}", manager)

    def clean(self) -> None:
        with validation.of_field("facts"):
            self.facts = validation.profile_facts(self.facts)
        with validation.of_field("sections"):
            self.sections = validation.profile_sections(self.sections)
        with validation.of_field("disclosure"):
            self.disclosure = validation.profile_lines(self.disclosure)
