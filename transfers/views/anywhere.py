"""What every page of the console has: the requests that wait, and finding a call."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from calls.errors import Refused
from calls.views.pages import acts, live
from transfers import finding, waiting
from transfers.access import board_audiences, lens_of
from transfers.board import needs

MOST_LETTERS = 100


@require_GET
def waiting_mark(request: HttpRequest) -> HttpResponse:
    """How many requests wait: fetched by a page once it is there, and kept by frames from then on."""
    lens = lens_of(request.user)
    place = live(request, "waiting", board_audiences(lens))
    return render(request, "transfers/waiting.html", {"live": place, "mark": waiting.mark(lens)})


@require_GET
@acts("transfers.approve_transfer")
def oldest(request: HttpRequest) -> HttpResponse:
    """The panel of the request that has waited longest."""
    lens = lens_of(request.user)
    found = next(iter(needs(lens)), None)
    if found is None:
        raise Refused(gettext("No request waits for approval."))
    return render(request, "transfers/_oldest.html", {"need": found, "sight": lens.sight})


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """The palette's calls, as options of its list."""
    lens, words = lens_of(request.user), request.GET.get("q", "")[:MOST_LETTERS]
    context = {"live_calls": finding.live(lens, words), "ended_calls": finding.ended(lens, words)}
    return render(request, "transfers/_found.html", context)
