"""The call page and what a person does to a call. Every view reads through the account's lens first."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import escape
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from calls.access import SUPERVISE
from calls.display import caller_name
from calls.errors import Refused
from calls.models import Call
from calls.services.ending import end_by_person
from calls.services.reading import opened
from calls.states import CallerWith
from calls.views.pages import acts, done, live, page, user_of
from transfers import briefing, escalation, people, requests
from transfers.access import lens_of
from transfers.callpage import call_page
from transfers.models import Transfer
from transfers.selectors import phone_leg

WORD_LIMIT = 45


@require_GET
def call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    lens = lens_of(request.user)
    place = live(request, "call", (f"c:{call_id}",), id=call_id)
    found = call_page(lens, call_id)
    if found.talk:
        opened(request, call_id, "call")
    context = {
        "live": place,
        "page": found,
        "sight": lens.sight,
        "beside": "beside" in request.GET,
    }
    return page(request, "transfers/call.html", context)


def visible_call(request: HttpRequest, call_id: UUID) -> Call:
    """Raises Http404 for a call that this account does not see."""
    calls = lens_of(request.user).calls().select_related("department", "profile")
    found: Call = get_object_or_404(calls, pk=call_id)
    return found


@require_http_methods(["GET", "POST"])
@acts("transfers.request_transfer")
def escalate(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """GET: the panel. POST: the request; its key makes a double click one transfer."""
    found = visible_call(request, call_id)
    return _request(request, found) if request.method == "POST" else _panel(request, found)


def _panel(request: HttpRequest, found: Call) -> HttpResponse:
    lens = lens_of(request.user)
    if not found.is_live:
        raise Refused(gettext("The call has ended, so there is nobody to transfer."))
    groups = people.groups(lens, every=True)
    chosen = found.department or next((group.department for group in groups if group.free), None)
    then = (
        escalation.what_would_happen(found, escalation.Target(chosen))
        if chosen
        else gettext("Choose where the caller goes.")
    )
    context = {
        "call": found,
        "caller": caller_name(found, lens.sight),
        "groups": groups,
        "chosen": escalation.target_value(chosen.pk if chosen else None),
        "key": uuid4(),
        "reason": "",
        "briefing": briefing.draft(found, reason="") if lens.sight.transcript else "",
        "word_limit": found.profile.word_limit if found.profile else WORD_LIMIT,
        "then": then,
    }
    return render(request, "transfers/_escalate.html", context)


@require_GET
@acts("transfers.request_transfer")
def escalate_next(request: HttpRequest, call_id: UUID) -> HttpResponse:
    found = visible_call(request, call_id)
    target = escalation.parse_target(request.GET.get("target", ""))
    return HttpResponse(escape(escalation.what_would_happen(found, target)))


def _asked(request: HttpRequest) -> tuple[escalation.Target, UUID]:
    """Whom the form asks for, and the key that makes a double click one request."""
    target = escalation.parse_target(request.POST.get("target", ""))
    try:
        return target, UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(gettext("This form is incomplete. Open it again; nothing was changed.")) from error


def _request(request: HttpRequest, found: Call) -> HttpResponse:
    target, key = _asked(request)
    requests.request_transfer(
        call_id=found.pk,
        key=key,
        reason=request.POST.get("reason", ""),
        department=target.department,
        person=target.person,
        briefing_text=request.POST.get("briefing", ""),
        user=user_of(request),
    )
    return done(
        gettext("Escalated. %(then)s") % {"then": escalation.what_would_happen(found, target)},
        close_panel=True,
    )


@require_http_methods(["GET", "POST"])
@acts("transfers.refer_call")
def cold(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Without a briefing: the caller's own carrier calls a manager, and we are out of it."""
    found = visible_call(request, call_id)
    if request.method == "GET":
        return _cold_panel(request, found)
    target, key = _asked(request)
    requests.request_transfer(
        call_id=found.pk,
        key=key,
        kind=Transfer.Kind.COLD,
        reason=request.POST.get("reason", ""),
        department=target.department,
        person=target.person,
        user=user_of(request),
    )
    return done(gettext("The AI tells the caller; then their carrier calls the chosen phone."), close_panel=True)


def _cold_panel(request: HttpRequest, found: Call) -> HttpResponse:
    if not found.is_live or phone_leg(found) is None:
        raise Refused(
            gettext("Only a caller on a telephone who is here now can be transferred without a briefing.")
        )
    lens = lens_of(request.user)
    context = {
        "call": found,
        "caller": caller_name(found, lens.sight),
        "groups": people.groups(lens, every=True),
        "chosen": escalation.target_value(found.department_id),
        "key": uuid4(),
    }
    return render(request, "transfers/_cold.html", context)


@require_http_methods(["GET", "POST"])
@acts(SUPERVISE)
def end_call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    found = visible_call(request, call_id)
    lens = lens_of(request.user)
    caller = caller_name(found, lens.sight)
    if request.method == "GET":
        if not found.is_live:
            raise Refused(gettext("The call has ended already."))
        context = {"call": found, "caller": caller, "means": _ending_means(found)}
        return render(request, "transfers/_end.html", context)
    end_by_person(call_id=found.pk, user=user_of(request), caller_with=request.POST.get("with"))
    return done(gettext("The call of %(caller)s is ended.") % {"caller": caller}, close_panel=True)


def _ending_means(found: Call) -> str:
    match CallerWith(found.caller_with):
        case CallerWith.HOLD:
            return gettext(
                "The caller is on hold. The transfer is cancelled, the manager is told, and both are hung up."
            )
        case CallerWith.MANAGER:
            return gettext("The caller is talking to a manager. Both are hung up in the middle of it.")
        case CallerWith.SUPERVISOR:
            return gettext("The caller is talking to a supervisor. Both are hung up in the middle of it.")
    return gettext("The AI says goodbye and the caller is hung up. They are not called back.")
