"""The managers' panel, made once for each state of its managers, by this process.

What it shows is decided by the versions of the managers (every change of one, of their shifts, ways to be reached
and attempts counts theirs up) and by the hour, which ends shifts and absences: it is made anew every few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from calls.compiled import RowsFor
from calls.kept import Kept
from calls.models import Department
from calls.timing import now
from transfers import people
from transfers.access import Lens

FRESH_SECONDS = 5


@dataclass(frozen=True)
class Panel:
    """`free` would be rung now; `on_shift` are here at all. Each counts once, in however many departments."""

    html: SafeString
    free: int
    on_shift: int


_kept: Kept[Panel] = Kept(200)


def panel(lens: Lens) -> Panel:
    """The managers that this lens shows."""
    key = (
        tuple(_versions(lens)),
        lens.sight.administer,
        lens.sight.presence,
        int(now().timestamp() / FRESH_SECONDS),
    )
    return _kept.get(key, lambda: _render(lens))


def _columns(lens: Lens) -> QuerySet[Department, tuple[Any, ...]]:
    shown = ("pk", "name", "managers__pk", "managers__version", "managers__active")
    return lens.departments().order_by("name", "pk", "managers__pk").values_list(*shown)


_versions = RowsFor(_columns)


def _render(lens: Lens) -> Panel:
    groups = people.groups(lens)
    html = get_template("transfers/_managers.html").render(
        {"groups": groups, "may_add": lens.sight.administer, "sets_presence": lens.sight.presence}
    )
    here = {person.manager.pk: person for group in groups for person in group.here}
    return Panel(mark_safe(html), sum(person.free for person in here.values()), len(here))
