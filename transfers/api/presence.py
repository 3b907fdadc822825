"""The managers and whether they can be called."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Router

from calls.timing import now
from transfers import people, roster
from transfers.access import Lens
from transfers.api import schemas
from transfers.api.auth import KeyRequest, Needs, lens
from transfers.api.once import actor
from transfers.api.render import manager_view
from transfers.manager_presence import set_for
from transfers.models import Attempt, Manager
from transfers.states import OPEN_ATTEMPT

router = Router(tags=["Presence"])


@router.get("/managers", auth=Needs("presence:read"), response=schemas.Managers)
def list_managers(request: KeyRequest, department_id: int | None = None) -> schemas.Managers:
    """Of the departments that this key sees, by name; a manager of several is listed once."""
    of: dict[UUID, list[int]] = {}
    found: dict[UUID, people.Person] = {}
    for group in people.groups(lens(request)):
        for person in group.people:
            of.setdefault(person.manager.pk, []).append(group.department.pk)
            found[person.manager.pk] = person
    rows = sorted(found.values(), key=lambda person: person.name)
    wanted = [row for row in rows if department_id is None or department_id in of[row.manager.pk]]
    return schemas.Managers(items=[manager_view(row, of[row.manager.pk]) for row in wanted])


@router.put("/managers/{uuid:manager_id}/presence", auth=Needs("presence:write"), response=schemas.Manager)
def set_presence(request: KeyRequest, manager_id: UUID, wanted: schemas.SetPresence) -> schemas.Manager:
    """Whether they are rung, with a reason. The same again changes nothing."""
    mine = lens(request)
    known = Manager.objects.filter(departments__in=mine.departments(), active=True).distinct()
    get_object_or_404(known, pk=manager_id)
    set_for(manager_id=manager_id, actor=actor(request), presence=wanted.presence, reason=wanted.reason)
    return _one(mine, manager_id)


def _one(mine: Lens, manager_id: UUID) -> schemas.Manager:
    manager = Manager.objects.prefetch_related(*roster.OF_MANAGER).get(pk=manager_id)
    attempt = Attempt.objects.filter(manager=manager, state__in=OPEN_ATTEMPT).first()
    departments = mine.departments().filter(managers=manager).values_list("pk", flat=True)
    return manager_view(people.person_of(manager, 0, attempt, now()), sorted(departments))
