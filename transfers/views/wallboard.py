from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from calls.access import SUPERVISE, may
from calls.views.pages import live, page
from transfers.access import Lens, board_audiences, lens_of
from transfers.board import Need, needs
from transfers.figures import figures
from transfers.people_html import panel
from transfers.strip_html import strip_htmls


def wallboard(request: HttpRequest) -> HttpResponse:
    lens = lens_of(request.user)
    place = live(request, "wallboard", board_audiences(lens))
    waiting = list(needs(lens))
    context = {
        "live": place,
        "strips": mark_safe("".join(row.html for row in strip_htmls(lens))),  # our own template's
        "needs": waiting,
        "sight": lens.sight,
        "may_test": may(request.user, SUPERVISE),
    }
    return page(request, "transfers/wallboard.html", context | _summary(request, lens, waiting))


def summary(request: HttpRequest) -> HttpResponse:
    """The figures and the managers, which a page asks for at most once a second."""
    lens = lens_of(request.user)
    return render(request, "transfers/summary.html", _summary(request, lens, list(needs(lens))))


def _summary(request: HttpRequest, lens: Lens, waiting: list[Need]) -> dict[str, Any]:
    managers = panel(lens, staff=bool(getattr(request.user, "is_staff", False)))
    return {"managers": managers.html, "figures": figures(lens, managers, waiting=len(waiting))}
