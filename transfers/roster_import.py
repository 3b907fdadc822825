"""Writes what a file of managers changes: all of it or nothing, each change with its event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from calls.events import Actor
from calls.live.publish import changed
from calls.models import Department
from calls.services.configuration import delete_rows, save_rows, set_many_of
from transfers.models import Endpoint, Manager, Shift, ShiftException, Trunk
from transfers.roster_file import Line, Way
from transfers.roster_resource import exceptional, weekly

PARTS = (
    gettext_noop("managers"),
    gettext_noop("departments"),
    gettext_noop("ways"),
    gettext_noop("shifts"),
    gettext_noop("exceptions"),
)

Pair = tuple[Manager, Line]


@transaction.atomic
def apply(
    lines: Sequence[Line],
    *,
    actor: Actor,
    within: Collection[int] | None,
    writes: Callable[[str], None] = lambda what: None,
) -> None:
    """`lines` are checked, and of managers whom the person knows (`transfers.roster_resource`).

    `within`: whoever does it knows only these departments; a manager's others stay. `writes` is told which
    of `PARTS` is written next.
    """
    known = {str(one.pk): one for one in Manager.objects.filter(pk__in=[line.id for line in lines if line.id])}
    pairs = [(known.get(line.id) or Manager(), line) for line in lines]
    for manager, line in pairs:
        manager.name, manager.priority, manager.active = line.name, line.priority, line.active
    writes("managers")
    save_rows([manager for manager, _ in pairs], actor=actor)
    before = _departments_of(pairs)
    writes("departments")
    _departments(pairs, before, within, actor)
    writes("ways")
    _ways(pairs, actor)
    writes("shifts")
    _shifts(pairs, actor)
    writes("exceptions")
    _exceptions(pairs, actor)
    _tell(pairs, before)


def _departments_of(pairs: Iterable[Pair]) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {manager.pk: set() for manager, _ in pairs}
    links = Manager.departments.through.objects.filter(manager_id__in=list(found))
    for manager_id, department_id in links.values_list("manager_id", "department_id"):
        found[manager_id].add(department_id)
    return found


def _departments(
    pairs: Iterable[Pair], before: dict[Any, set[int]], within: Collection[int] | None, actor: Actor
) -> None:
    ids = dict(Department.objects.values_list("name", "pk"))
    chosen = []
    for manager, line in pairs:
        kept = {pk for pk in before[manager.pk] if within is not None and pk not in within}
        chosen.append((manager, kept | {ids[name] for name in line.departments}))
    set_many_of("departments", chosen, actor=actor)


def _ways(pairs: Iterable[Pair], actor: Actor) -> None:
    """A way that is still there keeps its row, which attempts refer to, and its headers."""
    old = _by_manager(Endpoint.objects.order_by("position", "pk"), pairs)
    lines = dict(Trunk.objects.values_list("name", "pk"))
    kept: list[Endpoint] = []
    for manager, line in pairs:
        for position, way in enumerate(line.ways, start=1):
            row = _taken(old[manager.pk], way) or Endpoint(manager=manager, kind=way.kind, address=way.address)
            row.position, row.dtmf, row.ring_time_s = position, way.dtmf, way.ring_time_s
            row.trunk_id = lines[way.line] if way.line else None
            kept.append(row)
    delete_rows([row for rows in old.values() for row in rows], actor=actor)
    save_rows(kept, actor=actor)


def _taken(rows: list[Endpoint], way: Way) -> Endpoint | None:
    """Out of `rows`: the first that reaches the same address."""
    found = next((row for row in rows if (row.kind, row.address) == (way.kind, way.address)), None)
    if found:
        rows.remove(found)
    return found


def _shifts(pairs: Iterable[Pair], actor: Actor) -> None:
    _exchange(
        Shift.objects.order_by("pk"),
        pairs,
        wanted=lambda line: sorted(set(line.shifts)),
        plain=weekly,
        made=lambda manager, h: Shift(
            manager=manager, weekday=h.weekday, starts=h.starts, ends=h.ends, time_zone=h.time_zone
        ),
        actor=actor,
    )


def _exceptions(pairs: Iterable[Pair], actor: Actor) -> None:
    _exchange(
        ShiftException.objects.order_by("pk"),
        pairs,
        wanted=lambda line: list(line.exceptions),
        plain=exceptional,
        made=lambda manager, one: ShiftException(manager=manager, **asdict(one)),
        actor=actor,
    )


def _exchange(
    rows: Any,
    pairs: Iterable[Pair],
    *,
    wanted: Callable[[Line], list[Any]],
    plain: Callable[[Any], Any],
    made: Callable[[Manager, Any], Any],
    actor: Actor,
) -> None:
    """Rows that are wanted stay, others go, missing ones come; `plain` is a row as a line has it."""
    old = _by_manager(rows, pairs)
    gone: list[Any] = []
    fresh: list[Any] = []
    for manager, line in pairs:
        missing = wanted(line)
        for row in old[manager.pk]:
            one = plain(row)
            if one in missing:
                missing.remove(one)
            else:
                gone.append(row)
        fresh += [made(manager, one) for one in missing]
    delete_rows(gone, actor=actor)
    save_rows(fresh, actor=actor)


def _by_manager(rows: Any, pairs: Iterable[Pair]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {manager.pk: [] for manager, _ in pairs}
    for row in rows.filter(manager_id__in=list(found)):
        found[row.manager_id].append(row)
    return found


def _tell(pairs: Sequence[Pair], before: dict[Any, set[int]]) -> None:
    """The pages of the departments that they are in, and of those that they left."""
    after = _departments_of(pairs)
    Manager.objects.filter(pk__in=list(after)).update(version=F("version") + 1)
    versions = dict(Manager.objects.filter(pk__in=list(after)).values_list("pk", "version"))
    for pk, version in versions.items():
        for department_id in before[pk] | after[pk]:
            changed("manager", str(pk), version, department_id=department_id)
