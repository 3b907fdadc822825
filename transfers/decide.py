"""What a transfer does next: a pure function of the rows as they are and the time.

When facts meet, the order is: caller gone, person cancelled, hold limit, the manager's first decision, leg facts.
`next_step` returns one step; `transfers/advance.py` does it and asks again until the answer is to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calls.agents.protocol import DecisionKind
from calls.models import Call
from calls.states import CallerWith
from transfers.models import Attempt, Decision, HandOver, Policy, ReferResult, Transfer
from transfers.roster import NOBODY, Candidate, Ranking
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
DESK_LOOK = timedelta(seconds=2)  # nobody says that a browser has died
DESK_GRACE = timedelta(seconds=3)  # a window that closed may be a page that is loaded again
JOIN_LIMIT = timedelta(seconds=10)  # from Accept on screen to a microphone that is live
LINE_LOOK = timedelta(seconds=2)  # nobody says that a wrap-up is over
TALKED = timedelta(seconds=15)  # who hangs up earlier was cut off, as far as the caller is concerned
GOODBYE_LIMIT = timedelta(seconds=8)  # for the AI's last words before a cold transfer
REFER_LIMIT = timedelta(seconds=30)
CALLER_LIMIT = timedelta(seconds=60)  # a callback's caller picks up, or is not reached
# LiveKit's reasons for a leg that left by itself; any other is a line that was cut.
ORDERLY = frozenset({"CLIENT_INITIATED", "USER_REJECTED"})


@dataclass(frozen=True)
class Facts:
    """The rows that a decision needs, read in one transaction. Nothing here is fetched lazily."""

    now: datetime
    transfer: Transfer
    call: Call
    policy: Policy
    attempt: Attempt | None = None  # the newest
    decision: Decision | None = None  # of that attempt
    ranking: Ranking = NOBODY
    attempts_made: int = 0
    agent_present: bool = True  # the attempt's transfer job has a live link
    agent_gone_at: datetime | None = None  # when its last one was lost
    leave_reason: str = ""  # the server's reason why the manager's leg left
    supervisor_present: bool = True
    ahead: int = 0  # transfers that wait in the same line and came before
    told_goodbye: bool = False  # the AI has said what a cold transfer begins with
    caller_here: bool = True  # a callback's caller may still have to be rung
    caller_unreached: bool = False  # and did not answer
    desk_lost_at: datetime | None = None  # of an attempt that rings there: since when no desk does
    redialled: bool = False  # the manager was called again before in this chain of transfers

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.ranking.candidates


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`, unless a fact comes. `look_at`: see before that whether one came silently."""

    until: datetime | None = None
    look_at: datetime | None = None


@dataclass(frozen=True)
class Queue:
    """Look for the next manager."""


@dataclass(frozen=True)
class StandInLine:
    """All are busy: the caller waits for the first who is free."""


@dataclass(frozen=True)
class SayGoodbye:
    """Before a cold transfer: the caller is told."""

    candidate: Candidate


@dataclass(frozen=True)
class Refer:
    """Ask the caller's carrier to call the manager instead."""


@dataclass(frozen=True)
class RingCaller:
    """A callback's manager took it: now the caller is called."""


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


class Next(StrEnum):
    """What follows a merge for a caller who is still there."""

    NOTHING = "nothing"  # they left
    END = "end"
    ASK = "ask"  # the AI asks whether there is anything else
    REDIAL = "redial"  # the line was cut: the manager once more
    NEXT_MANAGER = "next_manager"  # and again
    BACK = "back"  # the manager gave the caller back
    ANOTHER = "another"  # or asked for somebody else
    TAKEN_OVER = "taken_over"  # a supervisor talks to the caller now


@dataclass(frozen=True)
class Complete:
    """The two are no longer joined."""

    then: Next


@dataclass(frozen=True)
class Unpark:
    """A joined caller was on hold for as long as a department allows."""


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


Step = (
    Wait
    | Queue
    | StandInLine
    | SayGoodbye
    | Refer
    | RingCaller
    | Reserve
    | Consult
    | StartMerge
    | Merged
    | Complete
    | Unpark
    | CloseAttempt
    | Finish
)

OUTCOME_OF_DECISION = {
    DecisionKind.DECLINE: Outcome.DECLINED,
    DecisionKind.NOT_TODAY: Outcome.DECLINED,
    DecisionKind.REDIRECT: Outcome.REDIRECTED,
    DecisionKind.VOICEMAIL: Outcome.VOICEMAIL,
    DecisionKind.SILENT: Outcome.SILENT,
}

NOT_ANSWERED = CloseAttempt(Outcome.NO_ANSWER)
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
    if transfer.refer_asked_at:
        return None  # the caller leaves because of it, and nobody can call it back
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


def waits_for_approval(transfer: Transfer, policy: Policy) -> bool:
    undecided = transfer.state == TransferState.REQUESTED and transfer.approved is None
    return undecided and approval_ends_at(transfer, policy) is not None


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
    if policy.at_limit == Policy.AtLimit.CALLBACK and policy.offers_callback:
        return Finish(TransferState.REJECTED, EndReason.CALLBACK)
    return _rejected()


def _rejected() -> Finish:
    return Finish(TransferState.REJECTED, EndReason.NOT_APPROVED)


def _queued(facts: Facts) -> Step:
    transfer = facts.transfer
    if facts.attempts_made < facts.policy.max_attempts:
        if len(facts.candidates) > facts.ahead:
            first = facts.candidates[facts.ahead]
            return SayGoodbye(first) if transfer.kind == Transfer.Kind.COLD else Reserve(first)
        if waits_in_line(facts):
            return _in_line(facts)
    return Finish(TransferState.FAILED, _why_nobody(facts))


def waits_in_line(facts: Facts) -> bool:
    """Somebody will be free, nobody has refused, and the department lets callers wait."""
    somebody = facts.ranking.soon_free or len(facts.candidates) > 0
    return (
        somebody and facts.policy.when_busy != Policy.WhenBusy.RETURN and facts.transfer.kind != Transfer.Kind.COLD
    )


def _in_line(facts: Facts) -> Step:
    queued = facts.transfer.queued_at
    if queued is None:
        return StandInLine()
    ends = queued + timedelta(seconds=facts.policy.queue_limit_s)
    if facts.now >= ends:
        return Finish(TransferState.FAILED, EndReason.NO_MANAGER)
    limit = hold_limit_at(facts)
    until = min(ends, limit) if limit else ends
    return Wait(until, min(until, facts.now + LINE_LOOK))


def _why_nobody(facts: Facts) -> EndReason:
    if facts.attempt and facts.attempt.outcome == Outcome.DECLINED:
        return EndReason.DECLINED
    if facts.attempt is None and facts.ranking.outside_hours:
        return EndReason.OUTSIDE_HOURS
    return EndReason.NO_MANAGER


def _connecting(facts: Facts) -> Step:
    if facts.transfer.kind == Transfer.Kind.COLD:
        return _referring(facts)
    attempt = _attempt(facts)
    if attempt.state == AttemptState.FAILED:
        return Queue()
    if facts.decision and facts.decision.kind != DecisionKind.ACCEPT:  # on screen, before they picked up
        return CloseAttempt(OUTCOME_OF_DECISION[DecisionKind(facts.decision.kind)])
    if attempt.state not in UNANSWERED:
        return Consult()
    if attempt.desk:
        return _ringing_desk(facts, attempt)
    if attempt.leg_left_at:
        settled = attempt.leg_left_at + LEG_GRACE
        outcome = OUTCOME_OF_LEAVING.get(facts.leave_reason.upper(), Outcome.NO_ANSWER)
        return Wait(settled) if facts.now < settled else CloseAttempt(outcome, "no SIP status")
    started = attempt.dialed_at or attempt.reserved_at
    late = started + timedelta(seconds=attempt.ring_time_s) + RING_GRACE
    return CloseAttempt(Outcome.NO_ANSWER) if facts.now >= late else _wait(facts, late)


def _ringing_desk(facts: Facts, attempt: Attempt) -> Step:
    """On screen. A desk that is closed meanwhile cannot ring: another phone of theirs may."""
    if attempt.leg_left_at:
        return CloseAttempt(Outcome.UNREACHABLE, "no microphone")
    if facts.desk_lost_at and facts.now >= facts.desk_lost_at + DESK_GRACE:
        return CloseAttempt(Outcome.UNREACHABLE, "desk closed")
    started = attempt.dialed_at or attempt.reserved_at
    late = started + timedelta(seconds=attempt.ring_time_s)
    if attempt.accepted_at:
        late = attempt.accepted_at + JOIN_LIMIT
    if facts.now >= late:
        return CloseAttempt(Outcome.UNREACHABLE, "no microphone") if attempt.accepted_at else NOT_ANSWERED
    until = _wait(facts, late).until
    return Wait(until, min(until, facts.now + DESK_LOOK) if until else None)


def _referring(facts: Facts) -> Step:
    """A cold transfer: the words to the caller, then their carrier's answer, or that they are gone without one."""
    transfer = facts.transfer
    asked = transfer.refer_asked_at
    if asked is None:
        late = transfer.queue_left_at or transfer.requested_at
        late += GOODBYE_LIMIT
        return Refer() if facts.told_goodbye or facts.now >= late else Wait(late)
    match transfer.refer_result:
        case ReferResult.DONE:
            return Finish(TransferState.COMPLETED, EndReason.COLD_COMPLETED)
        case ReferResult.REFUSED:
            return Finish(TransferState.FAILED, EndReason.ERROR)
        case ReferResult.UNKNOWN:
            return Finish(TransferState.COMPLETED, EndReason.COLD_UNCONFIRMED)
    late = asked + REFER_LIMIT
    if facts.now >= late:
        return Finish(TransferState.COMPLETED, EndReason.COLD_UNCONFIRMED)
    return Wait(late)


def _consulting(facts: Facts) -> Step:
    attempt, decision = _attempt(facts), facts.decision
    if attempt.state == AttemptState.FAILED:
        return Queue()
    if decision and decision.kind == DecisionKind.ACCEPT:
        return StartMerge() if facts.caller_here else _ringing_caller(facts, decision)
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


def _ringing_caller(facts: Facts, decision: Decision) -> Step:
    attempt = _attempt(facts)
    if attempt.leg_left_at:
        return CloseAttempt(Outcome.LOST)
    if facts.caller_unreached:
        return Finish(TransferState.FAILED, EndReason.CALLER_UNREACHED)
    late = decision.at + CALLER_LIMIT
    if facts.now >= late:
        return Finish(TransferState.FAILED, EndReason.CALLER_UNREACHED)
    return Wait(late) if facts.transfer.caller_rung_at else RingCaller()


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
    attempt, transfer = _attempt(facts), facts.transfer
    if not facts.call.is_live:
        return Complete(Next.NOTHING)
    if facts.call.caller_with == CallerWith.SUPERVISOR:
        return Complete(Next.TAKEN_OVER)
    if transfer.handed_over:
        back = transfer.handed_over == HandOver.BACK or facts.call.is_practice
        return Complete(Next.BACK if back else Next.ANOTHER)
    if attempt.leg_left_at or attempt.state != AttemptState.MERGED:
        return Complete(_after_manager(facts, attempt))
    if transfer.parked_at:
        late = transfer.parked_at + timedelta(seconds=facts.policy.hold_limit_s)
        return Unpark() if facts.now >= late else Wait(late)
    return Wait()


def _after_manager(facts: Facts, attempt: Attempt) -> Next:
    """The manager is gone and the caller is not: said goodbye, or cut off."""
    if facts.call.is_practice:  # nobody is called again, and nobody else
        return Next.ASK
    merged = attempt.merged_at or attempt.reserved_at
    talked = (attempt.leg_left_at or facts.now) - merged
    if facts.leave_reason.upper() in ORDERLY and talked >= TALKED:
        return Next.END if facts.policy.after_hang_up == Policy.AfterHangUp.END else Next.ASK
    return Next.NEXT_MANAGER if facts.redialled else Next.REDIAL


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
