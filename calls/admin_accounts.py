"""Administration of accounts and their roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from calls.admin_base import Plain, RecordedAdmin
from calls.events import Actor
from calls.models import Membership
from calls.roles import EXTRA_PERMISSIONS
from calls.services import configuration

OWN_APPS = ("calls", "transfers")
ROLES = (  # the groups' names, which a migration made
    gettext_noop("administrator"),
    gettext_noop("auditor"),
    gettext_noop("manager"),
    gettext_noop("supervisor"),
)

admin.site.unregister(User)
admin.site.unregister(Group)


class MembershipInline(Plain, TabularInline):
    model = Membership
    extra = 0
    verbose_name = gettext_lazy("department")
    verbose_name_plural = gettext_lazy("Supervisor of")


class PermissionsField(forms.ModelMultipleChoiceField):
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, obj: Model) -> str:
        return gettext(str(getattr(obj, "name", "")) or str(obj))


class AccountForm(UserChangeForm):
    groups = PermissionsField(Group.objects.order_by("name"), required=False, label=gettext_lazy("Roles"))
    user_permissions = PermissionsField(
        Permission.objects.filter(content_type__app_label="calls", codename__in=EXTRA_PERMISSIONS),
        required=False,
        label=gettext_lazy("Besides its roles"),
        help_text=gettext_lazy("For this account alone, where its roles do not include it."),
    )


class NewAccountForm(UserCreationForm):
    groups = PermissionsField(Group.objects.order_by("name"), required=False, label=gettext_lazy("Roles"))


@admin.register(User)
class AccountAdmin(DjangoUserAdmin, RecordedAdmin):  # type: ignore[misc]  # Unfold's order
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
        (gettext_lazy("Person"), {"fields": (("first_name", "last_name"), "email")}),
        (
            gettext_lazy("What they may do"),
            {"fields": ("is_active", "groups", "user_permissions", "is_superuser")},
        ),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "groups")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups", "departments")

    @admin.display(description=gettext_lazy("Roles"))
    def roles(self, user: User) -> str:
        names = [gettext(group.name) for group in user.groups.all()]
        return ", ".join([gettext("superuser")] * user.is_superuser + sorted(names)) or "–"

    @admin.display(description=gettext_lazy("Supervises"))
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


def own_permissions() -> QuerySet[Permission]:
    """Those of the product's own words, beside Django's add, change, delete and view."""
    models = [model for app in OWN_APPS for model in apps.get_app_config(app).get_models()]
    own = [codename for model in models for codename, _ in model._meta.permissions]
    return Permission.objects.filter(content_type__app_label__in=OWN_APPS, codename__in=own).order_by("name")


class RoleForm(forms.ModelForm):
    permissions = PermissionsField(
        own_permissions(),
        required=False,
        label=gettext_lazy("May"),
        help_text=gettext_lazy("Who may change the set-up is fixed by role."),
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

    @admin.display(description=gettext_lazy("Accounts"))
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
