"""Queries that are compiled once: of one that is asked for every page, Django takes longer to make the SQL than
PostgreSQL to answer it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, UUIDField, Value

PLACE = [UUID(int=0)]  # for the ids, in the SQL's parameters


class OneOf(Func):
    """One of a list that PostgreSQL makes first: a mere subquery might still become a walk of the whole past."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Compiled:
    """Rows of a query by their primary keys, as `values_list` gives them: nothing else of it may ever differ."""

    def __init__(self, query: Callable[[], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self._query = query
        self._made: tuple[str, list[Any]] | None = None

    def rows(self, ids: Collection[UUID]) -> list[tuple[Any, ...]]:
        if not ids:
            return []
        try:
            sql, params = self._made = self._made or self._compiled()
        except EmptyResultSet:  # who asks may see nothing
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(ids) if one == PLACE else one for one in params])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _compiled(self) -> tuple[str, list[Any]]:
        place = Value(PLACE, output_field=ArrayField(UUIDField()))
        sql, params = self._query().filter(OneOf(F("pk"), place)).query.sql_with_params()
        return sql, list(params)
