"""The roster's writer: managers with their departments, ways to reach them and shifts, and the trunks."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from calls.errors import Refused
from calls.events import Actor
from calls.live.publish import changed
from calls.models import Department
from calls.services.configuration import save_row, set_many
from transfers.models import Manager, Trunk


@transaction.atomic
def set_departments(
    manager: Manager,
    chosen: Collection[Department],
    *,
    actor: Actor,
    within: Collection[int] | None = None,
) -> None:
    """Give a manager these departments. `within`: whoever does it knows only these, the others stay.

    Raises Refused if none would be left of those the person knows.
    """
    if not chosen:
        raise Refused(gettext("A manager belongs to at least one department."))
    before = set(manager.departments.all())
    kept = {d for d in before if within is not None and d.pk not in within}
    if set_many(manager, "departments", list(kept | set(chosen)), actor=actor):
        for department in before:  # those they leave look again as well
            changed("manager", str(manager.pk), manager.version, department_id=department.pk)


def roster_changed(manager: Manager) -> None:
    """After all of a manager's rows are written: count the version and tell the pages."""
    Manager.objects.filter(pk=manager.pk).update(version=F("version") + 1)
    manager.refresh_from_db(fields=("version",))
    for department_id in manager.departments.values_list("pk", flat=True):
        changed("manager", str(manager.pk), manager.version, department_id=department_id)


@transaction.atomic
def save_trunk(trunk: Trunk, *, actor: Actor) -> None:
    """Save a validated trunk; the new default takes the place of the old one."""
    if trunk.is_default:
        for other in Trunk.objects.filter(is_default=True).exclude(pk=trunk.pk):
            other.is_default = False
            save_row(other, actor=actor)
    save_row(trunk, actor=actor)


@transaction.atomic
def keep_stored_trunk(trunk_id: str, *, name: str, sip_number: str, actor: Actor) -> Trunk:
    """The trunk that LiveKit keeps under this id; the default if there is none yet.

    A row that has the id stays as somebody made it; one of that name gets the id: LiveKit's was made anew.
    """
    known = Trunk.objects.filter(trunk_id=trunk_id).first()
    if known:
        return known
    trunk = Trunk.objects.filter(name=name).first()
    if trunk is None:
        none_yet = not Trunk.objects.filter(is_default=True).exists()
        trunk = Trunk(name=name, sip_number=sip_number, is_default=none_yet)
    trunk.kind, trunk.trunk_id, trunk.auth_password = Trunk.Kind.STORED, trunk_id, ""
    trunk.full_clean()
    save_trunk(trunk, actor=actor)
    return trunk
