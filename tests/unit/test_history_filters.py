"""The history's filters: into an address and back, without a number in it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from calls.services.calls import number_hmac
from transfers.history_filters import Filters, filters_of

ALL = Filters(
    department=3,
    result="connected",
    manager=UUID("0190c3c8-0000-7000-8000-000000000001"),
    since=date(2026, 2, 28),
    until=date(2026, 3, 1),
    caller=number_hmac("+12025550144"),
    words='"late fee" -invoice',
    supervisor=7,
    kind="callback",
    outcome="busy",
    sip=486,
    failed="ring",
    longer=0,
    shorter=90,
    rehearsals=True,
)


@pytest.mark.parametrize("filters", [ALL, Filters(), Filters(caller="0144"), Filters(longer=0)])
def test_an_address_is_read_as_what_it_was_made_of(filters: Filters) -> None:
    assert filters_of(filters.address()) == filters


@pytest.mark.parametrize("typed", ["+12025550144", "+1 (202) 555-0144", "12025550144"])
def test_a_whole_number_is_no_part_of_an_address(typed: str) -> None:
    found = filters_of({"caller": typed})
    assert found == Filters(caller=number_hmac("+12025550144"))
    assert "5550144" not in found.address()["caller"]


def test_what_does_not_parse_is_no_filter() -> None:
    nonsense = dict.fromkeys(ALL.address(), "’; DROP") | {"words": " ", "caller": "nobody"}
    assert filters_of(nonsense) == Filters()
    assert filters_of({"until": "9999-12-31", "sip": "4860", "department": "9" * 30}) == Filters()
