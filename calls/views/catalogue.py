"""The words of the scripts in the reader's language: Django's catalogue, asked for once an hour."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.views.decorators.cache import cache_control
from django.views.decorators.http import last_modified
from django.views.i18n import JavaScriptCatalog

from calls.timing import now

KEPT_S = 3600
STARTED = now()  # a catalogue changes with the program


def _changed(request: HttpRequest, *args: Any, **kwargs: Any) -> datetime:
    return STARTED


_view = last_modified(_changed)(JavaScriptCatalog.as_view())
catalogue = login_not_required(
    cache_control(private=True, max_age=KEPT_S)(_view)
)  # the log-in page has scripts, too
