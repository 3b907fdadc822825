"""Form fields for what is kept as JSON: a table of facts, an order of sections, lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from unfold.widgets import (
    BASE_INPUT_CLASSES,
    CHECKBOX_CLASSES,
    SELECT_CLASSES,
    UnfoldAdminExpandableTextareaWidget,
)

from calls import validation

BLANK_ROWS = 3


class PhoneNumberField(forms.CharField):
    """Typed as people do, kept in E.164."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["max_length"] = 40
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return validation.phone_number(text) if text else ""


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminExpandableTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return validation.profile_lines((super().to_python(value) or "").splitlines())


class _Rendered(forms.Widget):
    """A widget whose template is one of ours."""

    template_name: str

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = self.get_context(name, value, attrs)
        return mark_safe(render_to_string(self.template_name, context))  # the template escapes


class FactsWidget(_Rendered):
    template_name = "admin/widgets/facts.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        rows = list(value or []) + [{"may_be_spoken": True} for _ in range(BLANK_ROWS)]
        return {
            "name": name,
            "count": len(rows),
            "rows": [{"prefix": f"{name}-{nth}", **row} for nth, row in enumerate(rows)],
            "input_classes": " ".join(BASE_INPUT_CLASSES),
            "checkbox_classes": " ".join(CHECKBOX_CLASSES),
        }

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, Any]]:
        """Rows without a label are left out; a new fact's key is made from its label."""
        count = str(data.get(f"{name}-count", "0"))
        rows = []
        for nth in range(min(int(count), 100) if count.isdecimal() else 0):
            prefix = f"{name}-{nth}"
            label = str(data.get(f"{prefix}-label", "")).strip()
            if label:
                rows.append(
                    {
                        "key": data.get(f"{prefix}-key") or validation.fact_key(label),
                        "label": label,
                        "required": f"{prefix}-required" in data,
                        "may_be_spoken": f"{prefix}-may_be_spoken" in data,
                    }
                )
        return rows

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-count" not in data


class FactsField(forms.Field):
    widget = FactsWidget

    def to_python(self, value: Any) -> Any:
        return validation.profile_facts(value or [])


class SectionsWidget(_Rendered):
    """First, second, third, fourth: each a choice."""

    template_name = "admin/widgets/sections.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        chosen = list(value or [])
        places = [
            {"name": f"{name}-{nth}", "nth": nth + 1, "value": chosen[nth] if nth < len(chosen) else ""}
            for nth in range(len(validation.SECTIONS))
        ]
        return {
            "places": places,
            "sections": {key: gettext(words) for key, words in validation.SECTIONS.items()},
            "select_classes": " ".join(SELECT_CLASSES),
        }

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        places = (data.get(f"{name}-{nth}", "") for nth in range(len(validation.SECTIONS)))
        return [place for place in places if place]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-0" not in data


class SectionsField(forms.Field):
    widget = SectionsWidget

    def to_python(self, value: Any) -> Any:
        return validation.profile_sections(value or [])
