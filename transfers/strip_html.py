"""A strip's HTML, made once for each version of its call and each sight, by this process.

What a strip shows is decided by its version (`board.shown_version`) and the sight; its clocks tick in the browser.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.template.loader import get_template

from calls.access import Sight
from calls.states import CallState
from transfers.access import Lens
from transfers.board import MOST_STRIPS, Strip, strips, with_versions

KEPT = 5000  # strips; about 4 MB


@dataclass(frozen=True)
class StripHtml:
    id: UUID
    version: int
    sort: str
    html: str


Key = tuple[UUID, int, bool, bool]

_kept: OrderedDict[Key, StripHtml] = OrderedDict()
_lock = threading.Lock()


def _key(call_id: UUID, version: int, sight: Sight) -> Key:
    return (call_id, version, sight.full_number, sight.transcript)


def strip_htmls(lens: Lens, *, call_ids: Iterable[UUID] | None = None) -> Sequence[StripHtml]:
    """The live calls that this lens sees, in the wallboard's order; only what has changed is read and rendered."""
    if call_ids is not None:  # these have changed: to ask first which are kept would be one more query for each
        return [_kept_or_rendered(strip, lens.sight) for strip in strips(lens, call_ids=call_ids)]
    calls = lens.calls().exclude(state=CallState.INACTIVE).order_by()
    versions = with_versions(calls).values_list("pk", "version", "transfer_versions", "last_id")
    keys = [_key(pk, sum(parts), lens.sight) for pk, *parts in versions[:MOST_STRIPS]]
    with _lock:
        found = {key: _kept[key] for key in keys if key in _kept}
    missing = [key[0] for key in keys if key not in found]
    rows = list(found.values())
    if missing:
        rows += [_render(strip, lens.sight) for strip in strips(lens, call_ids=missing)]
    return sorted(rows, key=lambda row: row.sort)


def _kept_or_rendered(strip: Strip, sight: Sight) -> StripHtml:
    with _lock:
        found = _kept.get(_key(strip.id, strip.version, sight))
    return found or _render(strip, sight)


def _render(strip: Strip, sight: Sight) -> StripHtml:
    html = get_template("transfers/_strip.html").render({"strip": strip})
    row = StripHtml(strip.id, strip.version, strip.sort, html)
    with _lock:
        _kept[_key(strip.id, strip.version, sight)] = row
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return row
