"""Statements that are compiled once. Django takes longer to make their SQL than PostgreSQL to answer it, which
counts for what is asked for every page, every changed row and every webhook."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import BooleanField, Expression, Field, Func, Model, QuerySet
from django.db.models.sql import UpdateQuery

from calls.kept import Kept

M = TypeVar("M", bound=Model)
H = TypeVar("H", bound=Hashable)
S = TypeVar("S")


class Argument(Expression):
    """In a compiled query, the place of a value that is told each time: a text, number, id or time, or a list."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class OneOf(Func):
    """One of a list that PostgreSQL makes first: a mere subquery might still become a walk of the whole past."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class _Statement:
    """SQL with its arguments, made when it is first asked. Nothing of it may ever differ but its arguments."""

    def __init__(self, make: Callable[[], tuple[str, Sequence[Any]]]) -> None:
        self._make = make
        self._made: tuple[str, Sequence[Any]] | None = None

    @contextmanager
    def executed(self, **arguments: Any) -> Iterator[Any]:
        """A cursor; raises EmptyResultSet if there can be no rows, whatever the arguments."""
        sql, params = self._made = self._made or self._make()
        with connection.cursor() as cursor:
            cursor.execute(sql, [arguments[one.name] if isinstance(one, Argument) else one for one in params])
            yield cursor


class Rows:
    """Rows of a query, as `values_list` gives them."""

    def __init__(self, query: Callable[[], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self._statement = _Statement(lambda: query().query.sql_with_params())

    def __call__(self, **arguments: Any) -> list[tuple[Any, ...]]:
        try:
            with self._statement.executed(**arguments) as cursor:
                found: list[tuple[Any, ...]] = cursor.fetchall()
        except EmptyResultSet:  # who asks may see nothing
            return []
        return found


class Update:
    """Saves values in what a query finds; how many rows that were."""

    def __init__(self, query: Callable[[], QuerySet[Any]], **values: Any) -> None:
        def make() -> tuple[str, Sequence[Any]]:
            update: Any = query().order_by().query.chain(UpdateQuery)
            update.add_update_values(values)
            made: tuple[str, Sequence[Any]] = update.get_compiler(DEFAULT_DB_ALIAS).as_sql()
            return made

        self._statement = _Statement(make)

    def __call__(self, **arguments: Any) -> int:
        with self._statement.executed(**arguments) as cursor:
            return int(cursor.rowcount)


class Exists:
    """Whether a query finds anything, by its arguments."""

    def __init__(self, query: Callable[[], QuerySet[Any]]) -> None:
        self._rows = Rows(lambda: query().order_by().values_list("pk")[:1])

    def __call__(self, **arguments: Any) -> bool:
        return bool(self._rows(**arguments))


class Objects(Generic[M]):
    """Whole objects of one model, by the arguments of a query that neither joins nor annotates."""

    def __init__(self, model: type[M], query: Callable[[], QuerySet[M]]) -> None:
        self._model = model
        self._rows = Rows(lambda: query().values_list(*(one.attname for one in model._meta.concrete_fields)))

    def all(self, **arguments: Any) -> list[M]:
        names, converters = _columns(self._model)
        found = []
        for row in self._rows(**arguments):
            values = list(row)
            for at, convert in converters:
                values[at] = convert(values[at])
            found.append(self._model.from_db(DEFAULT_DB_ALIAS, names, values))
        return found

    def first(self, **arguments: Any) -> M | None:
        """Of a query that finds one at most, or is cut to one."""
        return next(iter(self.all(**arguments)), None)


class _For(Generic[H, S]):
    """Statements that differ by who asks: made once for each of those who asked last."""

    MOST = 200

    def __init__(self, make: Callable[[H], S]) -> None:
        self._make = make
        self._made: Kept[S] = Kept(self.MOST)

    def who(self, who: H) -> S:
        return self._made.get(who, lambda: self._make(who))


class RowsFor(Generic[H]):
    """Rows of a query that differs by who asks."""

    def __init__(self, query: Callable[[H], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self._for = _For[H, Rows](lambda who: Rows(partial(query, who)))

    def __call__(self, who: H, **arguments: Any) -> list[tuple[Any, ...]]:
        return self._for.who(who)(**arguments)


class ObjectsFor(Generic[H, M]):
    """Whole objects of a query that differs by who asks; as `Objects`."""

    def __init__(self, model: type[M], query: Callable[[H], QuerySet[M]]) -> None:
        self._for = _For[H, Objects[M]](lambda who: Objects(model, partial(query, who)))

    def all(self, who: H, **arguments: Any) -> list[M]:
        return self._for.who(who).all(**arguments)


@cache
def _columns(model: type[Model]) -> tuple[Sequence[str], Sequence[tuple[int, Callable[[Any], Any]]]]:
    """A model's fields, and how those are read that are not what the database gives."""
    fields = model._meta.concrete_fields
    converters = [
        (at, lambda value, convert=convert, field=field: convert(value, field, connection))
        for at, field in enumerate(fields)
        for convert in field.get_db_converters(connection)
    ]
    return [one.attname for one in fields], converters


def insert(row: Model) -> None:
    """As `save(force_insert=True)`, with SQL made once a model; raises IntegrityError, and sends no signals."""
    _insert(row, "")


def insert_once(row: Model) -> bool:
    """The same; False, and the transaction goes on, if what may be there only once is there already."""
    return _insert(row, " ON CONFLICT DO NOTHING")


def _insert(row: Model, otherwise: str) -> bool:
    sql, fields, key = _insertion(type(row))
    with connection.cursor() as cursor:
        values = [one.get_db_prep_save(one.pre_save(row, add=True), connection) for one in fields]
        cursor.execute(f"{sql}{otherwise} RETURNING {key}", values)
        made = cursor.fetchone()
    if made is None:
        return False
    row.pk = made[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


@cache
def _insertion(model: type[Model]) -> tuple[str, Sequence[Field[Any, Any]], str]:
    meta, quoted = model._meta, connection.ops.quote_name
    fields = [one for one in meta.local_concrete_fields if not one.generated and one is not meta.auto_field]
    columns, places = ", ".join(quoted(str(one.column)) for one in fields), ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quoted(meta.db_table)} ({columns}) VALUES ({places})"
    return sql, fields, quoted(str(meta.pk.column))
