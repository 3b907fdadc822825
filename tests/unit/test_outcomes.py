"""A failed dial's outcome: by the phone's own status first, then by what the server said."""

from __future__ import annotations

import pytest

from calls.telephony.gateway import OUTCOME_OF_STATUS, GatewayError, Permanent, Retryable, Uncertain, outcome_of
from transfers.states import Outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "busy"), (600, "busy"), (480, "no_answer"), (408, "no_answer"), (487, "no_answer"),
        (603, "declined"), (404, "invalid_number"), (484, "invalid_number"), (403, "trunk_error"),
        (407, "trunk_error"), (503, "trunk_error"), (500, "trunk_error"), (599, "trunk_error"),
        (420, "unreachable"), (499, "unreachable"),
    ],
)  # fmt: skip
def test_a_status_has_its_outcome(status: int, outcome: str) -> None:
    assert outcome_of(Permanent("x", sip_status=status)) == outcome


def test_the_phone_s_status_is_believed_before_the_server_s_code() -> None:
    assert outcome_of(Retryable("x", code="deadline_exceeded", sip_status=486)) == "busy"
    assert outcome_of(Uncertain("x", sip_status=603)) == "declined"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Retryable("x", code="canceled"), "no_answer"),
        (Retryable("x", code="deadline_exceeded"), "no_answer"),
        (Permanent("x", code="invalid_number"), "invalid_number"),
        (Permanent("x", code="not_found"), "trunk_error"),
        (Uncertain("broke off", code="timeout"), "lost"),
        (GatewayError("KeyError"), "trunk_error"),
    ],
)
def test_without_one_the_server_s_word_counts(error: GatewayError, outcome: str) -> None:
    assert outcome_of(error) == outcome


def test_every_outcome_is_one_of_an_attempt() -> None:
    assert set(OUTCOME_OF_STATUS.values()) <= set(Outcome.values)
