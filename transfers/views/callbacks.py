"""The callbacks page, and what a person does with one."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from calls.errors import Refused
from calls.views.pages import acts, done, live, page, user_of
from transfers import callback_list, callbacks
from transfers.access import board_audiences, lens_of
from transfers.models import Callback

HANDLE = "transfers.handle_callback"


@require_GET
@acts("transfers.view_callback")
def listing(request: HttpRequest) -> HttpResponse:
    lens = lens_of(request.user)
    place = live(request, "callbacks", board_audiences(lens))
    context = {
        "live": place,
        "rows": callback_list.rows(lens),
        "done": callback_list.rows(lens, done=True)[:50],
        "sight": lens.sight,
    }
    return page(request, "transfers/callbacks.html", context)


def _visible(request: HttpRequest, callback_id: UUID) -> Callback:
    found: Callback = get_object_or_404(lens_of(request.user).callbacks(), pk=callback_id)
    return found


@require_POST
@acts(HANDLE)
def claim(request: HttpRequest, callback_id: UUID) -> HttpResponse:
    callbacks.claim(callback_id=_visible(request, callback_id).pk, user=user_of(request))
    return done(gettext("It is yours. Call now rings your phone first, then the caller."))


@require_POST
@acts(HANDLE)
def release(request: HttpRequest, callback_id: UUID) -> HttpResponse:
    callbacks.release(callback_id=_visible(request, callback_id).pk, user=user_of(request))
    return done(gettext("Given back. Anybody of the department can claim it."))


@require_POST
@acts(HANDLE)
def call_now(request: HttpRequest, callback_id: UUID) -> HttpResponse:
    callbacks.call_now(callback_id=_visible(request, callback_id).pk, user=user_of(request))
    return done(gettext("Your phone is rung. When you take it, the caller is called and you are joined."))


@require_http_methods(["GET", "POST"])
@acts(HANDLE)
def finish(request: HttpRequest, callback_id: UUID) -> HttpResponse:
    found = _visible(request, callback_id)
    if request.method == "GET":
        if not found.is_open:
            raise Refused(gettext("This callback is done already."))
        shown = callback_list.row(lens_of(request.user), str(found.pk))
        return render(request, "transfers/_callback_done.html", {"row": shown, "results": Callback.Result.choices})
    result, note = request.POST.get("result", ""), request.POST.get("note", "")
    callbacks.finish(callback_id=found.pk, user=user_of(request), result=result, note=note)
    return done(gettext("Done. It is kept with the call."), close_panel=True)
