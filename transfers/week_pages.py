"""The administration's week view of the roster, and who would be called now."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from calls.models import Call, Department
from calls.timing import now
from transfers import escalation, validation
from transfers.admin_hours import zone_widget
from transfers.models import Manager
from transfers.roster import rank
from transfers.week import MOST_ROWS, PREFETCHED, usual_zone, week_of

FIRST, LAST = date(2000, 1, 3), date(2099, 12, 21)


class WeekForm(forms.Form):
    """What the page shows; empty is its own choice."""

    week = forms.DateField(required=False, widget=forms.HiddenInput)
    department = forms.ModelChoiceField(
        Department.objects.none(),
        required=False,
        empty_label=gettext_lazy("All departments"),
        widget=UnfoldAdminSelectWidget,
    )
    zone = forms.CharField(required=False, label=gettext_lazy("Time zone"), widget=zone_widget())

    def __init__(self, given: QueryDict, departments: QuerySet[Department]) -> None:
        super().__init__(given)
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]
        self.full_clean()

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        return validation.time_zone(zone) if zone else ""


def week(site: AdminSite, request: HttpRequest, known: QuerySet[Department]) -> HttpResponse:
    """`?week=` any date in it, `?zone=`, `?department=` of those that the person knows."""
    real = known.filter(rehearsal=False).order_by("name")
    form = WeekForm(request.GET, real)
    asked = form.cleaned_data
    shown, too_many = _shown(real, asked.get("department"))
    zone = ZoneInfo(asked.get("zone") or usual_zone(shown))
    today = now().astimezone(zone).date()
    day = min(max(asked.get("week") or today, FIRST), LAST)
    found = week_of(shown, day, zone)
    context: dict[str, Any] = {
        "title": gettext("Week"),
        "form": form,
        "week": found,
        "links": {name: _link(request, to) for name, to in (("before", found.before), ("after", found.after))}
        | {"now": _link(request, today)},
        "too_many": too_many,
        "today": today,
    }
    return render(request, "admin/roster/week.html", site.each_context(request) | context)


def _shown(known: QuerySet[Department], chosen: Department | None) -> tuple[list[Department], bool]:
    """All, or one if that was chosen or all would be too long a page; and whether the latter."""
    too_many = chosen is None and Manager.objects.filter(departments__in=known, active=True).count() > MOST_ROWS
    wanted = known.filter(pk=chosen.pk) if chosen else known[:1] if too_many else known
    return list(wanted.prefetch_related(*PREFETCHED)), too_many


def _link(request: HttpRequest, day: date) -> str:
    asked = request.GET.copy()
    asked["week"] = day.isoformat()
    return f"?{asked.urlencode()}"


def who(site: AdminSite, request: HttpRequest, known: QuerySet[Department], department_id: int) -> HttpResponse:
    """Who would be called now, and why the others would not."""
    department = get_object_or_404(known, pk=department_id)
    context = {
        "title": gettext("Who would be called now in %(name)s") % {"name": department.name},
        "department": department,
        "ranking": rank(department=department, person=None, at=now()),
        "then": escalation.what_would_happen(Call(department=department), escalation.Target(department)),
        "others": known.filter(rehearsal=False).order_by("name"),
    }
    return render(request, "admin/roster/who.html", site.each_context(request) | context)
