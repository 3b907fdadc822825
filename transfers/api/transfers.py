"""Transfers: what there is, asking for one, deciding, cancelling."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from django.shortcuts import get_object_or_404
from ninja import Query, Router
from ninja.responses import Status
from pydantic import AwareDatetime

from transfers import requests, services
from transfers.api import schemas
from transfers.api.auth import KeyRequest, Needs, lens
from transfers.api.once import IdempotencyKey, actor, once
from transfers.api.paging import Before, Limit, page
from transfers.api.render import transfer_details, transfer_view
from transfers.escalation import parse_target, target_value
from transfers.models import Transfer
from transfers.states import TransferState

router = Router(tags=["Transfers"])


@router.get("/transfers", auth=Needs("transfers:read"), response=schemas.TransferPage)
def list_transfers(
    request: KeyRequest,
    call_id: UUID | None = None,
    department_id: int | None = None,
    state: Annotated[list[TransferState] | None, Query(None, description="One or more.")] = None,
    since: Annotated[AwareDatetime | None, Query(None, description="Asked for at this time or later.")] = None,
    rehearsals: bool = False,
    before: Before = None,
    limit: Limit = 50,
) -> schemas.TransferPage:
    """Newest first."""
    mine = lens(request)
    rows = seen = mine.transfers()
    if not rehearsals:
        rows = rows.filter(call__rehearsal=False)
    if call_id is not None:
        rows = rows.filter(call=call_id)
    if department_id is not None:
        rows = rows.filter(department=department_id)
    if state:
        rows = rows.filter(state__in=state)
    if since:
        rows = rows.filter(requested_at__gte=since)
    found, following = page(rows, seen=seen, newest="requested_at", before=before, limit=limit)
    return schemas.TransferPage(items=[transfer_view(row, mine.sight) for row in found], next=following)


@router.get("/transfers/{uuid:transfer_id}", auth=Needs("transfers:read"), response=schemas.TransferDetails)
def get_transfer(request: KeyRequest, transfer_id: UUID) -> schemas.TransferDetails:
    """With its attempts, and what happens next."""
    return transfer_details(_visible(request, transfer_id), lens(request).sight)


@router.post(
    "/calls/{uuid:call_id}/transfers", auth=Needs("transfers:request"), response={201: schemas.TransferDetails}
)
def request_transfer(
    request: KeyRequest, call_id: UUID, ask: schemas.Ask, idempotency_key: IdempotencyKey = None
) -> Status[object]:
    """Ask for a person, as the AI would: the department's policy says whether somebody has to approve."""
    call = get_object_or_404(lens(request).calls().select_related("department", "profile"), pk=call_id)

    def work() -> schemas.TransferDetails:
        department_id = ask.department_id if ask.department_id is not None else call.department_id
        target = parse_target(target_value(department_id, ask.manager_id))
        made = requests.request_transfer(
            call_id=call.pk,
            key=uuid4(),
            reason=ask.reason,
            department=target.department,
            person=target.person,
            briefing_text=ask.briefing,
            actor=actor(request),
        )
        return transfer_details(made, lens(request).sight)

    return once(request, idempotency_key, work, status=201)


@router.post(
    "/transfers/{uuid:transfer_id}/approve", auth=Needs("transfers:decide"), response=schemas.TransferDetails
)
def approve_transfer(
    request: KeyRequest, transfer_id: UUID, approve: schemas.Approve, idempotency_key: IdempotencyKey = None
) -> Status[object]:
    """The caller is put on hold and a manager is rung."""
    found = _visible(request, transfer_id)

    def work() -> schemas.TransferDetails:
        by, seen = actor(request), approve.seen_version
        done = services.approve(transfer_id=found.pk, actor=by, seen_version=seen)
        return transfer_details(done, lens(request).sight)

    return once(request, idempotency_key, work)


@router.post(
    "/transfers/{uuid:transfer_id}/decline", auth=Needs("transfers:decide"), response=schemas.TransferDetails
)
def decline_transfer(
    request: KeyRequest, transfer_id: UUID, decline: schemas.Decline, idempotency_key: IdempotencyKey = None
) -> Status[object]:
    """The caller stays with the AI, which tells them."""
    found = _visible(request, transfer_id)

    def work() -> schemas.TransferDetails:
        done = services.decline(transfer_id=found.pk, actor=actor(request), reason=decline.reason)
        return transfer_details(done, lens(request).sight)

    return once(request, idempotency_key, work)


@router.post(
    "/transfers/{uuid:transfer_id}/cancel", auth=Needs("transfers:cancel"), response=schemas.TransferDetails
)
def cancel_transfer(
    request: KeyRequest, transfer_id: UUID, idempotency_key: IdempotencyKey = None
) -> Status[object]:
    """Ringing stops and the caller goes back to the AI."""
    found = _visible(request, transfer_id)

    def work() -> schemas.TransferDetails:
        done = services.cancel(transfer_id=found.pk, actor=actor(request))
        return transfer_details(done, lens(request).sight)

    return once(request, idempotency_key, work)


def _visible(request: KeyRequest, transfer_id: UUID) -> Transfer:
    rows = lens(request).transfers().select_related("call__department", "department", "profile")
    return get_object_or_404(rows, pk=transfer_id)
