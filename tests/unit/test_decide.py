"""What a transfer does next: every state, and the order of the facts when they meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.agents.protocol import DecisionKind
from calls.models import Call
from calls.states import CallState
from transfers import decide as d
from transfers.models import Attempt, Decision, HandOver, Manager, Policy, ReferResult, Transfer
from transfers.roster import BUSY, OFF_SHIFT, Candidate, PassedOver, Ranking
from transfers.states import (
    ATTEMPT_TRANSITIONS,
    OPEN_ATTEMPT,
    OPEN_TRANSFER,
    TRANSFER_TRANSITIONS,
    UNANSWERED,
    AttemptState,
    EndReason,
    Outcome,
    TransferState,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
T, A = TransferState, AttemptState
DANA = Candidate(uuid4(), "Dana", 1, 25, 1)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def soon(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


STATE_OF_ATTEMPT = {
    T.CONNECTING: A.DIALING,
    T.CONSULTING: A.SUMMARIZING,
    T.MERGING: A.SUMMARIZING,
    T.MERGED: A.MERGED,
}


def ranked(given: dict[str, Any]) -> Ranking:
    """Takes `candidates`, `outside_hours` and `soon_free` out of `given`."""
    whys = [why for key, why in (("outside_hours", OFF_SHIFT), ("soon_free", BUSY)) if given.pop(key, False)]
    passed = tuple(PassedOver(uuid4(), "Omar", why) for why in whys)
    return Ranking(given.pop("candidates", (DANA,)), passed)


def facts(state: TransferState, **given: Any) -> d.Facts:
    """A transfer in that state where all is well; `attempt`, `policy`, `transfer` and `call` take other fields."""
    call = Call(**{"state": CallState.ESCALATED} | given.pop("call", {}))
    transfer = Transfer(**{"call": call, "state": state, "requested_at": ago(10)} | given.pop("transfer", {}))
    policy = Policy(**given.pop("policy", {}))
    fields = given.pop("attempt", {})
    attempt = None
    if state in STATE_OF_ATTEMPT or fields:
        base = {
            "state": STATE_OF_ATTEMPT.get(state, A.FAILED),
            "reserved_at": ago(9),
            "manager": Manager(name="Dana"),
        }
        if base["state"] not in UNANSWERED:
            base["answered_at"] = ago(5)
        attempt = Attempt(**base | fields)
    kind = given.pop("decision", None)
    decision = Decision(kind=kind, at=ago(1)) if kind else None
    usual: dict[str, Any] = {"now": NOW, "attempts_made": 1 if attempt else 0, "ranking": ranked(given)}
    rows = {"transfer": transfer, "call": call, "policy": policy, "attempt": attempt, "decision": decision}
    return d.Facts(**usual | rows | given)


APPROVE = {"approval": Policy.Approval.APPROVE}
AUTO_AFTER = {"approval": Policy.Approval.AUTO_AFTER, "auto_after_s": 15}
REJECT = d.Finish(T.REJECTED, EndReason.NOT_APPROVED)


def late(policy: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"policy": policy, "transfer": {"requested_at": ago(seconds)}}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, d.Queue()),
        ({"policy": APPROVE}, d.Wait(soon(50), soon(2))),
        ({"policy": APPROVE, "transfer": {"approved": True}}, d.Queue()),
        ({"policy": APPROVE, "transfer": {"approved": False}}, REJECT),
        ({"policy": APPROVE, "transfer": {"requested_by_id": 1}}, d.Queue()),
        (late(APPROVE, 59), d.Wait(soon(1), soon(1))),
        (late(APPROVE, 60), REJECT),
        (late(APPROVE | {"at_limit": Policy.AtLimit.DIAL}, 60), d.Queue()),
        (late(AUTO_AFTER, 14), d.Wait(soon(1), soon(1))),
        (late(AUTO_AFTER, 15), d.Queue()),
        ({"policy": APPROVE, "supervisor_present": False}, REJECT),
        ({"policy": AUTO_AFTER, "supervisor_present": False}, d.Queue()),
        ({"policy": APPROVE | {"at_limit": Policy.AtLimit.DIAL}, "supervisor_present": False}, d.Queue()),
        (late(APPROVE, 99) | {"transfer": {"approved": True, "requested_at": ago(99)}}, d.Queue()),
    ],
)
def test_a_request_waits_for_a_person_where_the_policy_says_so(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.REQUESTED, **given)) == step


FAILED_ATTEMPT = {"state": A.FAILED, "outcome": Outcome.NO_ANSWER}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, d.Reserve(DANA)),
        ({"candidates": ()}, d.Finish(T.FAILED, EndReason.NO_MANAGER)),
        ({"candidates": (), "outside_hours": True}, d.Finish(T.FAILED, EndReason.OUTSIDE_HOURS)),
        ({"attempts_made": 3}, d.Finish(T.FAILED, EndReason.NO_MANAGER)),
        ({"attempts_made": 2, "attempt": FAILED_ATTEMPT}, d.Reserve(DANA)),
        (
            {"candidates": (), "attempt": FAILED_ATTEMPT | {"outcome": Outcome.DECLINED}},
            d.Finish(T.FAILED, EndReason.DECLINED),
        ),
        (
            {"candidates": (), "attempt": FAILED_ATTEMPT, "outside_hours": True},
            d.Finish(T.FAILED, EndReason.NO_MANAGER),
        ),
    ],
)
def test_who_looks_for_a_manager_finds_one_or_gives_the_caller_back(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.QUEUED, **given)) == step


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"attempt": {"dialed_at": ago(2)}}, d.Wait(soon(28))),
        ({"attempt": {"dialed_at": ago(2), "state": A.RINGING}}, d.Wait(soon(28))),
        ({"attempt": {"state": A.RESERVED}}, d.Wait(soon(21))),
        ({"attempt": {"dialed_at": ago(30)}}, d.CloseAttempt(Outcome.NO_ANSWER)),
        ({"attempt": {"state": A.SUMMARIZING}}, d.Consult()),
        ({"attempt": {"state": A.FAILED}}, d.Queue()),
        ({"attempt": {"leg_left_at": ago(0.4)}}, d.Wait(soon(0.6))),
        ({"attempt": {"leg_left_at": ago(1)}}, d.CloseAttempt(Outcome.NO_ANSWER, "no SIP status")),
        (
            {"attempt": {"leg_left_at": ago(1)}, "leave_reason": "user_rejected"},
            d.CloseAttempt(Outcome.DECLINED, "no SIP status"),
        ),
        ({"attempt": {"dialed_at": ago(2)}, "transfer": {"held_at": ago(175)}}, d.Wait(soon(5))),
    ],
)
def test_a_phone_rings_until_something_is_known_of_it(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.CONNECTING, **given)) == step


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, d.Wait(soon(115))),
        ({"decision": DecisionKind.ACCEPT}, d.StartMerge()),
        ({"decision": DecisionKind.DECLINE}, d.CloseAttempt(Outcome.DECLINED)),
        ({"decision": DecisionKind.NOT_TODAY}, d.CloseAttempt(Outcome.DECLINED)),
        ({"decision": DecisionKind.REDIRECT}, d.CloseAttempt(Outcome.REDIRECTED)),
        ({"decision": DecisionKind.VOICEMAIL}, d.CloseAttempt(Outcome.VOICEMAIL)),
        ({"decision": DecisionKind.SILENT}, d.CloseAttempt(Outcome.SILENT)),
        ({"attempt": {"leg_left_at": ago(1)}}, d.CloseAttempt(Outcome.HUNG_UP)),
        ({"attempt": {"leg_left_at": ago(1)}, "decision": DecisionKind.ACCEPT}, d.StartMerge()),
        ({"attempt": {"state": A.FAILED}}, d.Queue()),
        ({"attempt": {"answered_at": ago(120)}}, d.CloseAttempt(Outcome.TIMED_OUT, "consultation")),
        ({"agent_present": False}, d.Wait(soon(15))),
        ({"agent_present": False, "attempt": {"answered_at": ago(20)}}, d.CloseAttempt(Outcome.AGENT_LOST)),
        (
            {"agent_present": False, "attempt": {"answered_at": ago(50)}, "agent_gone_at": ago(5)},
            d.Wait(soon(15)),
        ),
        (
            {"agent_present": False, "attempt": {"answered_at": ago(110)}, "agent_gone_at": ago(5)},
            d.Wait(soon(10)),
        ),
    ],
)
def test_a_consultation_ends_by_a_decision_a_leg_or_a_limit(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.CONSULTING, **given)) == step


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, d.Wait(soon(9))),
        ({"attempt": {"bridged_at": ago(0)}}, d.Merged()),
        ({"attempt": {"merge_error": "no track"}}, d.CloseAttempt(Outcome.MERGE_FAILED, "no track")),
        ({"attempt": {"merge_error": "no track", "bridged_at": ago(0)}}, d.Merged()),
        ({"attempt": {"leg_left_at": ago(0), "bridged_at": ago(0)}}, d.CloseAttempt(Outcome.LOST)),
        ({"attempt": {"state": A.FAILED}}, d.Queue()),
        ({"now": soon(9)}, d.CloseAttempt(Outcome.MERGE_FAILED)),
        ({"transfer": {"held_at": ago(500)}}, d.Wait(soon(9))),
    ],
)
def test_a_merge_is_done_or_given_up(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.MERGING, **{"decision": DecisionKind.ACCEPT} | given)) == step


ENDED = {"call": {"state": CallState.INACTIVE}}
GONE: dict[str, Any] = {"attempt": {"merged_at": ago(15), "leg_left_at": ago(0)}}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, d.Wait()),
        (GONE | {"leave_reason": "CLIENT_INITIATED"}, d.Complete(d.Next.ASK)),
        (GONE | {"leave_reason": "CLIENT_INITIATED", "policy": {"after_hang_up": "end"}}, d.Complete(d.Next.END)),
        (GONE | {"leave_reason": "CONNECTION_TIMEOUT"}, d.Complete(d.Next.REDIAL)),
        (GONE | {"leave_reason": "CONNECTION_TIMEOUT", "redialled": True}, d.Complete(d.Next.NEXT_MANAGER)),
        (
            {"attempt": {"merged_at": ago(14), "leg_left_at": ago(0)}, "leave_reason": "CLIENT_INITIATED"},
            d.Complete(d.Next.REDIAL),
        ),
        ({"transfer": {"handed_over": "back"}}, d.Complete(d.Next.BACK)),
        ({"transfer": {"handed_over": "another"}}, d.Complete(d.Next.ANOTHER)),
        ({"transfer": {"parked_at": ago(10)}}, d.Wait(soon(170))),
        ({"transfer": {"parked_at": ago(180)}}, d.Unpark()),
        (ENDED, d.Complete(d.Next.NOTHING)),
        (ENDED | GONE, d.Complete(d.Next.NOTHING)),
        (ENDED | {"transfer": {"handed_over": "another"}}, d.Complete(d.Next.NOTHING)),
        ({"transfer": {"cancel_reason": EndReason.SUPERVISOR_CANCELLED, "held_at": ago(999)}}, d.Wait()),
    ],
)
def test_two_who_talk_are_left_alone_until_one_hangs_up(given: dict[str, Any], step: d.Step) -> None:
    assert d.next_step(facts(T.MERGED, **given)) == step


CANCELLED = {"cancel_reason": EndReason.SUPERVISOR_CANCELLED, "held_at": ago(999)}
HELD_TOO_LONG = {"held_at": ago(180)}
STOPPABLE = [T.QUEUED, T.CONNECTING, T.CONSULTING]


@pytest.mark.parametrize("state", OPEN_TRANSFER)
def test_a_caller_who_is_gone_comes_before_everything(state: TransferState) -> None:
    given = ENDED | {"transfer": CANCELLED, "decision": DecisionKind.ACCEPT}
    assert d.next_step(facts(state, **given)) == d.Finish(T.CANCELLED, EndReason.CALLER_LEFT)


@pytest.mark.parametrize("state", OPEN_TRANSFER)
@pytest.mark.parametrize("reason", [EndReason.SUPERVISOR_CANCELLED, EndReason.CALLER_RETURNED])
def test_a_person_who_cancels_comes_before_limits_and_decisions(state: TransferState, reason: EndReason) -> None:
    given = {"transfer": CANCELLED | {"cancel_reason": reason}, "decision": DecisionKind.ACCEPT}
    assert d.next_step(facts(state, **given)) == d.Finish(T.CANCELLED, reason)


@pytest.mark.parametrize("state", STOPPABLE)
def test_the_hold_limit_comes_before_the_manager_s_decision(state: TransferState) -> None:
    given = {"transfer": HELD_TOO_LONG, "decision": DecisionKind.ACCEPT}
    step = d.next_step(facts(state, **given))
    assert step == d.Finish(T.FAILED, EndReason.NO_MANAGER, Outcome.TIMED_OUT)


@pytest.mark.parametrize("state", [state for state in T if state not in (*OPEN_TRANSFER, T.MERGED)])
def test_what_has_ended_does_nothing(state: TransferState) -> None:
    assert d.next_step(facts(state, **ENDED)) == d.Wait()


# ── whatever the facts are ───────────────────────────────────────────────────────────────────────

times = st.one_of(st.none(), st.integers(-400, 400).map(soon))
attempts = st.fixed_dictionaries(
    {
        "state": st.sampled_from(A),
        "reserved_at": st.integers(0, 400).map(ago),
        "dialed_at": times,
        "answered_at": times,
        "leg_left_at": times,
        "bridged_at": times,
        "merge_error": st.sampled_from(["", "x"]),
        "outcome": st.sampled_from(["", *Outcome]),
    }
)


@st.composite
def any_facts(draw: st.DrawFn) -> d.Facts:
    state = draw(st.sampled_from(T))
    attempt = draw(attempts)
    if state in (T.CONSULTING, T.MERGING, T.MERGED):  # what `advance` itself guarantees
        attempt["state"] = draw(st.sampled_from([A.SUMMARIZING, A.FAILED] if state != T.MERGED else [A.MERGED]))
    elif state in (T.REQUESTED, T.QUEUED):
        attempt["state"] = A.FAILED
    elif state == T.CONNECTING:
        attempt["state"] = draw(st.sampled_from([*UNANSWERED, A.SUMMARIZING, A.FAILED]))
    return facts(
        state,
        attempt=attempt,
        call={"state": draw(st.sampled_from(CallState))},
        transfer={
            "approved": draw(st.sampled_from([None, True, False])),
            "cancel_reason": draw(
                st.sampled_from(["", EndReason.SUPERVISOR_CANCELLED, EndReason.CALLER_RETURNED])
            ),
            "held_at": draw(times),
            "requested_at": draw(st.integers(0, 400).map(ago)),
            "kind": draw(st.sampled_from(Transfer.Kind)),
            "queued_at": draw(times),
            "handed_over": draw(st.sampled_from(["", *HandOver])),
            "parked_at": draw(times),
            "refer_result": draw(st.sampled_from(["", *ReferResult])),
            "caller_rung_at": draw(times),
        },
        policy={
            "approval": draw(st.sampled_from(Policy.Approval)),
            "at_limit": draw(st.sampled_from(Policy.AtLimit)),
            "when_busy": draw(st.sampled_from(Policy.WhenBusy)),
            "after_hang_up": draw(st.sampled_from(Policy.AfterHangUp)),
        },
        soon_free=draw(st.booleans()),
        ahead=draw(st.integers(0, 2)),
        told_goodbye=draw(st.booleans()),
        caller_here=draw(st.booleans()),
        caller_unreached=draw(st.booleans()),
        redialled=draw(st.booleans()),
        leave_reason=draw(st.sampled_from(["", "CLIENT_INITIATED", "CONNECTION_TIMEOUT"])),
        decision=draw(st.one_of(st.none(), st.sampled_from(DecisionKind))),
        candidates=draw(st.sampled_from([(), (DANA,), (DANA, DANA)])),
        attempts_made=draw(st.integers(0, 4)),
        agent_present=draw(st.booleans()),
        agent_gone_at=draw(times),
        supervisor_present=draw(st.booleans()),
        outside_hours=draw(st.booleans()),
    )


def after(facts: d.Facts, step: d.Step) -> tuple[TransferState, AttemptState | None]:
    """Where `advance` brings the two rows by a step."""
    state = TransferState(facts.transfer.state)
    attempt = AttemptState(facts.attempt.state) if facts.attempt else None
    match step:
        case d.Queue():
            return T.QUEUED, attempt
        case d.StandInLine():
            facts.transfer.queued_at = facts.now
        case d.SayGoodbye():
            return T.CONNECTING, attempt
        case d.Refer():
            facts.transfer.refer_asked_at = facts.now
        case d.RingCaller():
            facts.transfer.caller_rung_at = facts.now
        case d.Unpark():
            facts.transfer.parked_at = None
        case d.Reserve():
            return T.CONNECTING, A.RESERVED
        case d.Consult():
            return T.CONSULTING, attempt
        case d.StartMerge():
            return T.MERGING, attempt
        case d.Merged():
            return T.MERGED, A.MERGED
        case d.Complete():
            return T.COMPLETED, A.ENDED
        case d.CloseAttempt():
            return state, A.FAILED
        case d.Finish():
            return step.state, A.FAILED if attempt in OPEN_ATTEMPT else attempt
    return state, attempt


@settings(max_examples=300)
@given(any_facts())
def test_a_step_is_always_legal(facts: d.Facts) -> None:
    step = d.next_step(facts)
    state, attempt = after(facts, step)
    before = TransferState(facts.transfer.state)
    assert state == before or state in TRANSFER_TRANSITIONS[before]
    if facts.attempt and not isinstance(step, d.Reserve):
        was = AttemptState(facts.attempt.state)
        assert attempt == was or attempt in ATTEMPT_TRANSITIONS[was]
    if isinstance(step, d.CloseAttempt):
        assert facts.attempt
        assert facts.attempt.is_open


@settings(max_examples=200)
@given(any_facts())
def test_steps_come_to_rest(facts: d.Facts) -> None:
    """Done one after the other, as `advance` does, they end in a wait; each attempt costs at most a few."""
    for _ in range(20):
        step = d.next_step(facts)
        if isinstance(step, d.Wait):
            assert step.until is None or step.until > facts.now
            return
        state, attempt_state = after(facts, step)
        facts.transfer.state = state
        if isinstance(step, d.Reserve):
            attempt = Attempt(state=A.RESERVED, reserved_at=NOW, manager=Manager(name="Dana"))
            facts = replace(
                facts,
                attempt=attempt,
                decision=None,
                ranking=replace(facts.ranking, candidates=facts.candidates[1:]),
                attempts_made=facts.attempts_made + 1,
            )
        elif facts.attempt and attempt_state:
            facts.attempt.state = attempt_state
    raise AssertionError("it does not settle")


@settings(max_examples=100)
@given(any_facts())
def test_asking_twice_gives_the_same_answer(facts: d.Facts) -> None:
    assert d.next_step(facts) == d.next_step(facts)
