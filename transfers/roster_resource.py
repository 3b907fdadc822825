"""Managers for django-import-export: who each line is about, and what it would change. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from import_export import resources
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.widgets import Widget

from calls.models import Department
from transfers import dialling, roster_file
from transfers.hours import Change
from transfers.models import DialRule, Endpoint, Manager, Shift, ShiftException, Trunk
from transfers.roster_file import Exceptional, File, Hours, Line, Way


class Cell(Widget):  # type: ignore[misc]  # the library has no types
    """A cell whose text is read and shown by these two; an empty cell that has a default is that."""

    def __init__(self, read: Callable[[str], Any], show: Callable[[Any], str] = str) -> None:
        super().__init__()
        self.read, self.show = read, show

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return self.read(str(value or ""))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return self.show(value)


@dataclass(frozen=True)
class CellChange:
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class LineChange:
    """What one line of the file does: `kind` is added, changed or same."""

    number: int
    kind: str
    line: Line
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True)
class Problem:
    """`column` is empty where the whole line is meant; `number` is 0 where the whole file is."""

    number: int
    column: str
    words: str


@dataclass(frozen=True)
class Preview:
    changes: tuple[LineChange, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, kind: str) -> list[LineChange]:
        return [change for change in self.changes if change.kind == kind]

    @property
    def added(self) -> list[LineChange]:
        return self.of("added")

    @property
    def changed(self) -> list[LineChange]:
        return self.of("changed")

    @property
    def same(self) -> list[LineChange]:
        return self.of("same")


class ManagerResource(resources.Resource):  # type: ignore[misc]
    """Of the managers and departments that a person knows. Its instances are `Line`s."""

    id = Field("id", "id", Cell(str))
    name = Field("name", "name", Cell(roster_file.name, roster_file.shown_name))
    departments = Field("departments", "departments")
    priority = Field("priority", "priority", Cell(roster_file.priority))
    active = Field("active", "active", Cell(roster_file.active, lambda on: "yes" if on else "no"))
    ways = Field("ways", "ways")
    shifts = Field("shifts", "shifts", Cell(roster_file.shifts, roster_file.shown_shifts))
    exceptions = Field("exceptions", "exceptions", Cell(roster_file.exceptions, roster_file.shown_exceptions))

    class Meta:
        using_db = "default"
        instance_loader_class = BaseInstanceLoader  # not asked: see `get_or_init_instance`
        use_transactions = False
        skip_unchanged = True
        skip_html_diff = True
        store_instance = True

    def __init__(self, managers: QuerySet[Manager], departments: QuerySet[Department]) -> None:
        super().__init__()
        known = {name.lower(): name for name in departments.values_list("name", flat=True)}
        lines = set(Trunk.objects.values_list("name", flat=True))
        self.rules = list(DialRule.objects.all())
        self.fields["departments"].widget = Cell(
            lambda text: roster_file.departments(text, known), roster_file.BETWEEN.join
        )
        self.fields["ways"].widget = Cell(
            lambda text: tuple(self._checked(way) for way in roster_file.ways(text, lines)), roster_file.shown_ways
        )
        self.known = [line_of(manager, set(known.values())) for manager in managers]
        self.by_id = {line.id: line for line in self.known}
        self.by_name: dict[str, list[Line]] = defaultdict(list)
        for line in self.known:
            self.by_name[line.name.lower()].append(line)
        self.seen: dict[str, int] = {}  # whom an earlier line was about
        self.numbers: list[int] = []
        self.reads: Callable[[int, int], None] = lambda nth, of: None  # is told of every line

    def _checked(self, way: Way) -> Way:
        """As the administration's form would have it. Raises ValueError."""
        endpoint = Endpoint(kind=way.kind, address=way.address, dtmf=way.dtmf, ring_time_s=way.ring_time_s)
        try:
            endpoint.clean_fields(exclude=("manager",))
            endpoint.clean_address()
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        why = dialling.refusal(endpoint.address, self.rules)
        if why:
            raise ValueError(
                gettext("%(address)s is not dialled: %(words)s.")
                % {"address": endpoint.address, "words": why.words}
            )
        return Way(way.kind, endpoint.address, endpoint.dtmf, way.ring_time_s, way.line)

    # ── what the library asks ────────────────────────────────────────────────────────────────────

    def before_import_row(self, row: Mapping[str, str], **kwargs: Any) -> None:
        """Each manager once. Raises ValidationError."""
        self.reads(kwargs["row_number"], len(self.numbers))
        number = self.numbers[kwargs["row_number"] - 1]
        line = self._found(row)
        key = line.id if line else f"new {row.get('name', '').lower()}"
        if key in self.seen:
            raise ValidationError(gettext("Line %(line)s is about the same manager.") % {"line": self.seen[key]})
        self.seen[key] = number

    def get_or_init_instance(self, instance_loader: Any, row: Mapping[str, str]) -> tuple[Line, bool]:
        known = self._found(row)
        if known:
            return copy(known), False
        missing = [name for name in ("name", "departments") if name not in row]
        if missing:
            raise ValidationError({missing[0]: gettext("A new manager needs this column.")})
        return Line(), True

    def import_field(self, field: Field, instance: Line, row: Mapping[str, str], **kwargs: Any) -> None:
        """A column that the file does not have stays as it is; so does an empty cell of what cannot be empty."""
        optional = field.attribute in ("priority", "active") and not row.get(field.column_name)
        if field.attribute != "id" and field.column_name in row and not optional:
            field.save(instance, row)

    def save_instance(self, instance: Line, is_create: bool, row: Any, **kwargs: Any) -> None:
        """`transfers.roster_import` does, all of them at once."""

    def _found(self, row: Mapping[str, str]) -> Line | None:
        """Whom the row is about: by id, else by name; None for somebody new. Raises ValidationError."""
        id, name = row.get("id", ""), row.get("name", "")
        if id:
            if id not in self.by_id:
                raise ValidationError(
                    {"id": gettext("No manager of your departments has this id. Empty: somebody new.")}
                )
            return self.by_id[id]
        if not name:
            raise ValidationError({"name": gettext("Neither name nor id: nobody knows whom this line is about.")})
        same = self.by_name.get(name.lower().removeprefix("'"), [])
        if len(same) > 1:
            raise ValidationError(
                {"name": gettext("Several managers have this name. Give the id, which an export has.")}
            )
        return same[0] if same else None

    # ── what comes of it ─────────────────────────────────────────────────────────────────────────

    def look(self, file: File) -> Preview:
        """What the file would change, or what is wrong with it."""
        self.numbers, self.seen = file.numbers, {}
        data = tablib.Dataset(*(tuple(row.values()) for row in file.rows), headers=list(file.columns))
        result = self.import_data(data)
        problems = [
            Problem(file.numbers[bad.number - 1], "" if column == "__all__" else column, " ".join(words))
            for bad in result.invalid_rows
            for column, words in bad.error_dict.items()
        ]
        for error in (*result.base_errors, *(one for _, errors in result.row_errors() for one in errors)):
            raise error.error  # ours: nothing that a file says may end like this
        if problems:
            return Preview(problems=tuple(problems))
        return Preview(
            changes=tuple(self._change(n, one) for n, one in zip(file.numbers, result.rows, strict=True))
        )

    def _change(self, number: int, row: Any) -> LineChange:
        line: Line = row.instance
        before = self.by_id.get(line.id, Line())
        fields = [field for field in self.get_import_fields() if field.attribute != "id"]
        cells = (CellChange(f.column_name, f.export(before) if line.id else "", f.export(line)) for f in fields)
        changed = tuple(cell for cell in cells if cell.before != cell.after)
        kind = ("changed" if changed else "same") if line.id else "added"
        return LineChange(number, kind, line, changed)


def line_of(manager: Manager, departments: set[str]) -> Line:
    """`departments`: those that the reader knows. Prefetch what PREFETCHED names."""
    ways = sorted(manager.endpoints.all(), key=lambda one: (one.position, one.pk))
    return Line(
        id=str(manager.pk),
        name=manager.name,
        departments=tuple(sorted(d.name for d in manager.departments.all() if d.name in departments)),
        priority=manager.priority,
        active=manager.active,
        ways=tuple(Way(e.kind, e.address, e.dtmf, e.ring_time_s, e.trunk.name if e.trunk else "") for e in ways),
        shifts=tuple(sorted(map(weekly, manager.shifts.all()))),
        exceptions=tuple(exceptional(one) for one in manager.exceptions.all()),
    )


def weekly(row: Shift) -> Hours:
    return Hours(row.weekday, row.starts, row.ends, row.time_zone)


def exceptional(row: ShiftException) -> Exceptional:
    return Exceptional(row.day, Change(row.kind), row.starts, row.ends, row.time_zone, row.note)


PREFETCHED = ("departments", "endpoints__trunk", "shifts", "exceptions")


def exported(resource: ManagerResource, lines: Iterable[Line]) -> str:
    """As CSV, which `look` reads again without a change."""
    text: str = resource.export(list(lines)).export("csv")
    return text
