"""The wallboard's address: what it means, and that nonsense in it means nothing."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from transfers.board_filter import SORTS, BoardFilter, parse
from transfers.strip_html import StripHtml

CLAIMS = StripHtml(
    id=UUID(int=1),
    version=1,
    sort="5-2",
    since="2",
    started="1",
    department="7",
    state="ai",
    held=False,
    text="…0935 claims my policy",
    html='<a class="strip">words</a>',
)
HELD = StripHtml(UUID(int=2), 1, "0-1", "1", "2", "0", "brief", True, "…4417 unassigned charged twice", "<a>x</a>")


@pytest.mark.parametrize(
    ("query", "admitted"),
    [
        ({}, [CLAIMS, HELD]),
        ({"q": "0935"}, [CLAIMS]),
        ({"q": " POLICY  clai "}, [CLAIMS]),
        ({"q": "policy twice"}, []),
        ({"department": "7"}, [CLAIMS]),
        ({"department": "0"}, [HELD]),
        ({"state": "hold"}, [HELD]),  # while their manager is briefed
        ({"state": "brief"}, [HELD]),
        ({"state": "hold", "department": "7"}, []),
        ({"needs": "1"}, [HELD]),
        ({"state": "rung", "department": "x", "needs": "yes", "sort": "up"}, [CLAIMS, HELD]),
    ],
)
def test_an_address_admits(query: dict[str, str], admitted: list[StripHtml]) -> None:
    wanted = parse(query)
    assert [row for row in (CLAIMS, HELD) if wanted.admits(row, {HELD.id, uuid4()})] == admitted


@pytest.mark.parametrize(("sort", "first"), [("", HELD), ("longest", HELD), ("oldest", CLAIMS), ("newest", HELD)])
def test_an_address_sorts(sort: str, first: StripHtml) -> None:
    assert BoardFilter(sort=sort).sorted([CLAIMS, HELD])[0] is first
    assert sort in SORTS


def test_only_a_narrowing_counts_as_a_filter() -> None:
    assert not parse({"sort": "newest", "q": "  "}).any
    assert parse({"q": "x"}).any


def test_a_row_that_does_not_fit_is_sent_hidden() -> None:
    assert CLAIMS.hidden == '<a hidden class="strip">words</a>'
