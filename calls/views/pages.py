"""How a page is made: whole, or only its content for a snapshot; and how an action answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from calls.access import may
from calls.errors import Refused
from calls.live.publish import positions


@dataclass(frozen=True)
class Live:
    """What a page subscribes to, and where its audiences stood before its rows were read."""

    view: str
    id: str
    url: str
    positions: str


def live(request: HttpRequest, view: str, audiences: Iterable[str], *, id: object = "") -> Live:
    """Make this first, then read the rows: a change in between is then noticed."""
    known = {name: list(place) for name, place in positions(audiences).items()}
    return Live(view, str(id), request.get_full_path(), json.dumps(known))


def page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The whole page, or its content alone when htmx or a snapshot asks."""
    base = "fragment.html" if request.headers.get("HX-Request") else "base.html"
    answer = render(request, template, context | {"base": base}, status=status)
    answer["Vary"] = "HX-Request, Cookie"
    answer["Cache-Control"] = "no-store"
    return answer


def done(text: str, *, close_panel: bool = False) -> HttpResponse:
    """The action was taken: a line of words; what it changed comes over the socket."""
    return _told("done", text, 204, close_panel)


def refused(text: str) -> HttpResponse:
    """The action was not taken, and why."""
    return _told("refused", text, 409, False)


def _told(kind: str, text: str, status: int, close_panel: bool) -> HttpResponse:
    events: dict[str, Any] = {"notice": {"kind": kind, "text": text}}
    if kind == "refused":
        events["panel-refused"] = {"text": text}
    elif close_panel:
        events["panel-done"] = {}
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps(events), "HX-Reswap": "none"})


View = Callable[..., HttpResponseBase]


def user_of(request: HttpRequest) -> User:
    """Whoever is logged in; behind `acts` somebody is."""
    assert isinstance(request.user, User)
    return request.user


def tells_refusals(view: View) -> View:
    """What a service refuses is told in its words."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            return refused(refusal.message)

    return guarded


def acts(*permissions: str) -> Callable[[View], View]:
    """A view for accounts with one of the permissions; what a service refuses is told in its words."""

    def decorate(view: View) -> View:
        @tells_refusals
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not any(may(request.user, permission) for permission in permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def seen(request: HttpRequest) -> int | None:
    """The version of the row that the person saw when they clicked."""
    value = request.POST.get("seen", "")
    return int(value) if value.isdigit() else None
