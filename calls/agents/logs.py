"""Log lines as text or as JSON, the latter with the ids of what they are about. Imports no Django.

As JSON a line has more than its message, and what libraries add to theirs, and LiveKit Agents to ours, holds room
names (and in them numbers) and what was said. So only fields that are known to name nobody are shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from pythonjsonlogger.json import JsonFormatter

OURS = ("calls", "transfers", "config", "patchbay")
IDS = ("call", "transfer", "attempt", "job", "trace_id")
ALWAYS = frozenset({"time", "level", "logger", "message", "exc_info", *IDS})
# What our own lines say besides (`extra`): kinds and counts, never a name.
FIELDS = frozenset({"check", "count", "directive", "effect", "error", "errors", "kind", "reason", "task", "type"})
TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"

_about: ContextVar[Mapping[str, str]] = ContextVar("about")


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Lines written inside are about these: `call`, `transfer`, `attempt`, `job`. What is None stays unsaid."""
    token = _about.set({**_about.get({}), **ids_of(**ids)})
    try:
        yield
    finally:
        _about.reset(token)


def ids_of(**ids: object) -> dict[str, str]:
    """As text, with the trace's id where the transfer is known."""
    said = {name: str(value) for name, value in ids.items() if value}
    return said | ({"trace_id": UUID(said["transfer"]).hex} if "transfer" in said else {})


class WithIds(logging.Filter):
    """Gives a record the ids of what it is about, unless it says them itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _about.get({}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class Json(JsonFormatter):
    """One object a line; times are in UTC."""

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger"}
        super().__init__("{levelname}{name}{message}", style="{", timestamp="time", rename_fields=names)

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        shown = ALWAYS | FIELDS if record.name.split(".")[0] in OURS else ALWAYS
        for name in set(log_data) - shown:
            del log_data[name]


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """For `logging.config`: everything to standard error. `form` is text or json."""
    formatters: dict[str, Any] = {"text": {"format": TEXT}, "json": {"()": f"{__name__}.Json"}}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "filters": {"ids": {"()": f"{__name__}.WithIds"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": form, "filters": ["ids"]},
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
