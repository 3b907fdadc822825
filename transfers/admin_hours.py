"""Hours in the administration: managers' shifts and exceptions, departments' opening hours and holidays."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminTextInputWidget,
)

from calls.admin_base import Plain
from transfers.models import Holiday, OpeningHours, Shift, ShiftException

TIMES: dict[str, Any] = {name: UnfoldAdminSingleTimeWidget(format="%H:%M") for name in ("starts", "ends")}
TIME_ZONES = "admin/time_zones.html"  # what the zone's fields offer: a page with them has it once


def zone_widget() -> forms.Widget:
    widget: forms.Widget = UnfoldAdminTextInputWidget(attrs={"list": "time-zones"})
    return widget


class WeeklyForm(forms.ModelForm):
    time_zone = forms.CharField(initial="UTC", max_length=64, widget=zone_widget())

    class Meta:
        fields = ("weekday", "starts", "ends", "time_zone")
        widgets: ClassVar[dict[str, Any]] = TIMES


class ExceptionForm(forms.ModelForm):
    class Meta:
        fields = ("day", "kind", "starts", "ends", "note", "time_zone")
        widgets: ClassVar[dict[str, Any]] = TIMES | {
            "day": UnfoldAdminSingleDateWidget(),
            "time_zone": zone_widget(),
        }


class WeeklyInline(Plain, TabularInline):
    form = WeeklyForm
    extra = 0
    ordering = ("weekday", "starts")


class ExceptionInline(Plain, TabularInline):
    form = ExceptionForm
    extra = 0
    ordering = ("-day", "starts")


class ShiftInline(WeeklyInline):
    model = Shift
    verbose_name_plural = gettext_lazy("Shifts (none: always on shift; 00:00 to 00:00: the whole day)")


class ShiftExceptionInline(ExceptionInline):
    model = ShiftException
    verbose_name = gettext_lazy("exception")
    verbose_name_plural = gettext_lazy("Days that are not as usual (off, other hours, extra hours)")


class OpeningHoursInline(WeeklyInline):
    model = OpeningHours
    verbose_name_plural = gettext_lazy("Opening hours (none: always open; outside them nobody is called)")


class HolidayInline(ExceptionInline):
    model = Holiday
    verbose_name_plural = gettext_lazy("Holidays and other days that are not as usual")
