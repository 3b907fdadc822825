"""Administration of the API's keys. A secret is shown on the page that answers its making, and never again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from calls.admin_base import RecordedAdmin
from calls.admin_secrets import show_once
from calls.api_scopes import SCOPES
from calls.events import Actor
from calls.models import ApiKey, Department
from calls.services import api_keys
from calls.timing import now


def _scopes() -> list[tuple[str, str]]:
    return [(scope, f"{gettext(words)} ({scope})") for scope, words in SCOPES.items()]


class KeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=_scopes,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label=gettext_lazy("May"),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "every_department", "departments", "per_minute", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(RecordedAdmin):
    """Keys are revoked, not deleted: the record names them."""

    form = KeyForm
    list_display = ("name", "begins", "may", "sees", "stands", "last_used_at")
    fieldsets = (
        (None, {"fields": (("name", "per_minute"), "expires_at")}),
        (gettext_lazy("What it may do"), {"fields": ("scopes",)}),
        (gettext_lazy("Where"), {"fields": ("every_department", "departments")}),
    )
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).prefetch_related("departments")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs |= {
            "queryset": Department.objects.real(),
            "widget": UnfoldAdminCheckboxSelectMultipleWidget(),
        }
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A revoked key is only looked at."""
        return (obj is None or obj.revoked_at is None) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            obj.secret = api_keys.make(obj, user=request.user)  # type: ignore[attr-defined,arg-type]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return show_once(
            self, request, title=gettext("The key of %(name)s") % {"name": obj.name}, secret=obj.secret
        )

    @admin.action(description=gettext_lazy("Revoke: refused from the next request on"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            api_keys.revoke(key, actor=Actor.of(request.user))
        self.message_user(request, gettext("Revoked. Programs that use these keys are refused from now on."))

    @admin.display(description=gettext_lazy("Begins with"))
    def begins(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=gettext_lazy("May"))
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description=gettext_lazy("Sees"))
    def sees(self, key: ApiKey) -> str:
        if key.every_department:
            return gettext("every department")
        return ", ".join(department.name for department in key.departments.all()) or gettext(
            "unassigned calls only"
        )

    @admin.display(description=gettext_lazy("State"))
    def stands(self, key: ApiKey) -> str:
        if key.revoked_at:
            return gettext("revoked")
        return gettext("expired") if key.expires_at and key.expires_at <= now() else gettext("in force")
