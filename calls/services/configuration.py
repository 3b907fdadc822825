"""What administrators and supervisors set up: every row of it is written here, each change with its event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Model

from calls.events import Actor, EventBody, record, record_many
from calls.models import AgentProfile, Department

# A hash of four digits is as good as the digits; what is encrypted is read by whoever gets the key.
SECRET = frozenset({"password", "pin", "digest", "auth_password"})
NOISE = frozenset({"version", "last_login", "presence_since", "last_used_at", "failing_since"})
BATCH = 500


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
    changed = _difference(before, _values(row))
    if created or changed:
        _saved(row, changed, actor=actor, created=created)


@transaction.atomic
def save_rows(rows: Sequence[Model], *, actor: Actor) -> None:
    """Save validated rows of one model as `save_row` would each, by few statements."""
    if not rows:
        return
    table = type(rows[0])._base_manager
    known = table.select_for_update().in_bulk([row.pk for row in rows if not row._state.adding])
    fresh = [row for row in rows if row._state.adding]
    table.bulk_create(fresh, batch_size=BATCH)
    told = [_told(row, _difference({}, _values(row)), created=True) for row in fresh]
    changes = [(row, _difference(_values(known[row.pk]), _values(row))) for row in rows if row.pk in known]
    changed = [row for row, difference in changes if difference]
    if changed:
        names = {name for _, difference in changes for name in difference}
        table.bulk_update(changed, sorted(names), batch_size=BATCH)
    record_many(told + [_told(row, difference) for row, difference in changes if difference], actor=actor)


@transaction.atomic
def set_many_of(field: str, chosen: Sequence[tuple[Model, Collection[Any]]], *, actor: Actor) -> None:
    """Set a many-to-many field of rows of one model to these primary keys, as `set_many` would each."""
    if not chosen:
        return
    meta: Any = type(chosen[0][0])._meta.get_field(field)
    through, here, there = meta.remote_field.through, meta.m2m_column_name(), meta.m2m_reverse_name()
    before: dict[Any, set[Any]] = {row.pk: set() for row, _ in chosen}
    for owner, other in through._base_manager.filter(**{f"{here}__in": list(before)}).values_list(here, there):
        before[owner].add(other)
    links, told = [], []
    for row, wanted in chosen:
        had, has = before[row.pk], set(wanted)
        if had != has:
            if had - has:
                through._base_manager.filter(**{here: row.pk, f"{there}__in": had - has}).delete()
            links += [through(**{here: row.pk, there: other}) for other in has - had]
            told.append(_told(row, {field: [sorted(map(str, had)), sorted(map(str, has))]}))
    through._base_manager.bulk_create(links, batch_size=BATCH)
    record_many(told, actor=actor)


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
    record(SettingDeleted(what=what, row_id=row_id), actor=actor, payload={"values": _told_values(values)})


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


@transaction.atomic
def delete_rows(rows: Sequence[Model], *, actor: Actor) -> None:
    """Delete rows of one model as `delete_row` would each. Raises ProtectedError."""
    if not rows:
        return
    told = [
        (SettingDeleted(what=row._meta.label_lower, row_id=str(row.pk)), {"values": _told_values(_values(row))})
        for row in rows
    ]
    type(rows[0])._base_manager.filter(pk__in=[row.pk for row in rows]).delete()
    record_many(told, actor=actor)


def secret_changed(row: Model, *, actor: Actor) -> None:
    """Somebody set a password: that is told, the password is not."""
    _saved(row, {"password": [None, None]}, actor=actor)


def _saved(row: Model, changed: dict[str, Any], *, actor: Actor, created: bool = False) -> None:
    body, payload = _told(row, changed, created=created)
    record(body, actor=actor, payload=payload)


def _told(
    row: Model, changed: dict[str, Any], *, created: bool = False
) -> tuple[EventBody, dict[str, Any] | None]:
    """The event of a saved row, and its payload: each field's value before and after, but for secrets."""
    body = SettingSaved(
        what=row._meta.label_lower, row_id=str(row.pk), created=created, fields=tuple(sorted(changed))
    )
    told = _told_values(changed)
    return body, {"changes": told} if told else None


def _told_values(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in SECRET}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}


def _values(row: Model) -> dict[str, Any]:
    """The row's own fields, as JSON."""
    fields = [field for field in row._meta.concrete_fields if field.name not in NOISE]
    return {field.name: _plain(field.value_from_object(row)) for field in fields}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | list | dict) else str(value)
