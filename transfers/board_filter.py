"""Which live calls a wallboard lists, and in what order: read from its address, so that a view can be shared.

What a row is (its department, its state, its times) the row says itself, in `data-` attributes; the rule here and
the one in static/js/board.js only compare. What needs somebody is never filtered away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from transfers.strip_html import StripHtml

MOST_LETTERS = 100
HELD = "hold"  # whoever is on hold, also while a manager is briefed: as the figure counts
STATES = {  # by colour role
    "approval": gettext_lazy("Needs approval"),
    "hold": gettext_lazy("On hold"),
    "brief": gettext_lazy("Being briefed"),
    "failed": gettext_lazy("Back with AI"),
    "ai": gettext_lazy("With AI"),
    "merged": gettext_lazy("With a person"),
}


@dataclass(frozen=True)
class Sort:
    """`by` is the row's attribute that is compared."""

    label: Promise
    by: str = "sort"
    down: bool = False


SORTS = {
    "": Sort(gettext_lazy("What needs attention")),
    "longest": Sort(gettext_lazy("Longest in its state"), "since"),
    "oldest": Sort(gettext_lazy("Oldest call"), "started"),
    "newest": Sort(gettext_lazy("Newest call"), "started", down=True),
}


@dataclass(frozen=True)
class BoardFilter:
    words: str = ""
    department: str = ""  # a primary key; 0: unassigned
    state: str = ""
    needs: bool = False
    sort: str = ""

    @property
    def any(self) -> bool:
        return bool(self.words.strip() or self.department or self.state or self.needs)

    @property
    def order(self) -> Sort:
        return SORTS[self.sort]

    def admits(self, row: StripHtml, needing: Collection[UUID]) -> bool:
        """Every word is in what the row shows, and the rest is as chosen."""
        return (
            all(word in row.text for word in self.words.lower().split())
            and self.department in ("", row.department)
            and (self.state in ("", row.state) or (self.state == HELD and row.held))
            and (not self.needs or row.id in needing)
        )

    def sorted(self, rows: Sequence[StripHtml]) -> Sequence[StripHtml]:
        return sorted(rows, key=lambda row: getattr(row, self.order.by), reverse=self.order.down)


def parse(query: Mapping[str, str]) -> BoardFilter:
    """Anything unknown is left out: an address from elsewhere still shows the board."""
    state, sort = query.get("state", ""), query.get("sort", "")
    department = query.get("department", "")
    return BoardFilter(
        words=query.get("q", "")[:MOST_LETTERS],
        department=department if department.isdigit() else "",
        state=state if state in STATES else "",
        needs=query.get("needs") == "1",
        sort=sort if sort in SORTS else "",
    )
