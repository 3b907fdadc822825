"""Finding a call by its caller's digits, its department or its last words: for the palette of every page."""

from __future__ import annotations

from collections.abc import Sequence

from calls.display import caller_name
from calls.models import Call
from calls.services.calls import number_hmac
from calls.states import CallState
from transfers.access import Lens
from transfers.board import Strip, strips
from transfers.board_filter import BoardFilter
from transfers.live_calls import live_calls
from transfers.strip_html import strip_htmls

MOST_LIVE, MOST_ENDED = 8, 4
LAST_FOUR = 4


def live(lens: Lens, words: str) -> Sequence[Strip]:
    """As the wallboard finds them. None without a word to look for."""
    if not words.strip():
        return ()
    wanted = BoardFilter(words=words)
    ids = [row.id for row in strip_htmls(lens, live_calls(lens)) if wanted.admits(row, ())][:MOST_LIVE]
    return strips(lens, call_ids=ids) if ids else ()


def ended(lens: Lens, words: str) -> Sequence[tuple[Call, str]]:
    """The newest of a caller, by the last four digits or the whole number, and how they are called."""
    digits = "".join(letter for letter in words if letter.isdigit())
    if len(digits) < LAST_FOUR or any(letter.isalpha() for letter in words):
        return ()
    found = lens.calls().filter(state=CallState.INACTIVE).select_related("department")
    if len(digits) == LAST_FOUR:
        found = found.filter(caller_last4=digits)
    else:
        found = found.filter(caller_number_hmac=number_hmac(f"+{digits}"))
    newest = found.order_by("-started_at", "-id")[:MOST_ENDED]
    return [(call, caller_name(call, lens.sight)) for call in newest]
