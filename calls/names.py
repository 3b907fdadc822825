"""What Django calls models and fields by their identifiers, in the reader's language.

A `verbose_name` that is written down would be part of a migration. These are put in when the program starts.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop

# Of all that the administration shows: tests/unit/test_marked.py says which is missing.
WORDS = (
    gettext_noop("active"),
    gettext_noop("address"),
    gettext_noop("agent profile"),
    gettext_noop("agent profiles"),
    gettext_noop("approval"),
    gettext_noop("at"),
    gettext_noop("auth username"),
    gettext_noop("away after misses"),
    gettext_noop("created at"),
    gettext_noop("department"),
    gettext_noop("departments"),
    gettext_noop("dialling rules"),
    gettext_noop("disclosure"),
    gettext_noop("due at"),
    gettext_noop("enabled"),
    gettext_noop("endpoint"),
    gettext_noop("endpoints"),
    gettext_noop("ends"),
    gettext_noop("error"),
    gettext_noop("event"),
    gettext_noop("every department"),
    gettext_noop("facts"),
    gettext_noop("greeting"),
    gettext_noop("guest"),
    gettext_noop("headers"),
    gettext_noop("hold line"),
    gettext_noop("holiday"),
    gettext_noop("holidays"),
    gettext_noop("hostname"),
    gettext_noop("instructions"),
    gettext_noop("introduction"),
    gettext_noop("is default"),
    gettext_noop("kind"),
    gettext_noop("last call ended at"),
    gettext_noop("manager"),
    gettext_noop("managers"),
    gettext_noop("max attempts"),
    gettext_noop("members"),
    gettext_noop("membership"),
    gettext_noop("memberships"),
    gettext_noop("message"),
    gettext_noop("misses"),
    gettext_noop("name"),
    gettext_noop("next endpoint first"),
    gettext_noop("note"),
    gettext_noop("number"),
    gettext_noop("number route"),
    gettext_noop("number routes"),
    gettext_noop("offers callback"),
    gettext_noop("opening hours"),
    gettext_noop("persona"),
    gettext_noop("pin"),
    gettext_noop("policy"),
    gettext_noop("position"),
    gettext_noop("presence"),
    gettext_noop("presence reason"),
    gettext_noop("presence since"),
    gettext_noop("presence until"),
    gettext_noop("priority"),
    gettext_noop("progress line"),
    gettext_noop("scopes"),
    gettext_noop("sections"),
    gettext_noop("shift"),
    gettext_noop("shift exception"),
    gettext_noop("shift exceptions"),
    gettext_noop("shifts"),
    gettext_noop("starts"),
    gettext_noop("state"),
    gettext_noop("status"),
    gettext_noop("target"),
    gettext_noop("time zone"),
    gettext_noop("took ms"),
    gettext_noop("transcribe after merge"),
    gettext_noop("transcribe consultation"),
    gettext_noop("transport"),
    gettext_noop("tries"),
    gettext_noop("trunk"),
    gettext_noop("trunks"),
    gettext_noop("type"),
    gettext_noop("user"),
    gettext_noop("version"),
    gettext_noop("webhook message"),
    gettext_noop("webhook messages"),
    gettext_noop("webhooks"),
    gettext_noop("weekday"),
    gettext_noop("word limit"),
)


def mark(app: AppConfig) -> None:
    """Every name that no model of the app writes down itself."""
    for model in app.get_models():
        options: Any = model._meta
        for name in ("verbose_name", "verbose_name_plural"):
            if name not in options.original_attrs:
                setattr(options, name, gettext_lazy(str(getattr(options, name))))
        fields: list[Any] = [*options.local_fields, *options.local_many_to_many]
        for field in fields:
            if field._verbose_name is None:
                field.verbose_name = gettext_lazy(str(field.verbose_name))
