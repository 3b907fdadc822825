from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET

from calls.access import VIEW_CALLS, VIEW_EVERY_DEPARTMENT
from calls.display import department_name
from calls.timing import now
from calls.views.pages import acts, page
from transfers.access import NO_DEPARTMENT, Lens, lens_of
from transfers.reports.read import Figures, read
from transfers.reports.tables import as_csv, plots, tables
from transfers.reports.wanted import RANGES, Wanted, departments_of, wanted_of


@require_GET
@acts(VIEW_CALLS, VIEW_EVERY_DEPARTMENT)
def reports(request: HttpRequest) -> HttpResponse:
    """What the transfers of one's departments came to."""
    lens, wanted, found = _report(request)
    context = {
        "wanted": wanted,
        "found": found,
        "tables": tables(found, wanted),
        "plots": plots(found, wanted),
        "departments": [*lens.departments().values_list("pk", "name"), (NO_DEPARTMENT, department_name(None))],
        "ranges": [
            (
                key,
                gettext("Today")
                if days == 1
                else ngettext("%(count)s day", "%(count)s days", days) % {"count": days},
            )
            for key, days in RANGES.items()
        ],
        "hours": [(hour, f"{hour:02}:00–{hour:02}:59") for hour in range(24)],
    }
    return page(request, "transfers/reports.html", context)


@require_GET
@acts(VIEW_CALLS, VIEW_EVERY_DEPARTMENT)
def table(request: HttpRequest, key: str) -> HttpResponse:
    """One table of it as a file."""
    _, wanted, found = _report(request)
    chosen = next((one for one in tables(found, wanted) if one.key == key), None)
    if chosen is None:
        raise Http404
    name = f"patchbay-{key}-{wanted.since}-{wanted.until}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(as_csv(chosen), content_type="text/csv; charset=utf-8", headers=headers)


def _report(request: HttpRequest) -> tuple[Lens, Wanted, Figures]:
    lens = lens_of(request.user)
    wanted = wanted_of(request.GET.dict(), now().date())
    return lens, wanted, read(wanted, departments_of(lens, wanted))
