"""What callers and managers are told, and the page's sentence of what happens next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from calls.agents.protocol import DecisionKind
from calls.states import CallState
from tests.unit.test_decide import APPROVE, AUTO_AFTER, DANA, ENDED, FAILED_ATTEMPT, T, ago, facts
from transfers.models import Policy
from transfers.roster import Candidate
from transfers.states import AttemptState, EndReason, Outcome, TransferState
from transfers.words import OFFER_CALLBACK, for_caller, for_manager, sentence

OMAR = Candidate(DANA.manager_id, "Omar", 2, 20, 2)
BACK = "then back to the AI, which offers a callback"


@pytest.mark.parametrize(
    ("state", "given", "words"),
    [
        (T.REQUESTED, {"policy": APPROVE}, "Waits 50 s for a supervisor; then the caller stays with the AI"),
        (T.REQUESTED, {"policy": APPROVE | {"at_limit": Policy.AtLimit.DIAL}}, "; then dials by itself."),
        (T.REQUESTED, {"policy": AUTO_AFTER}, "Waits 5 s for a supervisor; then dials by itself."),
        (T.REQUESTED, {}, f"Rings Dana for 25 s, {BACK}."),
        (T.QUEUED, {"candidates": (DANA, OMAR)}, f"Rings Dana for 25 s, then Omar, {BACK}."),
        (T.QUEUED, {"candidates": ()}, "Nobody is free: the caller stays with the AI, which says so."),
        (
            T.QUEUED,
            {"candidates": (DANA, OMAR, OMAR), "policy": {"max_attempts": 2}},
            f"Rings Dana for 25 s, then Omar, {BACK}.",
        ),
        (
            T.CONNECTING,
            {"attempt": {"dialed_at": ago(5)}, "candidates": (OMAR,)},
            f"Rings Dana for 20 s more, then Omar, {BACK}.",
        ),
        (T.CONNECTING, {"attempt": {"dialed_at": ago(99)}, "candidates": ()}, f"Rings Dana for 0 s more, {BACK}."),
        (
            T.CONNECTING,
            {"candidates": (OMAR,), "policy": {"max_attempts": 1}},
            BACK,
        ),
        (T.CONSULTING, {"candidates": ()}, "decides; if not, back to the AI, which offers a callback."),
        (T.CONSULTING, {"decision": DecisionKind.ACCEPT}, "Dana accepted and is being joined to the caller."),
        (T.MERGING, {}, "Dana and the caller are being joined."),
        (T.MERGED, {}, "if the manager hangs up, the AI asks the caller whether there is anything else."),
        (T.MERGED, {"policy": {"after_hang_up": "end"}}, "hangs up; then the call ends."),
        (T.MERGED, {"transfer": {"parked_at": ago(5)}}, "on hold with music"),
        (T.COMPLETED, {}, "The transfer is complete."),
        (T.FAILED, {}, "The caller is with the AI."),
        (T.CANCELLED, ENDED, "The call has ended."),
    ],
)
def test_the_page_says_in_one_sentence_what_happens_next(
    state: TransferState, given: dict[str, Any], words: str
) -> None:
    said = sentence(facts(state, **given))
    assert words in said
    assert said.endswith(".")
    assert said.count(".") == 1


@pytest.mark.parametrize(
    ("reason", "given", "words"),
    [
        (EndReason.NO_MANAGER, {}, "none of my colleagues is free"),
        (EndReason.NO_MANAGER, {"attempt": FAILED_ATTEMPT}, "nobody answered"),
        (EndReason.NO_MANAGER, {"attempt": FAILED_ATTEMPT | {"outcome": Outcome.BUSY}}, "is busy"),
        (EndReason.OUTSIDE_HOURS, {}, "not in at this time"),
        (EndReason.DECLINED, {"attempt": FAILED_ATTEMPT}, "cannot take your call right now."),
        (EndReason.NOT_APPROVED, {}, "cannot put you through right now."),
        (EndReason.NOT_APPROVED, {"transfer": {"decline_reason": "Ask first. "}}, "right now: Ask first."),
        (EndReason.CALLER_RETURNED, {}, "You are back with me."),
        (EndReason.SUPERVISOR_CANCELLED, {}, "You are back with me."),
        (EndReason.ERROR, {}, "something went wrong on our side"),
    ],
)
def test_a_caller_hears_why_and_what_they_may_do(reason: EndReason, given: dict[str, Any], words: str) -> None:
    said = for_caller(facts(T.QUEUED, **given), reason)
    assert words in said
    assert said.endswith(OFFER_CALLBACK)
    assert "Dana" not in said


def test_a_manager_s_reason_is_passed_on() -> None:
    known = facts(T.CONSULTING, decision=DecisionKind.DECLINE)
    assert known.decision
    known.decision.reason = "I am in a meeting. "
    assert "right now: I am in a meeting." in for_caller(known, EndReason.DECLINED)


LIVE = {"call": {"state": CallState.ESCALATED}}
ANSWERED = {"attempt": {"state": AttemptState.SUMMARIZING, "answered_at": ago(9)}}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.DECLINED, "I will tell the caller"),
        (Outcome.REDIRECTED, "I will tell the caller"),
        (Outcome.CANCELLED, "no longer needs you"),
        (Outcome.TIMED_OUT, "could not connect you"),
        (Outcome.MERGE_FAILED, "could not connect you"),
        (Outcome.VOICEMAIL, ""),
        (Outcome.SILENT, ""),
        (Outcome.AGENT_LOST, ""),
    ],
)
def test_a_manager_on_the_phone_hears_a_last_word(outcome: Outcome, words: str) -> None:
    said = for_manager(facts(T.CONSULTING, **ANSWERED), outcome)
    assert words in said
    assert bool(said) == bool(words)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_machine_records_no_message_of_ours_and_nobody_no_word(outcome: Outcome) -> None:
    ringing = facts(T.CONNECTING)
    gone = facts(T.CONSULTING, attempt={"answered_at": ago(9), "leg_left_at": ago(1)})
    assert for_manager(ringing, outcome) == for_manager(gone, outcome) == ""


def test_a_manager_hears_that_the_caller_has_hung_up() -> None:
    assert "hung up" in for_manager(facts(T.MERGING, **ENDED), Outcome.CANCELLED)


def test_a_wait_is_never_shown_as_less_than_nothing() -> None:
    late = facts(T.REQUESTED, policy=APPROVE, transfer={"requested_at": ago(0) - timedelta(hours=1)})
    assert "Waits 0 s" in sentence(late)
