"""What a transfer does next: a pure function of the rows as they are and the time.

When facts meet, the order is: caller gone, person cancelled, hold limit, the manager's first decision, leg facts.
`next_step` returns one step; `transfers/advance.py` does it and asks again until the answer is to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from calls.agents.protocol import DecisionKind
from calls.models import Call
from transfers.models import Attempt, Decision, Policy, Transfer
from transfers.roster import Candidate
from transfers.states import (
    UNANSWERED,
    AttemptState,
    EndReason,
    Outcome,
    TransferState,
)

RING_GRACE = timedelta(seconds=5)  # after the ring time: the carrier's own answer comes first
LEG_GRACE = timedelta(seconds=1)  # after a leg left: the dial's answer brings the SIP status
AGENT_LIMIT = timedelta(seconds=20)  # from the answer, or the loss of one, to a TransferAgent's word
PRESENCE_LOOK = timedelta(seconds=2)  # nobody says that the last supervisor has gone
MERGE_LIMIT = timedelta(seconds=10)


@dataclass(frozen=True)
class Facts:
    """The rows that a decision needs, read in one transaction. Nothing here is fetched lazily."""

    now: datetime
    transfer: Transfer
    call: Call
    policy: Policy
    attempt: Attempt | None = None  # the newest
    decision: Decision | None = None  # of that attempt
    candidates: tuple[Candidate, ...] = ()
    attempts_made: int = 0
    agent_present: bool = True  # the attempt's transfer job has a live link
    agent_gone_at: datetime | None = None  # when its last one was lost
    leave_reason: str = ""  # the server's reason why the manager's leg left
    supervisor_present: bool = True
    outside_hours: bool = False


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`, unless a fact comes. `look_at`: see before that whether one came silently."""

    until: datetime | None = None
    look_at: datetime | None = None


@dataclass(frozen=True)
class Queue:
    """Look for the next manager."""


@dataclass(frozen=True)
class Reserve:
    candidate: Candidate


@dataclass(frozen=True)
class Consult:
    """The manager answered."""


@dataclass(frozen=True)
class StartMerge:
    pass


@dataclass(frozen=True)
class Merged:
    pass


@dataclass(frozen=True)
class Complete:
    """One of the two hung up after the merge."""

    manager_left: bool


@dataclass(frozen=True)
class CloseAttempt:
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class Finish:
    """The transfer ends without a merge; the caller, if still there, goes back to the AI."""

    state: TransferState
    reason: EndReason
    outcome: Outcome = Outcome.CANCELLED  # of an attempt that is still open


Step = Wait | Queue | Reserve | Consult | StartMerge | Merged | Complete | CloseAttempt | Finish

OUTCOME_OF_DECISION = {
    DecisionKind.DECLINE: Outcome.DECLINED,
    DecisionKind.NOT_TODAY: Outcome.DECLINED,
    DecisionKind.REDIRECT: Outcome.REDIRECTED,
    DecisionKind.VOICEMAIL: Outcome.VOICEMAIL,
    DecisionKind.SILENT: Outcome.SILENT,
}

OUTCOME_OF_LEAVING = {"USER_UNAVAILABLE": Outcome.NO_ANSWER, "USER_REJECTED": Outcome.DECLINED}


def next_step(facts: Facts) -> Step:
    state = TransferState(facts.transfer.state)
    if state == TransferState.MERGED:
        return _after_merge(facts)
    if not facts.transfer.is_open:
        return Wait()
    return _stopped(facts) or _BY_STATE[state](facts)


def _stopped(facts: Facts) -> Step | None:
    transfer = facts.transfer
    if not facts.call.is_live:
        return Finish(TransferState.CANCELLED, EndReason.CALLER_LEFT)
    if transfer.cancel_reason:
        return Finish(TransferState.CANCELLED, EndReason(transfer.cancel_reason))
    limit = hold_limit_at(facts)
    held = transfer.state not in (TransferState.REQUESTED, TransferState.MERGING)
    if limit and facts.now >= limit and held:
        return Finish(TransferState.FAILED, EndReason.NO_MANAGER, Outcome.TIMED_OUT)
    return None


def hold_limit_at(facts: Facts) -> datetime | None:
    held = facts.transfer.held_at
    return held + timedelta(seconds=facts.policy.hold_limit_s) if held else None


def approval_ends_at(transfer: Transfer, policy: Policy) -> datetime | None:
    """When the wait for a supervisor is over; None if nobody is asked."""
    if transfer.requested_by_id or policy.approval == Policy.Approval.AUTO:
        return None
    auto = policy.approval == Policy.Approval.AUTO_AFTER
    return transfer.requested_at + timedelta(seconds=policy.auto_after_s if auto else policy.approval_limit_s)


def _requested(facts: Facts) -> Step:
    transfer, policy = facts.transfer, facts.policy
    if transfer.approved is not None:
        return Queue() if transfer.approved else _rejected()
    ends = approval_ends_at(transfer, policy)
    if ends is None:
        return Queue()
    if facts.supervisor_present and facts.now < ends:
        return Wait(ends, min(ends, facts.now + PRESENCE_LOOK))
    if policy.approval == Policy.Approval.AUTO_AFTER or policy.at_limit == Policy.AtLimit.DIAL:
        return Queue()
    return _rejected()


def _rejected() -> Finish:
    return Finish(TransferState.REJECTED, EndReason.NOT_APPROVED)


def _queued(facts: Facts) -> Step:
    if facts.attempts_made < facts.policy.max_attempts and facts.candidates:
        return Reserve(facts.candidates[0])
    return Finish(TransferState.FAILED, _why_nobody(facts))


def _why_nobody(facts: Facts) -> EndReason:
    if facts.attempt and facts.attempt.outcome == Outcome.DECLINED:
        return EndReason.DECLINED
    if facts.attempt is None and facts.outside_hours:
        return EndReason.OUTSIDE_HOURS
    return EndReason.NO_MANAGER


def _connecting(facts: Facts) -> Step:
    attempt = _attempt(facts)
    if attempt.state == AttemptState.FAILED:
        return Queue()
    if attempt.state not in UNANSWERED:
        return Consult()
    if attempt.leg_left_at:
        settled = attempt.leg_left_at + LEG_GRACE
        outcome = OUTCOME_OF_LEAVING.get(facts.leave_reason.upper(), Outcome.NO_ANSWER)
        return Wait(settled) if facts.now < settled else CloseAttempt(outcome, "no SIP status")
    started = attempt.dialed_at or attempt.reserved_at
    late = started + timedelta(seconds=attempt.ring_time_s) + RING_GRACE
    return CloseAttempt(Outcome.NO_ANSWER) if facts.now >= late else _wait(facts, late)


def _consulting(facts: Facts) -> Step:
    attempt, decision = _attempt(facts), facts.decision
    if attempt.state == AttemptState.FAILED:
        return Queue()
    if decision and decision.kind == DecisionKind.ACCEPT:
        return StartMerge()
    if decision:
        return CloseAttempt(OUTCOME_OF_DECISION[DecisionKind(decision.kind)])
    if attempt.leg_left_at:
        return CloseAttempt(Outcome.HUNG_UP)
    answered = attempt.answered_at or attempt.reserved_at
    late = answered + timedelta(seconds=facts.policy.consultation_limit_s)
    if facts.now >= late:
        return CloseAttempt(Outcome.TIMED_OUT, "consultation")
    if not facts.agent_present:
        lost = max(answered, facts.agent_gone_at or answered) + AGENT_LIMIT
        return CloseAttempt(Outcome.AGENT_LOST) if facts.now >= lost else _wait(facts, min(lost, late))
    return _wait(facts, late)


def _merging(facts: Facts) -> Step:
    attempt = _attempt(facts)
    if attempt.state == AttemptState.FAILED:
        return Queue()
    if attempt.leg_left_at:
        return CloseAttempt(Outcome.LOST)
    if attempt.bridged_at:
        return Merged()
    if attempt.merge_error:
        return CloseAttempt(Outcome.MERGE_FAILED, attempt.merge_error)
    started = facts.decision.at if facts.decision else attempt.reserved_at
    late = started + MERGE_LIMIT
    return CloseAttempt(Outcome.MERGE_FAILED) if facts.now >= late else Wait(late)


def _after_merge(facts: Facts) -> Step:
    attempt = _attempt(facts)
    if attempt.leg_left_at or attempt.state != AttemptState.MERGED:
        return Complete(manager_left=facts.call.is_live)
    return Complete(manager_left=False) if not facts.call.is_live else Wait()


def _attempt(facts: Facts) -> Attempt:
    assert facts.attempt is not None, "a transfer in this state has an attempt"
    return facts.attempt


def _wait(facts: Facts, late: datetime) -> Wait:
    limit = hold_limit_at(facts)
    return Wait(min(late, limit) if limit else late)


_BY_STATE = {
    TransferState.REQUESTED: _requested,
    TransferState.QUEUED: _queued,
    TransferState.CONNECTING: _connecting,
    TransferState.CONSULTING: _consulting,
    TransferState.MERGING: _merging,
}
