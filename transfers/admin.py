"""Administration of the roster. A supervisor sees the managers of their departments only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from calls.access import SUPERVISE, Scope, scope_of
from calls.admin import DepartmentAdmin
from calls.admin_base import Plain, RecordedAdmin
from calls.admin_listen import SpokenWidget
from calls.events import Actor
from calls.models import Department
from transfers import (
    admin_lines,  # noqa: F401  (registers itself)
    admin_profiles,  # noqa: F401  (likewise)
    ring_pages,
    roster_pages,
    roster_services,
    week_pages,
)
from transfers.admin_hours import TIME_ZONES, HolidayInline, OpeningHoursInline, ShiftExceptionInline, ShiftInline
from transfers.models import Endpoint, Manager, Policy


class PolicyForm(forms.ModelForm):
    class Meta:
        model = Policy
        exclude = ("department",)  # noqa: DJ006  (all others are listed in the fieldsets)
        widgets: ClassVar[dict[str, Any]] = {"hold_line": SpokenWidget, "progress_line": SpokenWidget}


class PolicyInline(Plain, StackedInline):
    model = Policy
    form = PolicyForm
    min_num = max_num = 1
    can_delete = False
    verbose_name_plural = gettext_lazy("How it escalates")
    fieldsets = (
        (None, {"fields": (("approval", "auto_after_s"), ("approval_limit_s", "at_limit"))}),
        (
            gettext_lazy("Who is rung"),
            {"fields": (("max_attempts", "next_endpoint_first"), ("when_busy", "queue_limit_s"))},
        ),
        (gettext_lazy("After a call"), {"fields": (("wrap_up_s", "away_after_misses"), "after_hang_up")}),
        (gettext_lazy("Other ways"), {"fields": (("offers_callback", "callback_within_min"), "ai_may_refer")}),
        (
            gettext_lazy("On hold"),
            {"fields": (("hold_limit_s", "consultation_limit_s"), "hold_line", "progress_line")},
        ),
    )


DepartmentAdmin.inlines = (  # type: ignore[assignment]
    PolicyInline,
    *DepartmentAdmin.inlines,
    OpeningHoursInline,
    HolidayInline,
)
DepartmentAdmin.change_form_after_template = "admin/roster/of_department.html"


# ── managers ─────────────────────────────────────────────────────────────────────────────────────


class EndpointForm(forms.ModelForm):
    class Meta:
        model = Endpoint
        fields = ("position", "kind", "address", "dtmf", "ring_time_s", "trunk")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trunk"].empty_label = gettext("The default")  # type: ignore[attr-defined]


class EndpointInline(Plain, TabularInline):
    model = Endpoint
    form = EndpointForm
    fields = (*EndpointForm.Meta.fields, "ring")
    readonly_fields = ("ring",)
    extra = 0
    ordering = ("position", "pk")
    verbose_name = gettext_lazy("way")
    verbose_name_plural = gettext_lazy("Ways to reach them, in order")

    @admin.display(description=gettext_lazy("Try"))
    def ring(self, endpoint: Endpoint) -> str:
        if endpoint.pk is None or endpoint.kind == Endpoint.Kind.BROWSER:
            return "–"
        where = reverse("admin:transfers_endpoint_ring", args=(endpoint.manager_id, endpoint.pk))
        words = gettext("Ring the %(kind)s ending in %(last4)s") % {
            "kind": endpoint.get_kind_display().lower(),
            "last4": endpoint.address[-4:],
        }
        return format_html(
            '<a class="underline whitespace-nowrap" href="{}" aria-label="{}">{}</a>',
            where,
            words,
            gettext("Ring it"),
        )


class DepartmentFilter(admin.SimpleListFilter):
    """Only the departments that the person knows."""

    title = gettext_lazy("department")
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(department.pk), department.name) for department in known_departments(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Manager]) -> QuerySet[Manager]:
        known = {choice[0] for choice in self.lookup_choices}
        wanted = self.value()
        return queryset.filter(departments=int(wanted)) if wanted in known else queryset


def scope(request: HttpRequest) -> Scope:
    return scope_of(request.user)


def known_departments(request: HttpRequest) -> QuerySet[Department]:
    mine = scope(request)
    return (
        Department.objects.all() if mine.every_department else Department.objects.filter(pk__in=mine.departments)
    )


class ManagerForm(forms.ModelForm):
    """The PIN can be set and never be read."""

    new_pin = forms.CharField(
        label=gettext_lazy("New PIN"),
        required=False,
        validators=[RegexValidator(r"^[0-9]{4,8}\Z", gettext_lazy("A PIN has 4 to 8 digits."))],
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "4 to 8 digits; empty leaves it as it is. Whoever is away calls from their own phone and enters "
            "it with # to be available."
        ),
    )

    def save(self, commit: bool = True) -> Manager:
        if self.cleaned_data["new_pin"]:
            self.instance.pin = make_password(self.cleaned_data["new_pin"])
        manager: Manager = super().save(commit)
        return manager


@admin.register(Manager)
class ManagerAdmin(RecordedAdmin):
    """Scoped by the queryset, which every page and action of the admin goes through."""

    form = ManagerForm
    inlines = (EndpointInline, ShiftInline, ShiftExceptionInline)
    list_display = ("name", "in_departments", "priority", "ways", "hours", "presence", "active")
    list_filter = (DepartmentFilter, "active")
    actions_list = ("to_week", "to_import", "to_export")
    actions_detail = ("to_rehearse",)
    search_fields = ("name",)
    fields = (("name", "priority"), "departments", ("user", "active"), "new_pin")
    change_form_after_template = TIME_ZONES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Manager]:
        managers = super().get_queryset(request).prefetch_related("departments", "endpoints", "shifts")
        mine = scope(request)
        if mine.every_department:
            return managers
        own = Manager.departments.through.objects.filter(department_id__in=mine.departments)
        return managers.filter(pk__in=own.values("manager_id"))

    def get_list_display(self, request: HttpRequest) -> list[Any] | tuple[Any, ...]:
        self.known = set(known_departments(request).values_list("pk", flat=True))
        return super().get_list_display(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                "<uuid:manager_id>/ring/<int:endpoint_id>/",
                view(self.ring_endpoint),
                name="transfers_endpoint_ring",
            ),
            path("rings/<uuid:ring_id>/", view(self.ring_result), name="transfers_ring"),
            path("week/", view(self.week), name="transfers_roster_week"),
            path("import/", view(self.import_file), name="transfers_roster_import"),
            path("import/progress/", view(self.import_progress), name="transfers_roster_import_progress"),
            path("export/", view(self.export_file), name="transfers_roster_export"),
            path("who/<int:department_id>/", view(self.who), name="transfers_roster_who"),
        ]
        return [*own, *super().get_urls()]

    @action(description=gettext_lazy("Week"), icon="calendar_month", url_path="to-week")  # type: ignore[untyped-decorator]
    def to_week(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:transfers_roster_week"))

    @action(description=gettext_lazy("Import"), icon="upload", url_path="to-import", permissions=("add",))  # type: ignore[untyped-decorator]
    def to_import(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:transfers_roster_import"))

    @action(description=gettext_lazy("Export"), icon="download", url_path="to-export")  # type: ignore[untyped-decorator]
    def to_export(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:transfers_roster_export"))

    def has_rehearse_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """The console's own. By its name alone it would be looked up in the database by each `manage.py check`."""
        return request.user.has_perm(SUPERVISE)

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Rehearse with this manager"),
        icon="school",
        url_path="rehearse",
        permissions=("rehearse",),
    )
    def to_rehearse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The console's page: whether their phone can be rung is said there."""
        manager = self.get_object(request, object_id)
        if manager is None:
            raise Http404
        return HttpResponseRedirect(reverse("rehearse", args=(manager.pk,)))

    def week(self, request: HttpRequest) -> HttpResponse:
        self._check_view(request)
        return week_pages.week(self.admin_site, request, known_departments(request))

    def who(self, request: HttpRequest, department_id: int) -> HttpResponse:
        self._check_view(request)
        return week_pages.who(self.admin_site, request, known_departments(request), department_id)

    def import_file(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        return roster_pages.upload(self.admin_site, request, self._known(request))

    def import_progress(self, request: HttpRequest) -> HttpResponse:
        self._check_view(request)
        return roster_pages.progress(request)

    def export_file(self, request: HttpRequest) -> HttpResponse:
        self._check_view(request)
        return roster_pages.export(request, self._known(request))

    def _known(self, request: HttpRequest) -> roster_pages.Known:
        mine = scope(request)
        within = None if mine.every_department else mine.departments
        return roster_pages.Known(self.get_queryset(request), known_departments(request), within)

    def _check_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def ring_endpoint(self, request: HttpRequest, manager_id: UUID, endpoint_id: int) -> HttpResponse:
        """Only of managers that the person sees here."""
        manager = get_object_or_404(self.get_queryset(request), pk=manager_id)
        if not self.has_change_permission(request, manager):
            raise PermissionDenied
        endpoint = get_object_or_404(manager.endpoints.exclude(kind=Endpoint.Kind.BROWSER), pk=endpoint_id)
        return ring_pages.of_endpoint(self.admin_site, request, endpoint)

    def ring_result(self, request: HttpRequest, ring_id: UUID) -> HttpResponse:
        return ring_pages.result(self.admin_site, request, ring_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Manager | None = None) -> tuple[str, ...]:
        """An account sees its own transfers: who has which is the administrators' to say."""
        return () if request.user.has_perm("auth.change_user") else ("user",)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "departments":
            kwargs |= {"queryset": known_departments(request), "widget": UnfoldAdminCheckboxSelectMultipleWidget()}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_many(self, request: HttpRequest, obj: Model, field: str, chosen: Collection[Any]) -> None:
        assert isinstance(obj, Manager)
        mine = scope(request)
        within = None if mine.every_department else mine.departments
        roster_services.set_departments(obj, chosen, actor=Actor.of(request.user), within=within)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Iterable[Any], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        roster_services.roster_changed(form.instance)

    @admin.display(description=gettext_lazy("Departments"))
    def in_departments(self, manager: Manager) -> str:
        return ", ".join(d.name for d in manager.departments.all() if d.pk in self.known)

    @admin.display(description=gettext_lazy("Reached by"))
    def ways(self, manager: Manager) -> str:
        ways = sorted(manager.endpoints.all(), key=lambda endpoint: endpoint.position)
        return ", ".join(_way(endpoint) for endpoint in ways) or gettext("nothing: cannot be called")

    @admin.display(description=gettext_lazy("Shifts"))
    def hours(self, manager: Manager) -> str:
        days = {str(WEEKDAYS_ABBR[shift.weekday]): None for shift in manager.shifts.all()}
        return ", ".join(days) or gettext("always")


def _way(endpoint: Endpoint) -> str:
    if endpoint.kind == Endpoint.Kind.PHONE:
        return f"…{endpoint.address[-4:]}"
    return endpoint.get_kind_display()
