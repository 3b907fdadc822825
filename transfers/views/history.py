from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from calls.access import may
from calls.display import caller_name
from calls.events import Actor, AuditExported
from calls.events import record as record_event
from calls.services.reading import opened
from calls.timing import now
from calls.views.pages import acts, live, page
from transfers import audit_bundle, record, transfer_page
from transfers.access import board_audiences, lens_of
from transfers.callpage import talk
from transfers.display import attempt_words, transfer_display
from transfers.history import history_page, supervisors
from transfers.history_filters import Failed, Filters, Kind, filters_of
from transfers.models import Manager
from transfers.states import EndReason, Outcome
from transfers.swimlane import swimlane
from transfers.views.exports import EXPORT, exports_context


@require_GET
def history(request: HttpRequest) -> HttpResponse:
    lens = lens_of(request.user)
    filters = filters_of(request.GET.dict())
    place = live(request, "history", board_audiences(lens))
    before = request.GET.get("before", "")
    found = history_page(lens, filters, before=before)
    departments = lens.departments()
    context = {
        "live": place,
        "found": found,
        "filters": filters,
        "address": filters.address(),
        "departments": departments,
        "managers": Manager.objects.filter(departments__in=departments).distinct().order_by("name").only("name"),
        "supervisors": supervisors(lens),
        "choices": CHOICES,
        "older": _query(filters, found.older),
        "first": not before,
        "newest": not before and filters == Filters(),
        "sight": lens.sight,
        "exports": None,
    }
    if may(request.user, EXPORT):
        context |= exports_context(request)
    return page(request, "transfers/history.html", context)


CHOICES = {
    "result": EndReason.choices,
    "kind": Kind.choices,
    "outcome": Outcome.choices,
    "failed": Failed.choices,
}


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """The form's: makes it an address, which holds everything but a caller's number."""
    typed = request.POST.dict()
    if not typed.get("caller", "").strip():
        typed["caller"] = typed.get("same_caller", "")
    query = _query(filters_of(typed))
    return redirect(f"{reverse('history')}{'?' if query else ''}{query}")


def _query(filters: Filters, before: str = "") -> str:
    made = QueryDict(mutable=True)
    made.update(filters.address() | ({"before": before} if before else {}))
    return made.urlencode()


@require_GET
def transfer(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    lens = lens_of(request.user)
    related = ("call__department", "department", "person", "requested_by", "decided_by", "profile")
    found = get_object_or_404(lens.transfers().select_related(*related), pk=transfer_id)
    place = live(request, "transfer", (f"c:{found.call_id}",), id=found.pk)
    attempts = list(found.attempts.select_related("manager", "decision").order_by("nth"))
    sounds = transfer_page.what_was_heard(found, attempts)
    said = talk(lens, found.call)
    if said:
        opened(request, found.call_id, "transfer")
    context = {
        "live": place,
        "transfer": found,
        "caller": caller_name(found.call, lens.sight),
        "program": record.programs_that_asked([found]).get(found.pk, ""),
        "display": transfer_display(found.state, found.end_reason),
        "lanes": swimlane(found, attempts, at=now(), sounds=sounds),
        "sounds": sounds,
        "attempts": [(attempt, attempt_words(attempt)) for attempt in attempts],
        "versions": transfer_page.versions(found, attempts) if lens.sight.transcript else (),
        "repeats": transfer_page.repeats(found, attempts, lens.sight),
        "lines": record.lines(found),
        "readings": record.readings(found),
        "seal": record.seal_state(found),
        "talk": said,
        "sight": lens.sight,
    }
    return page(request, "transfers/transfer.html", context)


@require_GET
@acts("calls.export_calls", "calls.verify_audit")
def bundle(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """The transfer's record with its proof, to be verified elsewhere. Taking it is an event itself."""
    lens = lens_of(request.user)
    found = get_object_or_404(lens.transfers().select_related("department"), pk=transfer_id)
    made = audit_bundle.bundle(found, lens)
    with transaction.atomic():
        record_event(AuditExported(), actor=Actor.of(request.user), call_id=found.call_id, transfer_id=found.pk)
    name = f"transfer-{found.pk}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(made, content_type="application/zip", headers=headers)
