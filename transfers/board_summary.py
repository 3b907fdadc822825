"""What time changes too on a wallboard: the figures, the calls that need somebody, the managers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string

from transfers import callback_list
from transfers.access import Lens
from transfers.board import Need, needs
from transfers.figures import figures
from transfers.live_calls import LiveCall, live_calls
from transfers.people_html import panel
from transfers.watched import watched


def html(lens: Lens) -> str:
    return render_to_string("transfers/summary.html", context(lens, live_calls(lens), needs(lens)))


def context(lens: Lens, calls: Sequence[LiveCall], waiting: Sequence[Need]) -> dict[str, Any]:
    """For the templates of its parts, from the live calls and the requests that this lens sees."""
    managers = panel(lens)
    return {
        "managers": managers.html,
        "figures": figures(lens, calls, managers, waiting=len(waiting)),
        "watched": watched(lens, calls),
        "overdue": callback_list.overdue(lens) if lens.sight.call_back else (),
    }
