"""Departments and calls, and what was said in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import AwareDatetime

from calls.services.reading import was_read
from calls.states import CallState
from transfers.api import schemas
from transfers.api.auth import KeyRequest, Needs, lens
from transfers.api.once import actor
from transfers.api.paging import Before, Limit, page
from transfers.api.render import call_view, utterance_view

router = Router(tags=["Calls"])


@router.get("/departments", auth=Needs("calls:read", "presence:read"), response=schemas.Departments)
def list_departments(request: KeyRequest) -> schemas.Departments:
    """Those whose calls and managers this key sees."""
    rows = lens(request).departments().order_by("name")
    return schemas.Departments(items=[schemas.Department(id=row.pk, name=row.name) for row in rows])


@router.get("/calls", auth=Needs("calls:read"), response=schemas.CallPage)
def list_calls(
    request: KeyRequest,
    department_id: int | None = None,
    state: Annotated[list[CallState] | None, Query(None, description="One or more.")] = None,
    since: Annotated[AwareDatetime | None, Query(None, description="Begun at this time or later.")] = None,
    rehearsals: bool = False,
    before: Before = None,
    limit: Limit = 50,
) -> schemas.CallPage:
    """Newest first."""
    mine = lens(request)
    rows = seen = mine.calls()
    if not rehearsals:
        rows = rows.filter(rehearsal=False)
    if department_id is not None:
        rows = rows.filter(department=department_id)
    if state:
        rows = rows.filter(state__in=state)
    if since:
        rows = rows.filter(started_at__gte=since)
    found, following = page(rows, seen=seen, newest="started_at", before=before, limit=limit)
    return schemas.CallPage(items=[call_view(row, mine.sight) for row in found], next=following)


@router.get("/calls/{uuid:call_id}", auth=Needs("calls:read"), response=schemas.Call)
def get_call(request: KeyRequest, call_id: UUID) -> schemas.Call:
    mine = lens(request)
    return call_view(get_object_or_404(mine.calls(), pk=call_id), mine.sight)


@router.get("/calls/{uuid:call_id}/transcript", auth=Needs("calls:transcript"), response=schemas.Transcript)
def get_transcript(request: KeyRequest, call_id: UUID) -> schemas.Transcript:
    """Finished turns of the caller's side and of consultations."""
    call = get_object_or_404(lens(request).calls(), pk=call_id)
    was_read(actor(request), call.pk, "api")
    return schemas.Transcript(call_id=call.pk, items=[utterance_view(row) for row in call.utterances.all()])
