"""What a person does to a transfer: approve, decline, edit, cancel."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from calls.display import caller_name
from calls.errors import Refused
from calls.views.pages import acts, done, seen, user_of
from transfers import escalation, people, services
from transfers.access import lens_of
from transfers.models import Transfer
from transfers.selectors import facts_of
from transfers.states import TransferState
from transfers.views.call import WORD_LIMIT
from transfers.words import sentence


def _visible(request: HttpRequest, transfer_id: UUID) -> Transfer:
    transfers = lens_of(request.user).transfers().select_related("call__department", "department", "profile")
    found: Transfer = get_object_or_404(transfers, pk=transfer_id)
    return found


@require_POST
@acts("transfers.approve_transfer")
def approve(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    found = _visible(request, transfer_id)
    services.approve(transfer_id=found.pk, user=user_of(request), seen_version=seen(request))
    return done(gettext("Approved. The caller is put on hold and a manager is rung."), close_panel=True)


@require_http_methods(["GET", "POST"])
@acts("transfers.approve_transfer")
def decline(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    found = _visible(request, transfer_id)
    if request.method == "GET":
        return _panel(request, found, "transfers/_decline.html")
    reason = request.POST.get("reason", "")
    services.decline(transfer_id=found.pk, user=user_of(request), reason=reason)
    return done(gettext("Declined. The caller stays with the AI, which tells them."), close_panel=True)


@require_http_methods(["GET", "POST"])
@acts("transfers.approve_transfer")
def edit_briefing(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    found = _visible(request, transfer_id)
    if request.method == "GET":
        return _panel(request, found, "transfers/_edit.html")
    text, user = request.POST.get("briefing", ""), user_of(request)
    services.edit_briefing(transfer_id=found.pk, user=user, text=text, seen_version=seen(request))
    if request.POST.get("target"):
        target = escalation.parse_target(request.POST["target"])
        services.choose(transfer_id=found.pk, user=user, department=target.department, person=target.person)
    if request.POST.get("approve"):
        services.approve(transfer_id=found.pk, user=user)
        return done(gettext("Saved and approved. The manager hears it as you wrote it."), close_panel=True)
    return done(gettext("Saved. The manager hears it as you wrote it."), close_panel=True)


@require_POST
@acts("transfers.cancel_transfer")
def cancel(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    found = _visible(request, transfer_id)
    services.cancel(transfer_id=found.pk, user=user_of(request))
    return done(gettext("Cancelled. Ringing stops and the caller goes back to the AI."))


@require_POST
@acts("transfers.park_call")
def hold(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    services.park(transfer_id=_visible(request, transfer_id).pk, user=user_of(request), on_hold=True)
    return done(gettext("The caller hears music; the manager hears nothing until you resume."))


@require_POST
@acts("transfers.park_call")
def resume(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    services.park(transfer_id=_visible(request, transfer_id).pk, user=user_of(request), on_hold=False)
    return done(gettext("They hear each other again."))


def _panel(request: HttpRequest, found: Transfer, template: str) -> HttpResponse:
    lens = lens_of(request.user)
    if not found.is_open:
        label = found.get_state_display()
        raise Refused(
            gettext("This transfer is now “%(label)s”. There is nothing left to change.") % {"label": label}
        )
    context = {
        "transfer": found,
        "caller": caller_name(found.call, lens.sight),
        "sight": lens.sight,
        "waiting": found.state == TransferState.REQUESTED and found.approved is None,
        "word_limit": found.profile.word_limit if found.profile else WORD_LIMIT,
        "then": sentence(facts_of(found, to_show=True)),
        "groups": people.groups(lens, every=True),
        "chosen": escalation.target_value(found.department_id, found.person_id),
    }
    return render(request, template, context)
