"""The desk of a manager, and what they do there. Everything is their own: nobody else's can be named."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from calls.display import caller_name
from calls.errors import Refused
from calls.timing import now
from calls.views.pages import View, done, live, page, tells_refusals
from transfers import after_attempt, desk_live, desk_services, escalation, manager_presence, people
from transfers.access import lens_of
from transfers.desk import desk_of, own_manager
from transfers.models import Attempt, HandOver, Manager, Presence

NEXT_SHIFT = "shift"
AWAY_FOR = (
    ("15", gettext_lazy("15 minutes")),
    ("30", gettext_lazy("30 minutes")),
    ("60", gettext_lazy("an hour")),
    (NEXT_SHIFT, gettext_lazy("my next shift")),
    ("", gettext_lazy("I say so")),
)
REASONS = (gettext_lazy("Lunch"), gettext_lazy("Break"), gettext_lazy("Meeting"), gettext_lazy("Training"))


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    manager, lens = own_manager(request.user.pk), lens_of(request.user)
    if manager is None:
        return page(request, "transfers/desk_none.html", {}, status=403)
    place = live(request, "desk", desk_live.audiences(lens))
    return page(request, "transfers/desk.html", {"live": place} | desk_live.context(desk_of(lens, manager), lens))


def for_managers(view: View) -> View:
    """Hands over the account's own manager; what a service refuses is told in its words."""

    @tells_refusals
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        manager = own_manager(request.user.pk)
        if manager is None:
            raise PermissionDenied
        return view(request, manager, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "POST"])
@for_managers
def presence(request: HttpRequest, manager: Manager) -> HttpResponse:
    """GET: the panel for away."""
    if request.method == "GET":
        choices = [choice for choice in AWAY_FOR if choice[0] != NEXT_SHIFT or manager.shifts.exists()]
        return render(request, "transfers/_desk_away.html", {"choices": choices, "reasons": REASONS})
    wanted = request.POST.get("presence", "")
    until = _until(manager, request.POST.get("for", ""))
    manager_presence.set_own(
        manager_id=manager.pk, presence=wanted, reason=request.POST.get("reason", ""), until=until
    )
    if wanted == Presence.AVAILABLE:
        return done(gettext("You are available: callers can be brought to you."))
    return done(gettext("You are away: nobody rings you."), close_panel=True)


def _until(manager: Manager, chosen: str) -> datetime | None:
    if chosen == NEXT_SHIFT:
        return after_attempt.back_at(manager)
    return now() + timedelta(minutes=int(chosen)) if chosen.isdigit() else None


@require_GET
@for_managers
def sound(request: HttpRequest, manager: Manager) -> HttpResponse:
    """The check of microphone and ears, which the browser does by itself."""
    return render(request, "transfers/_desk_sound.html")


# ── a call that asks for them ────────────────────────────────────────────────────────────────────


def _tab(request: HttpRequest) -> str:
    return request.POST.get("tab", "")[:40]


@require_POST
@for_managers
def accept(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    made = desk_services.accept(manager=manager, attempt_id=attempt_id, tab=_tab(request))
    if made.desk:
        return done(gettext("Accepted. Your microphone is being connected."))
    return done(gettext("Accepted. Pick up your phone and say hello, or press 1: then you are joined."))


@require_POST
@for_managers
def listen(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    desk_services.listen(manager=manager, attempt_id=attempt_id, tab=_tab(request))
    return done(gettext("You hear the briefing now. The caller does not hear you until you accept."))


@require_http_methods(["GET", "POST"])
@for_managers
def decline(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    if request.method == "GET":
        return _panel(request, manager, attempt_id, "transfers/_desk_decline.html")
    reason = request.POST.get("reason", "")
    desk_services.decline(manager=manager, attempt_id=attempt_id, reason=reason)
    return done(
        gettext("Declined. Ringing stops, and the caller is taken to somebody else or told so."), close_panel=True
    )


@require_http_methods(["GET", "POST"])
@for_managers
def redirect(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    if request.method == "GET":
        return _panel(request, manager, attempt_id, "transfers/_desk_redirect.html")
    target = escalation.parse_target(request.POST.get("target", ""))
    desk_services.redirect(
        manager=manager,
        attempt_id=attempt_id,
        department=target.department.name if target.department else "",
        person=target.person.name if target.person else "",
    )
    return done(gettext("Sent on. The caller stays on hold while they are asked."), close_panel=True)


def _panel(request: HttpRequest, manager: Manager, attempt_id: UUID, template: str) -> HttpResponse:
    mine = Attempt.objects.filter(manager=manager).select_related("transfer__call", "transfer__department")
    attempt = get_object_or_404(mine, pk=attempt_id)
    if not attempt.is_open:
        raise Refused(gettext("This call does not ask for you any more. There is nothing left to answer."))
    lens = lens_of(request.user)
    context = {
        "attempt": attempt,
        "caller": caller_name(attempt.transfer.call, lens.sight),
        "groups": people.groups(lens, every=True),
        "chosen": "",
    }
    return render(request, template, context)


@require_POST
@for_managers
def question(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(gettext("This page is not up to date. Load it again; nothing was asked.")) from error
    desk_services.ask(manager=manager, attempt_id=attempt_id, key=key, text=request.POST.get("text", ""))
    return HttpResponse(status=204)


@require_POST
@for_managers
def line(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    """Where the browser goes now, and its token."""
    found = desk_services.line_for(manager=manager, attempt_id=attempt_id, tab=_tab(request))
    answer = JsonResponse({"url": found.url, "token": found.token, "room": found.room})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@for_managers
def hand_over(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    to = request.POST.get("to", "")
    desk_services.hand_over(manager=manager, attempt_id=attempt_id, to=to)
    if to == HandOver.BACK:
        return done(gettext("The caller goes to the AI, which tells them."))
    return done(gettext("The caller goes to another manager, and is on hold until then."))


# ── the note ─────────────────────────────────────────────────────────────────────────────────────


@require_POST
@for_managers
def note(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    """Kept as it is typed."""
    desk_services.keep_note(manager=manager, attempt_id=attempt_id, text=request.POST.get("note", ""))
    return HttpResponse(status=204)


@require_POST
@for_managers
def finish(request: HttpRequest, manager: Manager, attempt_id: UUID) -> HttpResponse:
    made = desk_services.finish(
        manager=manager,
        attempt_id=attempt_id,
        afterwards=request.POST.get("afterwards", ""),
        note=request.POST.get("note", ""),
    )
    available = made.manager.presence == Presence.AVAILABLE
    if available:
        return done(gettext("Noted: it is in the history. You can be called again."))
    return done(gettext("Noted: it is in the history."))
