"""The three lifecycles: exactly the pairs of the design, and everything else refused."""

from __future__ import annotations

from itertools import product

import pytest

from calls.states import CALL_TRANSITIONS, STATE_OF, CallerWith, CallState
from transfers.states import (
    ATTEMPT_TRANSITIONS,
    LIVE_TRANSFER,
    MANAGER_STATE,
    OPEN_ATTEMPT,
    OPEN_TRANSFER,
    TRANSFER_TRANSITIONS,
    UNANSWERED,
    AttemptState,
    TransferState,
)

CALL = {"active": "escalated inactive", "escalated": "active inactive", "inactive": ""}
TRANSFER = {
    "requested": "queued rejected cancelled",
    "queued": "connecting failed cancelled",
    "connecting": "consulting queued failed cancelled completed",
    "consulting": "merging queued failed cancelled",
    "merging": "merged queued failed cancelled",
    "merged": "completed",
    "rejected": "",
    "completed": "",
    "failed": "",
    "cancelled": "",
}
ATTEMPT = {
    "reserved": "dialing failed",
    "dialing": "ringing summarizing failed",
    "ringing": "summarizing failed",
    "summarizing": "merged failed",
    "merged": "ended",
    "ended": "",
    "failed": "",
}


@pytest.mark.parametrize(
    ("table", "design"),
    [(CALL_TRANSITIONS, CALL), (TRANSFER_TRANSITIONS, TRANSFER), (ATTEMPT_TRANSITIONS, ATTEMPT)],
    ids=["call", "transfer", "attempt"],
)
def test_a_lifecycle_is_the_design_s(table: dict[str, frozenset[str]], design: dict[str, str]) -> None:
    assert {str(state): set(map(str, after)) for state, after in table.items()} == {
        state: set(after.split()) for state, after in design.items()
    }


def test_what_has_ended_goes_nowhere_and_what_is_open_can_end() -> None:
    for state in TransferState:
        assert (state in LIVE_TRANSFER) == bool(TRANSFER_TRANSITIONS[state])
    for attempt in AttemptState:
        assert (attempt in OPEN_ATTEMPT) == bool(ATTEMPT_TRANSITIONS[attempt])
    assert set(LIVE_TRANSFER) - set(OPEN_TRANSFER) == {TransferState.MERGED}
    assert set(UNANSWERED) < set(OPEN_ATTEMPT)


def test_every_open_transfer_can_be_cancelled() -> None:
    assert all(TransferState.CANCELLED in TRANSFER_TRANSITIONS[state] for state in OPEN_TRANSFER)


def test_every_caller_is_in_a_state_and_every_attempt_has_the_source_s_word() -> None:
    assert set(STATE_OF) == set(CallerWith)
    assert set(STATE_OF.values()) == {CallState.ACTIVE, CallState.ESCALATED}
    assert set(MANAGER_STATE) == set(AttemptState)


ILLEGAL = [(a, b) for a, b in product(TransferState, TransferState) if b not in TRANSFER_TRANSITIONS[a]]
BEHIND = [(a, b) for a, b in product(AttemptState, AttemptState) if b not in ATTEMPT_TRANSITIONS[a]]


def test_the_pairs_that_are_refused_are_counted() -> None:
    assert (len(ILLEGAL), len(BEHIND)) == (100 - 20, 49 - 10)
