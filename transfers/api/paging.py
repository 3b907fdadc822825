"""Pages of rows, newest first: the last row's id is the cursor of the next page."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from ninja import Query

from transfers.api.problems import Problem

M = TypeVar("M", bound=Model)

Limit = Annotated[int, Query(50, ge=1, le=200, description="Rows a page.")]
Before = Annotated[UUID | None, Query(None, description="The `next` of the page before.")]


def page(
    rows: QuerySet[M], *, seen: QuerySet[M], newest: str, before: UUID | None, limit: int
) -> tuple[list[M], UUID | None]:
    """One page of `rows` in the order of the time `newest`, and the next page's cursor, None at the end.

    `seen` are all rows that the key sees: the cursor's own row may not be among the filtered ones any more.
    """
    if before is not None:
        at = seen.filter(pk=before).values_list(newest, flat=True).first()
        if at is None:
            raise Problem(422, "no-such-page", "There is no row with the id in `before`. Begin again without it.")
        # The first condition says no more than the second, but an index can begin there.
        rows = rows.filter(**{f"{newest}__lte": at}).filter(Q(**{f"{newest}__lt": at}) | Q(pk__lt=before))
    found = list(rows.order_by(f"-{newest}", "-pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
