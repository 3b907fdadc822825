from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from calls.access import SUPERVISE, may
from calls.models import Call
from calls.timing import now
from calls.views.pages import acts, done, live, page, user_of
from transfers import board_filter, board_summary, escalation
from transfers.access import board_audiences, lens_of
from transfers.board import needs
from transfers.live_calls import live_calls
from transfers.manager_presence import set_by_person
from transfers.models import Manager
from transfers.people import person_of
from transfers.roster import OF_MANAGER, rank
from transfers.strip_html import strip_htmls


def wallboard(request: HttpRequest) -> HttpResponse:
    lens = lens_of(request.user)
    place = live(request, "wallboard", board_audiences(lens))
    waiting = needs(lens)
    calls = live_calls(lens)
    summed = board_summary.context(lens, calls, waiting)
    wanted, rows = board_filter.parse(request.GET), strip_htmls(lens, calls)
    needing = {need.transfer.call_id for need in waiting} | {card.id for card in summed["watched"].cards}
    needing |= {row.callback.call_id for row in summed["overdue"]}
    shown = [(row, wanted.admits(row, needing)) for row in wanted.sorted(rows)]
    context = {
        "live": place,
        "strips": mark_safe(
            "".join(row.html if fits else row.hidden for row, fits in shown)
        ),  # our own template's
        "filter": wanted,
        "shown": sum(fits for _, fits in shown),
        "all": len(rows),
        "departments": lens.departments().order_by("name"),
        "states": board_filter.STATES.items(),
        "sorts": board_filter.SORTS.items(),
        "needs": waiting,
        "sight": lens.sight,
        "may_test": may(request.user, SUPERVISE),
    }
    return page(request, "transfers/wallboard.html", context | summed)


@require_GET
def ranking(request: HttpRequest, department_id: int) -> HttpResponse:
    """Who would be called now, and why the others would not."""
    found = get_object_or_404(lens_of(request.user).departments(), pk=department_id)
    context = {
        "department": found,
        "ranking": rank(department=found, person=None, at=now()),
        "then": escalation.what_would_happen(Call(department=found), escalation.Target(found)),
    }
    return render(request, "transfers/_ranking.html", context)


@require_http_methods(["GET", "POST"])
@acts("transfers.set_presence")
def presence(request: HttpRequest, manager_id: UUID) -> HttpResponse:
    """Whether a manager of one's departments is called, with a reason."""
    lens = lens_of(request.user)
    mine = Manager.objects.filter(departments__in=lens.departments()).distinct()
    found = get_object_or_404(mine.prefetch_related(*OF_MANAGER), pk=manager_id)
    if request.method == "GET":
        context = {"person": person_of(found, 0, None, now()), "may_rehearse": may(request.user, SUPERVISE)}
        return render(request, "transfers/_presence.html", context)
    wanted, reason = request.POST.get("presence", ""), request.POST.get("reason", "")
    changed = set_by_person(manager_id=found.pk, user=user_of(request), presence=wanted, reason=reason)
    return done(
        gettext("%(name)s is now %(presence)s.")
        % {"name": changed.name, "presence": changed.get_presence_display().lower()},
        close_panel=True,
    )


def summary(request: HttpRequest) -> HttpResponse:
    """What a page fetches when `Watched.next_at` has come; after changes it is told (calls/live/summaries.py)."""
    return HttpResponse(board_summary.html(lens_of(request.user)))
