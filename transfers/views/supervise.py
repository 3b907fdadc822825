"""A supervisor in a call: listen, whisper, join in, take over, give back. JSON for the browser's own code."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from calls.access import LISTEN, SUPERVISE, Account, may
from calls.display import caller_name
from calls.errors import Refused
from calls.models import Supervision
from calls.services import supervision
from calls.services.coaching import LONGEST, coach
from calls.states import SupervisionMode
from calls.views.pages import acts, done, user_of
from transfers import supervising
from transfers.access import lens_of
from transfers.models import Attempt
from transfers.views.call import visible_call


def _may(user: Account, mode: SupervisionMode) -> bool:
    """All of them hear the call; whoever only listens needs no more than that."""
    return may(user, LISTEN) and (mode == SupervisionMode.LISTEN or may(user, SUPERVISE))


@require_POST
@acts(LISTEN)
def start(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """`mode`, `side` (call or consultation), `key`: a grant, and all that is needed to connect with it."""
    found = visible_call(request, call_id)
    try:
        mode, key = SupervisionMode(request.POST.get("mode", "")), UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(gettext("This click is incomplete. Load the page again; nothing was changed.")) from error
    if not _may(request.user, mode):
        raise PermissionDenied
    grant = supervising.start(
        call_id=found.pk,
        user=user_of(request),
        mode=mode,
        consultation=request.POST.get("side") == "consultation",
        key=key,
    )
    return _place(request, grant)


@require_POST
@acts(LISTEN)
def renew(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Another token for a grant of one's own: after a lost connection, or to follow its side to another room."""
    grant = _mine(request, grant_id)
    visible_call(request, grant.call_id)
    if not _may(request.user, SupervisionMode(grant.mode)):
        raise PermissionDenied
    return _place(request, supervision.renewed(grant_id=grant_id, user=user_of(request)))


def _mine(request: HttpRequest, grant_id: UUID) -> Supervision:
    found: Supervision = get_object_or_404(
        Supervision.objects.select_related("call"), pk=grant_id, user=user_of(request)
    )
    return found


def _place(request: HttpRequest, grant: Supervision) -> JsonResponse:
    attempt = supervising.manager_on_the_line(grant.call_id)
    speaks = grant.mode != SupervisionMode.LISTEN
    whispers = grant.mode == SupervisionMode.WHISPER
    return JsonResponse(
        {
            "grant": str(grant.pk),
            "mode": grant.mode,
            "url": settings.LIVEKIT_URL,
            "token": supervising.token_for(grant),
            "room": supervising.room_of(grant),
            "identity": grant.identity,
            "speaks": speaks,
            "only_to": [grant.manager_identity] if whispers else None,
            "heard_by": supervising.heard_by(grant, attempt),
            "title": _title(request, grant, attempt),
            "page": reverse("call", args=[grant.call_id]),
            "renew": reverse("supervision_renew", args=[grant.pk]),
            "seen": reverse("supervision_seen", args=[grant.pk]),
            "stop": reverse("supervision_stop", args=[grant.pk]),
        },
        headers={"Cache-Control": "no-store"},
    )


def _title(request: HttpRequest, grant: Supervision, attempt: Attempt | None) -> str:
    """ "Listening to …4417" in the words of the page."""
    caller = caller_name(grant.call, lens_of(request.user).sight)
    manager = attempt.manager.name if attempt else gettext("the manager")
    match SupervisionMode(grant.mode):
        case SupervisionMode.LISTEN:
            return (
                gettext("Listening to %(manager)s, for %(caller)s") % {"manager": manager, "caller": caller}
                if grant.attempt_id
                else gettext("Listening to %(caller)s") % {"caller": caller}
            )
        case SupervisionMode.WHISPER:
            return gettext("Whispering to %(manager)s") % {"manager": manager}
        case SupervisionMode.BARGE:
            return gettext("Joined in with %(caller)s") % {"caller": caller}
    return gettext("You talk to %(caller)s") % {"caller": caller}


@require_POST
@acts(LISTEN)
def seen(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """The browser is there: where it has to be and who hears it, or 410 when its grant has ended."""
    grant = _mine(request, grant_id)
    if not supervision.seen(grant_id=grant_id, user=user_of(request)):
        return HttpResponse(status=410)
    attempt = supervising.manager_on_the_line(grant.call_id)
    return JsonResponse(
        {"room": supervising.room_of(grant), "heard": supervising.heard_by(grant, attempt)},
        headers={"Cache-Control": "no-store"},
    )


@require_POST
@acts(LISTEN)
def stop(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Stop listening or speaking; who has taken over gives the caller back to the AI by it."""
    _mine(request, grant_id)
    supervision.stop(grant_id=grant_id, user=user_of(request))
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@acts(SUPERVISE)
def whisper(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """To the AI. GET: the panel. POST: the text; its key makes a double click one whisper."""
    found = visible_call(request, call_id)
    if request.method == "GET":
        if not found.is_live:
            raise Refused(gettext("The call has ended, so the AI has left it."))
        context = {
            "call": found,
            "caller": caller_name(found, lens_of(request.user).sight),
            "key": uuid4(),
            "longest": LONGEST,
        }
        return render(request, "transfers/_whisper.html", context)
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Http404 from error
    coach(call_id=found.pk, user=user_of(request), key=key, text=request.POST.get("text", ""))
    return done(
        gettext("Whispered. The page says when the AI follows it; the caller hears nothing."), close_panel=True
    )
