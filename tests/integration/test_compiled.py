"""A query that is compiled once gives what the query gives, for any ids."""

from __future__ import annotations

import pytest
from django.db.models import Value

from calls.compiled import Compiled
from calls.models import Call
from tests import rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_gives_the_rows_of_these_ids_and_asks_once_for_them(django_assert_num_queries) -> None:
    billing = rows.department("Billing")
    calls = [rows.call(billing, f"+1202555010{n}", seconds=n) for n in range(3)]

    def query():
        columns = ("pk", "department__name", "started_at", "ended_at", "version", "rehearsal")
        return (
            Call.objects.order_by("started_at").annotate(said=Value("%s of 100 %")).values_list(*columns, "said")
        )

    compiled = Compiled(query)
    for wanted in (calls[:1], calls[1:], calls):
        ids = [call.pk for call in wanted]
        with django_assert_num_queries(1):
            found = compiled.rows(ids)
        assert found == list(query().filter(pk__in=ids))
        assert {type(value) for value in found[0]} == {type(value) for value in query()[0]}
    with django_assert_num_queries(0):
        assert compiled.rows([]) == []
