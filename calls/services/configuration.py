"""What administrators and supervisors set up: every row of it is written here, each change with its event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Max, Model

from calls.events import Actor, EventBody, record
from calls.models import AgentProfile, Department

SECRET = frozenset({"password", "pin", "digest"})  # a hash of four digits is as good as the digits
NOISE = frozenset({"version", "last_login", "presence_since", "last_used_at", "failing_since"})


class SettingSaved(EventBody):
    """A row of the set-up was made or changed; the values are in the payload."""

    type = "setting.saved"
    what: str  # "transfers.manager"
    row_id: str
    created: bool = False
    fields: tuple[str, ...] = ()


class SettingDeleted(EventBody):
    type = "setting.deleted"
    what: str
    row_id: str


class ProfilePublished(EventBody):
    type = "profile.published"
    profile_id: int
    department_id: int | None
    version: int


@transaction.atomic
def save_row(row: Model, *, actor: Actor) -> None:
    """Save a validated row; a row that is as it was leaves no event."""
    created = row._state.adding
    before = {} if created else _values(type(row)._base_manager.select_for_update().get(pk=row.pk))
    row.save()
    after = _values(row)
    changed = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
    if created or changed:
        _saved(row, changed, actor=actor, created=created)


@transaction.atomic
def set_many(row: Model, field: str, chosen: Collection[Model], *, actor: Actor) -> bool:
    """Set a many-to-many field; whether that changed anything."""
    relation = getattr(row, field)
    before = {str(pk) for pk in relation.values_list("pk", flat=True)}
    after = {str(other.pk) for other in chosen}
    if before == after:
        return False
    relation.set(chosen)
    _saved(row, {field: [sorted(before), sorted(after)]}, actor=actor)
    return True


@transaction.atomic
def delete_row(row: Model, *, actor: Actor) -> None:
    """Raises ProtectedError where calls or transfers refer to it."""
    what, row_id, values = row._meta.label_lower, str(row.pk), _values(row)
    row.delete()
    record(SettingDeleted(what=what, row_id=row_id), actor=actor, payload={"values": values})


@transaction.atomic
def publish_profile(profile: AgentProfile, *, actor: Actor) -> AgentProfile:
    """Keep a validated profile as the department's next version; earlier versions stay as they are."""
    if profile.department_id:
        Department.objects.select_for_update().get(pk=profile.department_id)
    earlier = AgentProfile.objects.filter(department=profile.department_id)
    newest = earlier.aggregate(newest=Max("version"))["newest"] or 0
    profile.pk, profile.version = None, newest + 1
    profile._state.adding = True
    profile.save()
    record(
        ProfilePublished(profile_id=profile.pk, department_id=profile.department_id, version=profile.version),
        actor=actor,
        payload={"values": _values(profile)},
    )
    return profile


def secret_changed(row: Model, *, actor: Actor) -> None:
    """Somebody set a password: that is told, the password is not."""
    _saved(row, {"password": [None, None]}, actor=actor)


def _saved(row: Model, changed: dict[str, Any], *, actor: Actor, created: bool = False) -> None:
    body = SettingSaved(
        what=row._meta.label_lower, row_id=str(row.pk), created=created, fields=tuple(sorted(changed))
    )
    told = {name: change for name, change in changed.items() if name not in SECRET}
    record(body, actor=actor, payload={"changes": told} if told else None)


def _values(row: Model) -> dict[str, Any]:
    """The row's own fields, as JSON."""
    fields = [field for field in row._meta.concrete_fields if field.name not in NOISE]
    return {field.name: _plain(field.value_from_object(row)) for field in fields}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | list | dict) else str(value)
