"""Administration of departments, their numbers and how their AI speaks."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from calls import admin_accounts, admin_api_keys, admin_webhooks  # noqa: F401  (register themselves)
from calls.admin_base import Plain, RecordedAdmin
from calls.admin_fields import FactsField, LinesField, PhoneNumberField, SectionsField
from calls.admin_listen import SpokenWidget, listen
from calls.events import Actor
from calls.models import AgentProfile, Department, Membership, NumberRoute
from calls.services import configuration


class NumberRouteForm(forms.ModelForm):
    number = PhoneNumberField(widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "+12025550150"}))

    class Meta:
        model = NumberRoute
        fields = ("number",)


class NumberInline(Plain, TabularInline):
    model = NumberRoute
    form = NumberRouteForm
    extra = 0
    verbose_name = gettext_lazy("number")
    verbose_name_plural = gettext_lazy("Numbers that callers dial")


class SupervisorInline(Plain, TabularInline):
    model = Membership
    extra = 0
    verbose_name = gettext_lazy("supervisor")
    verbose_name_plural = gettext_lazy("Supervisors")


@admin.register(Department)
class DepartmentAdmin(RecordedAdmin):
    """`transfers` adds its policy."""

    inlines = (NumberInline, SupervisorInline)
    list_display = ("name", "dialled", "supervisors", "voice")
    search_fields = ("name", "numbers__number")

    def get_urls(self) -> list[URLPattern]:
        own = [path("listen/", self.admin_site.admin_view(require_POST(listen)), name="calls_listen")]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Department]:
        return super().get_queryset(request).prefetch_related("numbers", "members", "profiles")

    @admin.display(description=gettext_lazy("Numbers"))
    def dialled(self, department: Department) -> str:
        return ", ".join(route.number for route in department.numbers.all()) or "–"

    @admin.display(description=gettext_lazy("Supervisors"))
    def supervisors(self, department: Department) -> str:
        return ", ".join(sorted(user.get_username() for user in department.members.all())) or "–"

    @admin.display(description=gettext_lazy("Profile"))
    def voice(self, department: Department) -> str:
        newest = max((profile.version for profile in department.profiles.all()), default=None)
        return (
            gettext("Version %(newest)s") % {"newest": newest} if newest else gettext("That of unassigned calls")
        )


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────


class ProfileForm(forms.ModelForm):
    facts = FactsField(
        required=False,
        label=gettext_lazy("Facts to collect"),
        help_text=gettext_lazy(
            "What may not be spoken never reaches a manager's ear. Save to get more empty rows."
        ),
    )
    sections = SectionsField(
        required=False,
        label=gettext_lazy("Briefing, in order"),
        help_text=gettext_lazy("All empty: who, reason, facts, what was tried."),
    )
    disclosure = LinesField(
        required=False,
        label=gettext_lazy("Disclosure"),
        widget=SpokenWidget,
        help_text=gettext_lazy("Said after the greeting, one line each."),
    )

    class Meta:
        model = AgentProfile
        exclude = ("version",)  # noqa: DJ006  (all others are listed in the fieldsets)
        widgets: ClassVar[dict[str, Any]] = {"greeting": SpokenWidget, "introduction": SpokenWidget}
        help_texts: ClassVar[dict[str, Any]] = {
            "introduction": gettext_lazy(
                "Spoken to both when they are joined; empty: none. {manager} is who takes the call."
            )
        }


class VersionFilter(admin.SimpleListFilter):
    title = gettext_lazy("version")
    parameter_name = "versions"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", gettext("All versions"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": gettext("In force")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AgentProfile]) -> QuerySet[AgentProfile]:
        if self.value() == "all":
            return queryset
        return queryset.filter(pk__in=in_force())


def in_force() -> QuerySet[AgentProfile, Any]:
    """The newest version of each department."""
    newest = AgentProfile.objects.order_by("department_id", "-version").distinct("department_id")
    return newest.values("pk")


@admin.register(AgentProfile)
class ProfileAdmin(RecordedAdmin):
    """Saving publishes the next version; a call and a transfer keep the one they began with."""

    form = ProfileForm
    list_display = ("name", "version", "greeting", "created_at")
    list_filter = (VersionFilter, "department")
    list_select_related = ("department",)
    ordering = ("department__name", "-version")
    fieldsets = (
        (None, {"fields": ("department", "greeting", "disclosure", "persona", "instructions")}),
        (gettext_lazy("Facts"), {"fields": ("facts",)}),
        (gettext_lazy("Briefing"), {"fields": ("sections", "word_limit", "introduction")}),
        (gettext_lazy("Transcript"), {"fields": ("transcribe_consultation", "transcribe_after_merge")}),
    )

    @admin.display(description=gettext_lazy("Department"), ordering="department__name")
    def name(self, profile: AgentProfile) -> str:
        return profile.department.name if profile.department else gettext("Unassigned calls")

    def get_readonly_fields(self, request: HttpRequest, obj: AgentProfile | None = None) -> tuple[str, ...]:
        return ("department",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: AgentProfile | None = None) -> bool:
        """Earlier versions are only looked at."""
        newer = AgentProfile.objects.filter(department=obj.department_id, version__gt=obj.version) if obj else None
        if newer is not None and newer.exists():
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AgentProfile | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        configuration.publish_profile(obj, actor=Actor.of(request.user))

    def response_change(self, request: HttpRequest, obj: AgentProfile) -> HttpResponse:
        response = super().response_change(request, obj)
        if "_continue" in request.POST:  # on with the new version, not the one that was opened
            return HttpResponseRedirect(reverse("admin:calls_agentprofile_change", args=(obj.pk,)))
        return response
