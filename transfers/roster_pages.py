"""The administration's pages for a file of managers: choose it, see what it would change, do it; and export."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget

from calls.errors import Refused
from calls.events import Actor, EventBody, record
from calls.models import Department
from calls.timing import now
from transfers import roster_file, roster_import, roster_progress, roster_uploads
from transfers.models import Manager
from transfers.roster_resource import PREFETCHED, ManagerResource, Preview, Problem, exported

CHANGED_MEANWHILE = gettext_lazy(
    "The roster was changed by somebody since you looked, so nothing was done. "
    "This is what the file would change now."
)


class RosterExported(EventBody):
    """Somebody took the managers that they know, with their numbers, as a file."""

    type = "roster.exported"
    managers: int


@dataclass(frozen=True)
class Known:
    """What the person may see and change. `within` is None for every department."""

    managers: QuerySet[Manager]
    departments: QuerySet[Department]
    within: Collection[int] | None

    def resource(self) -> ManagerResource:
        people = self.managers.filter(guest=False).exclude(departments__rehearsal=True)
        return ManagerResource(people.prefetch_related(*PREFETCHED), self.departments.filter(rehearsal=False))


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
        help_text=gettext_lazy("With the columns of an export; those that are missing stay as they are."),
    )


def upload(site: AdminSite, request: HttpRequest, known: Known) -> HttpResponse:
    """GET: choose a file. POST of one: what it would change. POST of a token: do it."""
    if request.method != "POST":
        return _page(site, request, {"form": FileForm()})
    with roster_progress.shown(str(request.user.pk), request.POST.get("run", "")) as tell:
        return _posted(site, request, known, tell)


def progress(request: HttpRequest) -> HttpResponse:
    """`?run=`: how far that import is, `done` of `of` and in words; 204 while nothing is known of it."""
    found = roster_progress.of(str(request.user.pk), request.GET.get("run", ""))
    return HttpResponse(status=204) if found is None else JsonResponse(found)


def _posted(site: AdminSite, request: HttpRequest, known: Known, tell: roster_progress.Tell) -> HttpResponse:
    if "token" in request.POST:
        return _apply(site, request, known, tell)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(site, request, {"form": form}, status=422)
    content = form.cleaned_data["file"].read()
    outcome = _look(known, content, tell)
    if outcome.problems:
        return _page(site, request, {"form": FileForm(), "outcome": outcome}, status=422)
    return _preview(site, request, outcome, roster_uploads.keep(content))


def _look(known: Known, content: bytes, tell: roster_progress.Tell, *, then_written: bool = False) -> Preview:
    resource = known.resource()
    resource.reads = lambda nth, of: tell(
        nth,
        of * (2 if then_written else 1),
        gettext("%(read)s of %(all)s lines are read.") % {"read": nth, "all": of},
    )
    try:
        return resource.look(roster_file.read(content))
    except ValueError as error:
        return Preview(problems=(Problem(0, "", str(error)),))


def _preview(site: AdminSite, request: HttpRequest, outcome: Preview, token: str) -> HttpResponse:
    return _page(site, request, {"outcome": outcome, "token": token, "seen": _digest(outcome)})


def _apply(site: AdminSite, request: HttpRequest, known: Known, tell: roster_progress.Tell) -> HttpResponse:
    try:
        with transaction.atomic():
            content = roster_uploads.take(request.POST["token"])
            outcome = _look(known, content, tell, then_written=True)
            as_seen = not outcome.problems and _digest(outcome) == request.POST.get("seen")
            if as_seen:
                lines = [change.line for change in (*outcome.added, *outcome.changed)]
                actor, writes = Actor.of(request.user), partial(_tell_writing, tell)
                roster_import.apply(lines, actor=actor, within=known.within, writes=writes)
    except Refused as refused:
        return _page(site, request, {"form": FileForm(), "refused": refused.message}, status=409)
    if outcome.problems:
        return _page(site, request, {"form": FileForm(), "outcome": outcome}, status=422)
    if not as_seen:
        messages.warning(request, CHANGED_MEANWHILE)
        return _preview(site, request, outcome, roster_uploads.keep(content))
    messages.success(
        request,
        gettext("%(added)s added, %(changed)s changed.")
        % {"added": len(outcome.added), "changed": len(outcome.changed)},
    )
    return HttpResponseRedirect(reverse("admin:transfers_manager_changelist"))


def _tell_writing(tell: roster_progress.Tell, part: str) -> None:
    """The second half of the way: the first was reading."""
    parts = roster_import.PARTS
    tell(
        len(parts) + parts.index(part),
        2 * len(parts),
        gettext("All lines are read; %(part)s are being written.") % {"part": gettext(part)},
    )


def _digest(outcome: Preview) -> str:
    """Of what was shown: nothing else is done."""
    return hashlib.sha256(repr(outcome.changes).encode()).hexdigest()


def _page(site: AdminSite, request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    own = {"title": gettext("Import managers"), "columns": roster_file.COLUMNS, "run": secrets.token_urlsafe(12)}
    return render(request, "admin/roster/import.html", site.each_context(request) | own | context, status=status)


def export(request: HttpRequest, known: Known) -> HttpResponse:
    """What `upload` reads again."""
    resource = known.resource()
    text = exported(resource, resource.known)
    record(RosterExported(managers=len(resource.known)), actor=Actor.of(request.user))
    name = f"managers-{now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8", headers=headers)
