from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from calls.access import SUPERVISE, may
from calls.views.pages import live, page
from transfers import people
from transfers.access import Lens, board_audiences, lens_of
from transfers.board import Need, needs
from transfers.figures import figures
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
    return page(request, "transfers/wallboard.html", context | _summary(lens, waiting))


def summary(request: HttpRequest) -> HttpResponse:
    """The figures and the managers, which a page asks for at most once a second."""
    lens = lens_of(request.user)
    return render(request, "transfers/summary.html", _summary(lens, list(needs(lens))))


def _summary(lens: Lens, waiting: list[Need]) -> dict[str, Any]:
    groups = list(people.groups(lens))
    return {"groups": groups, "figures": figures(lens, groups, waiting=len(waiting))}
