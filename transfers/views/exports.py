"""The history taken away as a file, and how far it is."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from calls.views.pages import acts, page, user_of
from transfers import history_export
from transfers.access import lens_of
from transfers.history_filters import filters_of
from transfers.models import HistoryExport

EXPORT = "calls.export_calls"
TYPES = {HistoryExport.Form.CSV: "text/csv", HistoryExport.Form.JSONL: "application/jsonl"}


@require_POST
@acts(EXPORT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """All that the page's filters find, newest first. That it was taken is an event itself."""
    form = request.POST.get("form", "")
    if form not in HistoryExport.Form.values:
        raise Http404
    lens, filters = lens_of(request.user), filters_of(request.POST.dict())
    made = history_export.begin(user_of(request), form, lens, filters)
    name = f"patchbay-history-{made.asked_at:%Y%m%d-%H%M%S}.{form}"
    return StreamingHttpResponse(
        history_export.stream(made, lens, filters),
        content_type=f"{TYPES[HistoryExport.Form(form)]}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@require_GET
@acts(EXPORT)
def exports(request: HttpRequest) -> HttpResponse:
    """One's own newest; asked again every second while one is under way."""
    return page(request, "transfers/_exports.html", exports_context(request))


def exports_context(request: HttpRequest) -> dict[str, object]:
    found = history_export.newest_of(user_of(request))
    shown = [(one, history_export.under_way(one)) for one in found]
    return {"exports": shown, "exporting": any(running for _, running in shown)}
