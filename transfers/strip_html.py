"""A strip's HTML, made once for each version of its call and each sight, by this process.

What a strip shows is decided by its version (`board.shown_version`) and the sight; its clocks tick in the browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.template.loader import get_template
from django.utils.translation import gettext

from calls.access import Sight
from calls.kept import Kept
from transfers.access import Lens
from transfers.board import Strip, strips
from transfers.live_calls import LiveCall


@dataclass(frozen=True)
class StripHtml:
    """A strip as sent, and what it can be found and sorted by: the same as its `data-` attributes say."""

    id: UUID
    version: int
    sort: str
    since: str
    started: str
    department: str
    state: str
    held: bool
    text: str
    html: str

    @property
    def hidden(self) -> str:
        """The same, filtered out: there, but not shown, until the filter is loosened."""
        return self.html.replace("<a ", "<a hidden ", 1)


Key = tuple[UUID, int, bool, bool]

MOST = 600
_kept: Kept[StripHtml] = Kept(5000)  # about 4 MB


def _key(call_id: UUID, version: int, sight: Sight) -> Key:
    return (call_id, version, sight.full_number, sight.transcript)


def strip_htmls(lens: Lens, calls: Sequence[LiveCall]) -> Sequence[StripHtml]:
    """These calls, in the wallboard's order; only what has changed is read and rendered."""
    keys = [_key(call.id, call.version, lens.sight) for call in calls[:MOST]]
    found = {key: row for key in keys if (row := _kept.find(key))}
    missing = [key[0] for key in keys if key not in found]
    rows = list(found.values())
    if missing:
        rows += [_html(strip, lens.sight) for strip in strips(lens, call_ids=missing)]
    return sorted(rows, key=lambda row: row.sort)


def changed_htmls(lens: Lens, call_ids: Iterable[UUID]) -> Sequence[StripHtml]:
    """Of live calls that have changed: to ask first which are kept would be one more query for each."""
    return [_html(strip, lens.sight) for strip in strips(lens, call_ids=call_ids)]


def _html(strip: Strip, sight: Sight) -> StripHtml:
    return _kept.get(_key(strip.id, strip.version, sight), lambda: _render(strip))


def _render(strip: Strip) -> StripHtml:
    html = get_template("transfers/_strip.html").render({"strip": strip})
    return StripHtml(
        strip.id,
        strip.version,
        strip.sort,
        strip.since,
        strip.started,
        strip.department_key,
        strip.display.role,
        strip.held_since is not None,
        _text(strip),
        html,
    )


def _text(strip: Strip) -> str:
    """What a search looks at: the caller, the department and the words as they are shown."""
    kind = f" · {gettext('rehearsal')}" if strip.rehearsal else ""
    return f"{strip.caller} {strip.department}{kind} {strip.words}".lower()
