"""Rehearse with a manager: the supervisor's browser is the caller, and the manager's own phone rings."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from calls.access import SUPERVISE
from calls.errors import Refused
from calls.views.pages import acts, page, user_of
from transfers import practice
from transfers.access import lens_of
from transfers.models import Manager


def _manager(request: HttpRequest, manager_id: UUID) -> Manager:
    """Of one's own departments."""
    mine = Manager.objects.filter(departments__in=lens_of(request.user).departments()).distinct()
    found: Manager = get_object_or_404(mine.prefetch_related("endpoints"), pk=manager_id)
    return found


@require_GET
@acts(SUPERVISE)
def rehearse(request: HttpRequest, manager_id: UUID) -> HttpResponse:
    manager = _manager(request, manager_id)
    try:
        practice.phone_of(manager)
        refusal = ""
    except Refused as refused:
        refusal = refused.message
    context = {"manager": manager, "refusal": refusal, "livekit_url": settings.LIVEKIT_URL}
    return page(request, "transfers/rehearse.html", context)


@require_POST
@acts(SUPERVISE)
def token(request: HttpRequest, manager_id: UUID) -> HttpResponse:
    """For one new room, in which the AI answers: five minutes, for this browser only."""
    caller = practice.begin(_manager(request, manager_id))
    answer = JsonResponse({"url": settings.LIVEKIT_URL, "token": caller.token, "room": caller.room})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@acts(SUPERVISE)
def ring(request: HttpRequest, manager_id: UUID) -> HttpResponse:
    """The browser is in its room: now the manager is rung."""
    manager = _manager(request, manager_id)
    try:
        call_id, key = UUID(request.POST.get("call", "")), UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(gettext("The rehearsal has not begun yet. Try again in a moment.")) from error
    get_object_or_404(lens_of(request.user).calls(), pk=call_id)
    practice.ring(call_id=call_id, key=key, manager=manager, user=user_of(request))
    return HttpResponse(status=204)
