from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from calls.access import scope_of, sight_of
from calls.live.rooms import AUDIENCES
from calls.rooms import room_rows
from calls.views.pages import live, page


def rooms(request: HttpRequest) -> HttpResponse:
    scope = scope_of(request.user)
    if not scope.sees_calls:
        raise PermissionDenied
    place = live(request, "rooms", AUDIENCES)
    return page(request, "calls/rooms.html", {"live": place, "rooms": room_rows(scope, sight_of(request.user))})
