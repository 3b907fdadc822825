"""Which numbers may be dialled, and how often. What the rules mean is in `transfers.dialling`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from calls.validation import of_field
from transfers import dialling


class DialRule(models.Model):
    """Numbers that may be dialled. Without any rule every number may, but for emergency and premium ones."""

    prefix = models.CharField(
        gettext_lazy("begins with"),
        max_length=16,
        unique=True,
        help_text=gettext_lazy("With the country code: +49, or +1202 for one area. + alone is every number."),
    )
    per_hour = models.PositiveIntegerField(
        gettext_lazy("calls an hour"),
        null=True,
        blank=True,
        validators=(MinValueValidator(1),),
        help_text=gettext_lazy(
            "At most so many within any hour, of all departments together. Empty: without limit."
        ),
    )
    note = models.CharField(max_length=80, blank=True, help_text=gettext_lazy("What it is for."))

    class Meta:
        ordering = ("prefix",)
        verbose_name = gettext_lazy("dialling rule")

    def __str__(self) -> str:
        return self.prefix

    def clean(self) -> None:
        with of_field("prefix"):
            self.prefix = "".join(self.prefix.split())
            if not dialling.PREFIX.fullmatch(self.prefix):
                raise ValidationError(
                    gettext("Begin with + and a country code, for example +49 or +1202; + is every number.")
                )


class Dialled(models.Model):
    """That a number under a rule with a limit was dialled, and when; which number is not kept."""

    rule = models.ForeignKey(DialRule, on_delete=models.CASCADE, related_name="dialled")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("rule", "at"), name="dialled_of_rule"),)

    def __str__(self) -> str:
        return f"{self.rule} at {self.at}"
