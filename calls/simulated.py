"""The carrier simulator as the console uses it: which callers it can play, and let one call."""

from __future__ import annotations

import json
import logging
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from calls.errors import Refused

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class Story:
    key: str
    title: str
    about: str


def there() -> bool:
    return bool(settings.CARRIER_URL)


def _ask(path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{settings.CARRIER_URL.rstrip('/')}{path}",
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {os.environ.get('CARRIER_TOKEN', '')}",
        },
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return json.load(answer)


def stories() -> list[Story]:
    """What its callers can play; none if it does not answer."""
    if not there():
        return []
    try:
        rows = _ask("/carrier/stories")
    except (OSError, ValueError) as error:
        logger.warning("the carrier did not answer", extra={"error": type(error).__name__})
        return []
    rows = rows.get("stories", []) if isinstance(rows, dict) else rows
    return [Story(str(row["key"]), str(row.get("title", row["key"])), str(row.get("about", ""))) for row in rows]


def live() -> list[str] | None:
    """The stories whose callers are on the line now; None if the carrier does not answer."""
    try:
        rows = _ask("/carrier/calls")
    except (OSError, ValueError):
        return None
    rows = rows.get("calls", []) if isinstance(rows, dict) else rows
    return [str(row.get("story", "")) for row in rows]


def place(key: str, *, at_most_s: int | None = None) -> str:
    """Let that story's caller call, who hangs up after `at_most_s`; returns its title. Raises Refused in words."""
    story = next((story for story in stories() if story.key == key), None)
    if story is None:
        raise Refused(gettext("The carrier does not know that caller any more. Load the page again."))
    try:
        _ask("/carrier/calls", {"story": key} | ({"at_most_s": at_most_s} if at_most_s else {}))
    except urllib.error.HTTPError as error:
        raise Refused(
            gettext("The carrier would not place that call (it answered %(code)s).") % {"code": error.code}
        ) from error
    except (OSError, ValueError) as error:
        raise Refused(gettext("The carrier simulator does not answer. See Status.")) from error
    return story.title
