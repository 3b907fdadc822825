"""The administration's site: who gets in is a matter of roles, and the log-in is the console's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from calls.views.catalogue import catalogue

OPENS = ("transfers.change_manager", "calls.change_department", "auth.change_user")


class AdministrationSite(UnfoldAdminSite):
    """For supervisors (the roster of their departments) and administrators."""

    index_title = gettext_lazy("Administration")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The side bar lists everything: begin with its first page."""
        return HttpResponseRedirect(navigation(request)[0]["items"][0]["link"])

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Of every page that is shown. The banner is a message: it is made once a page."""
        from calls.admin_webhooks import warn_of_targets  # models are there only now

        if not getattr(request, "warned", False):
            request.warned = True  # type: ignore[attr-defined]
            warn_of_targets(request)
        found: dict[str, Any] = super().each_context(request)
        return found

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and any(request.user.has_perm(permission) for permission in OPENS)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where Django sends those who may not: on to the console's log-in, or away."""
        wanted = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            wanted = resolve_url("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)
        if request.user.is_authenticated:
            raise PermissionDenied
        return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': wanted})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return LogoutView.as_view()(request)

    def i18n_javascript(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The console's own catalogue: it has Django's words for these pages, too."""
        return catalogue(request)


def stylesheet(request: HttpRequest) -> str:
    """What the console changes of how it looks."""
    return static("css/admin.css")


MENU = (
    (
        gettext_lazy("Roster"),
        (
            (gettext_lazy("Managers"), "support_agent", "transfers_manager_changelist", "transfers.view_manager"),
            (gettext_lazy("Week"), "calendar_month", "transfers_roster_week", "transfers.view_manager"),
            (gettext_lazy("Phone lines"), "settings_phone", "transfers_trunk_changelist", "transfers.view_trunk"),
            (
                gettext_lazy("Dialling rules"),
                "dialpad",
                "transfers_dialrule_changelist",
                "transfers.view_dialrule",
            ),
        ),
    ),
    (
        gettext_lazy("Departments"),
        (
            (gettext_lazy("Departments"), "domain", "calls_department_changelist", "calls.view_department"),
            (
                gettext_lazy("Profiles"),
                "record_voice_over",
                "calls_agentprofile_changelist",
                "calls.view_agentprofile",
            ),
        ),
    ),
    (
        gettext_lazy("Accounts"),
        (
            (gettext_lazy("Accounts"), "group", "auth_user_changelist", "auth.view_user"),
            (gettext_lazy("Roles"), "badge", "auth_group_changelist", "auth.view_group"),
        ),
    ),
    (
        gettext_lazy("Programs"),
        (
            (gettext_lazy("API keys"), "key", "calls_apikey_changelist", "calls.view_apikey"),
            (gettext_lazy("Webhooks"), "webhook", "calls_webhooktarget_changelist", "calls.view_webhooktarget"),
            (
                gettext_lazy("Webhook messages"),
                "outbox",
                "calls_webhookmessage_changelist",
                "calls.view_webhookmessage",
            ),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: what this person may see."""
    groups: list[dict[str, Any]] = []
    for title, entries in MENU:
        items = [
            {"title": str(name), "icon": icon, "link": resolve_url(f"admin:{route}")}
            for name, icon, route, permission in entries
            if request.user.has_perm(permission)
        ]
        groups += [{"title": str(title), "items": items}] if items else []
    shown = [item for group in groups for item in group["items"]]
    around = [item["link"] for item in shown if request.path.startswith(item["link"])]
    here = max(around, key=len, default="")  # the week is among the managers' pages, and has an entry of its own
    for item in shown:
        item["active"] = item["link"] == here
    return groups
