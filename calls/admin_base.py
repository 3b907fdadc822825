"""What the admin's pages share: they show and check, the services write and keep the record."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django.db.models import Model, QuerySet, TextField
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from calls.events import Actor
from calls.services import configuration


class Plain:
    """For pages and inlines: texts as high as they are long, and no menus beside a choice."""

    formfield_overrides: ClassVar[dict[Any, Any]] = {TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}
    hide_title = True  # of an inline's row: its fields say the same

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        for power in ("add", "change", "delete", "view"):
            if hasattr(getattr(field, "widget", None), f"can_{power}_related"):
                setattr(field.widget, f"can_{power}_related", False)
        return field


class RecordedAdmin(Plain, ModelAdmin):
    """Every write goes through `calls.services.configuration`, as whoever is logged in."""

    compressed_fields = True
    warn_unsaved_form = True
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        configuration.save_row(obj, actor=Actor.of(request.user))

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseModelFormSet], change: bool
    ) -> None:
        for field in form._meta.model._meta.many_to_many:
            if field.name in form.cleaned_data:
                self.save_many(request, form.instance, field.name, form.cleaned_data[field.name])
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)

    def save_many(self, request: HttpRequest, obj: Model, field: str, chosen: Collection[Model]) -> None:
        configuration.set_many(obj, field, chosen, actor=Actor.of(request.user))

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        actor = Actor.of(request.user)
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            configuration.delete_row(row, actor=actor)
        for row in rows:
            configuration.save_row(row, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        configuration.delete_row(obj, actor=Actor.of(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            configuration.delete_row(row, actor=Actor.of(request.user))
