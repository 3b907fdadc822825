"""Administration of departments, their numbers and how their AI speaks; of accounts and their roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from calls.admin_base import RecordedAdmin
from calls.admin_fields import FactsField, LinesField, PhoneNumberField, SectionsField
from calls.events import Actor
from calls.models import AgentProfile, Department, Membership, NumberRoute
from calls.roles import EXTRA_PERMISSIONS
from calls.services import configuration

admin.site.unregister(User)
admin.site.unregister(Group)


class NumberRouteForm(forms.ModelForm):
    number = PhoneNumberField(widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "+12025550150"}))

    class Meta:
        model = NumberRoute
        fields = ("number",)


class NumberInline(TabularInline):
    model = NumberRoute
    form = NumberRouteForm
    extra = 0
    verbose_name_plural = "Numbers that callers dial"


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    verbose_name = "department"
    verbose_name_plural = "Supervisor of"


class SupervisorInline(MembershipInline):
    verbose_name = "supervisor"
    verbose_name_plural = "Supervisors"


@admin.register(Department)
class DepartmentAdmin(RecordedAdmin):
    """`transfers` adds its policy."""

    inlines = (NumberInline, SupervisorInline)
    list_display = ("name", "dialled", "supervisors", "voice")
    search_fields = ("name", "numbers__number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Department]:
        return super().get_queryset(request).prefetch_related("numbers", "members", "profiles")

    @admin.display(description="Numbers")
    def dialled(self, department: Department) -> str:
        return ", ".join(route.number for route in department.numbers.all()) or "–"

    @admin.display(description="Supervisors")
    def supervisors(self, department: Department) -> str:
        return ", ".join(sorted(user.get_username() for user in department.members.all())) or "–"

    @admin.display(description="Profile")
    def voice(self, department: Department) -> str:
        newest = max((profile.version for profile in department.profiles.all()), default=None)
        return f"Version {newest}" if newest else "That of unassigned calls"


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────


class ProfileForm(forms.ModelForm):
    facts = FactsField(
        required=False,
        label="Facts to collect",
        help_text="What may not be spoken never reaches a manager's ear. Save to get more empty rows.",
    )
    sections = SectionsField(
        required=False, label="Briefing, in order", help_text="All empty: who, reason, facts, what was tried."
    )
    disclosure = LinesField(
        required=False, label="Disclosure", help_text="Said after the greeting, one line each."
    )

    class Meta:
        model = AgentProfile
        exclude = ("version",)  # noqa: DJ006  (all others are listed in the fieldsets)


class VersionFilter(admin.SimpleListFilter):
    title = "version"
    parameter_name = "versions"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All versions")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "In force"}, *others]

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
        ("Facts", {"fields": ("facts",)}),
        ("Briefing", {"fields": ("sections", "word_limit", "introduction")}),
        ("Transcript", {"fields": ("transcribe_consultation", "transcribe_after_merge")}),
    )

    @admin.display(description="Department", ordering="department__name")
    def name(self, profile: AgentProfile) -> str:
        return profile.department.name if profile.department else "Unassigned calls"

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


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────


class PermissionsField(forms.ModelMultipleChoiceField):
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, obj: Model) -> str:
        return str(getattr(obj, "name", obj))


class AccountForm(UserChangeForm):
    groups = PermissionsField(Group.objects.order_by("name"), required=False, label="Roles")
    user_permissions = PermissionsField(
        Permission.objects.filter(content_type__app_label="calls", codename__in=EXTRA_PERMISSIONS),
        required=False,
        label="Besides its roles",
        help_text="For this account alone, where its roles do not include it.",
    )


class NewAccountForm(UserCreationForm):
    groups = PermissionsField(Group.objects.order_by("name"), required=False, label="Roles")


@admin.register(User)
class AccountAdmin(DjangoUserAdmin, RecordedAdmin):
    """Accounts. Who is no superuser does not change who is."""

    form = AccountForm
    add_form = NewAccountForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "first_name", "last_name", "roles", "supervises", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        ("What they may do", {"fields": ("is_active", "groups", "user_permissions", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "groups")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups", "departments")

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join(["superuser"] * user.is_superuser + sorted(names)) or "–"

    @admin.display(description="Supervises")
    def supervises(self, user: User) -> str:
        return ", ".join(department.name for department in user.departments.all()) or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return () if request.user.is_superuser else ("is_superuser",)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._within_reach(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._within_reach(request, obj) and super().has_delete_permission(request, obj)

    def _within_reach(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not obj.is_superuser or bool(request.user.is_superuser)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        reach = queryset if request.user.is_superuser else queryset.filter(is_superuser=False)
        super().delete_queryset(request, reach)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                configuration.secret_changed(User.objects.get(pk=id), actor=Actor.of(request.user))
        return response


class RoleForm(forms.ModelForm):
    permissions = PermissionsField(
        Permission.objects.filter(content_type__app_label__in=("calls", "transfers")).order_by("name"),
        required=False,
    )

    class Meta:
        model = Group
        fields = ("permissions",)


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin, RecordedAdmin):  # type: ignore[misc]  # Unfold's order
    """The roles are those of the product; what they may do can be changed."""

    form = RoleForm
    fields = ("permissions",)
    filter_horizontal = ()
    list_display = ("name", "accounts")

    @admin.display(description="Accounts")
    def accounts(self, group: Group) -> int:
        return group.user_set.count()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def save_many(self, request: HttpRequest, obj: Model, field: str, chosen: Collection[Model]) -> None:
        """What the form does not show stays."""
        shown = {permission.pk for permission in self.form.base_fields["permissions"].queryset}  # type: ignore[attr-defined]
        kept = [permission for permission in obj.permissions.all() if permission.pk not in shown]  # type: ignore[attr-defined]
        super().save_many(request, obj, field, [*chosen, *kept])
