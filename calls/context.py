"""What every page of the console knows: where one may go, the server's time, and how the house is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from calls.access import SUPERVISE, VIEW_CALLS, VIEW_EVERY_DEPARTMENT, Account, may
from calls.health import last_banner
from calls.timing import now


@dataclass(frozen=True)
class Entry:
    name: str
    icon: str
    url: str
    here: bool


PAGES = (
    (gettext_lazy("Live"), "activity", "wallboard", ()),
    (gettext_lazy("Desk"), "headset", "desk", ()),
    (gettext_lazy("History"), "history", "history", ()),
    (gettext_lazy("Reports"), "chart-bar", "reports", (VIEW_CALLS, VIEW_EVERY_DEPARTMENT)),
    (gettext_lazy("Callbacks"), "phone-incoming", "callbacks", ("transfers.view_callback",)),
    (gettext_lazy("Audit"), "shield-check", "audit", ("calls.verify_audit",)),
    (gettext_lazy("Rooms"), "door", "rooms", (VIEW_CALLS, VIEW_EVERY_DEPARTMENT)),
    (gettext_lazy("Status"), "heartbeat", "status", (VIEW_CALLS, VIEW_EVERY_DEPARTMENT)),
    (gettext_lazy("Test call"), "phone-plus", "test_call", (SUPERVISE,)),
)


_only: dict[str, Callable[[Account], bool]] = {}


def show_only(route: str, to: Callable[[Account], bool]) -> None:
    """A page that is not for a permission, but for whom another app says."""
    _only[route] = to


def console(request: HttpRequest) -> dict[str, Any]:
    """For `templates/base.html`; the admin's own pages do not use it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {"server_now": round(now().timestamp() * 1000)}
    return {
        "server_now": round(now().timestamp() * 1000),
        "banner_html": mark_safe(last_banner()),
        "pages": SimpleLazyObject(lambda: _pages(request)),
    }


def _pages(request: HttpRequest) -> list[Entry]:
    """Most of what is asked for each second is a piece of a page, which shows none of them."""
    return [entry for page in PAGES if (entry := _entry(request, *page))]


def _entry(request: HttpRequest, name: str, icon: str, route: str, permissions: tuple[str, ...]) -> Entry | None:
    if permissions and not any(may(request.user, permission) for permission in permissions):
        return None
    if route in _only and not _only[route](request.user):
        return None
    try:
        url = reverse(route)
    except NoReverseMatch:
        return None
    here = request.path == url or (url != "/" and request.path.startswith(url))
    if route == "wallboard":
        here = here or request.path.startswith("/calls/")
    if route == "history":
        here = here or request.path.startswith("/transfers/")
    return Entry(name, icon, url, here)
