from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from calls import health
from calls.access import scope_of
from calls.views.pages import page


def status(request: HttpRequest) -> HttpResponse:
    """Every check, made now. The page asks again every few seconds."""
    if not scope_of(request.user).sees_calls:
        raise PermissionDenied
    checks = health.run_all()
    ill = [check for check in checks if not check.ok]
    return page(request, "calls/status.html", {"checks": checks, "ill": ill})
