"""When managers are on shift and departments open. What hours and exceptions mean is in `transfers.hours`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from calls.models import Department
from calls.validation import of_field
from transfers import validation
from transfers.hours import Change
from transfers.models.roster import Manager


class WeeklyHours(models.Model):
    class Weekday(models.IntegerChoices):
        MONDAY = 0, gettext_lazy("Monday")
        TUESDAY = 1, gettext_lazy("Tuesday")
        WEDNESDAY = 2, gettext_lazy("Wednesday")
        THURSDAY = 3, gettext_lazy("Thursday")
        FRIDAY = 4, gettext_lazy("Friday")
        SATURDAY = 5, gettext_lazy("Saturday")
        SUNDAY = 6, gettext_lazy("Sunday")

    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    starts = models.TimeField()
    ends = models.TimeField(help_text=gettext_lazy("Before the start: on the next day."))
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M} {self.time_zone}"

    def clean(self) -> None:
        with of_field("time_zone"):
            self.time_zone = validation.time_zone(self.time_zone)


class Shift(WeeklyHours):
    """A weekly shift. A manager without shifts is on shift whenever they are available."""

    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="shifts")

    class Meta:
        ordering = ("manager", "weekday", "starts")


class OpeningHours(WeeklyHours):
    """When a department's managers are called at all. A department without any is always open."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="opening_hours")

    class Meta:
        ordering = ("department", "weekday", "starts")
        verbose_name_plural = gettext_lazy("opening hours")


class DayException(models.Model):
    """One date that is not as its weekday."""

    KINDS = (
        (Change.OFF.value, gettext_lazy("Off all day")),
        (Change.OTHER.value, gettext_lazy("Other hours")),
        (Change.EXTRA.value, gettext_lazy("Extra hours")),
    )

    day = models.DateField(gettext_lazy("date"))
    kind = models.CharField(max_length=5, choices=KINDS, default=Change.OFF.value)
    starts = models.TimeField(null=True, blank=True)
    ends = models.TimeField(null=True, blank=True, help_text=gettext_lazy("Before the start: on the next day."))
    time_zone = models.CharField(
        max_length=64, blank=True, help_text=gettext_lazy("Empty: that of the weekly hours, or UTC without any.")
    )
    note = models.CharField(max_length=80, blank=True, help_text=gettext_lazy("For example the holiday's name."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        hours = f" {self.starts:%H:%M}–{self.ends:%H:%M}" if self.starts and self.ends else ""
        return f"{self.day:%Y-%m-%d} {self.get_kind_display().lower()}{hours}"

    def clean(self) -> None:
        hours = (self.starts, self.ends)
        if self.kind == Change.OFF and any(one is not None for one in hours):
            raise ValidationError(
                gettext("Off all day has no hours: leave start and end empty, or choose Other hours.")
            )
        if self.kind != Change.OFF and None in hours:
            raise ValidationError(gettext("Say from when to when: start and end are missing."))
        if self.time_zone:
            with of_field("time_zone"):
                self.time_zone = validation.time_zone(self.time_zone)


class ShiftException(DayException):
    """A date on which a manager has other hours, more of them, or none."""

    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="exceptions")

    class Meta:
        ordering = ("manager", "day", "starts")


class Holiday(DayException):
    """A date on which a department is closed, or open at other hours."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="holidays")

    class Meta:
        ordering = ("department", "day", "starts")
