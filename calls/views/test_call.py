"""The test call: a browser that becomes a caller to the AI, and the carrier's stories beside it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from calls import simulated
from calls.access import SUPERVISE, Account, scope_of
from calls.errors import Refused
from calls.models import Call, Department
from calls.services.calls import live_call
from calls.services.typing import typed
from calls.telephony import tokens
from calls.views.pages import acts, done, page


def _departments(user: Account) -> list[Department]:
    return list(Department.objects.real().filter(scope_of(user).of_department("pk")).order_by("name"))


@require_GET
@acts(SUPERVISE)
def test_call(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        "departments": _departments(request.user),
        "stories": simulated.stories(),
        "simulated": simulated.there(),
        "livekit_url": settings.LIVEKIT_URL,
    }
    return page(request, "calls/test_call.html", context)


@require_POST
@acts(SUPERVISE)
def token(request: HttpRequest) -> HttpResponse:
    """A token for one new room, in which the AI answers. Lives five minutes, for this browser only."""
    names = {department.name for department in _departments(request.user)}
    wanted = request.POST.get("department", "")
    caller = tokens.browser_caller(department=wanted if wanted in names else "")
    return JsonResponse({"url": settings.LIVEKIT_URL, "token": caller.token, "room": caller.room})


@require_GET
@acts(SUPERVISE)
def call_of(request: HttpRequest) -> HttpResponse:
    """Which call a test room has become: 404 until its first fact has come."""
    room = request.GET.get("room", "")
    found = live_call(room) if room.startswith("call-test-") else None
    if found is None:
        return JsonResponse({"call": None}, status=202)
    return JsonResponse({"call": str(found.pk), "page": f"{reverse('call', args=[found.pk])}?beside=1"})


@require_POST
@acts(SUPERVISE)
def line(request: HttpRequest) -> HttpResponse:
    try:
        call_id, key = UUID(request.POST.get("call", "")), UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(gettext("The call has not begun yet. Try again in a moment.")) from error
    call = get_object_or_404(Call, scope_of(request.user).of_department(), pk=call_id, source=Call.Source.TEST)
    typed(call_id=call.pk, key=key, text=request.POST.get("text", ""))
    return HttpResponse(status=204)


@require_POST
@acts(SUPERVISE)
def simulate(request: HttpRequest) -> HttpResponse:
    """Let the carrier place a call that follows one of its stories."""
    if not simulated.there():
        raise Refused(
            gettext(
                "There is no carrier simulator here: it belongs to the demo. Use a real phone, or the browser."
            )
        )
    title = simulated.place(request.POST.get("story", ""))
    return done(
        gettext("“%(title)s” is calling. The call appears on the wallboard in a moment.") % {"title": title}
    )
