"""What callers and managers are told, and the page's one sentence of what happens next."""

from __future__ import annotations

from datetime import datetime, timedelta

from calls.agents.protocol import DecisionKind
from transfers.decide import Facts, approval_ends_at
from transfers.models import Policy
from transfers.states import AttemptState, EndReason, Outcome, TransferState

FAULT = "I am sorry, something went wrong on our side and I could not put you through."
OFFER = "Would you like me to try again, or can I help you with something else?"


def for_caller(facts: Facts, reason: EndReason) -> str:
    """What the AI says when the caller is back. Never a manager's name or number."""
    return f"{_why(facts, reason)} {OFFER}"


def _why(facts: Facts, reason: EndReason) -> str:
    match reason:
        case EndReason.DECLINED:
            said = facts.decision.reason.strip().rstrip(".") if facts.decision else ""
            return f"My colleague cannot take your call right now{': ' + said if said else ''}."
        case EndReason.NOT_APPROVED:
            said = facts.transfer.decline_reason.strip().rstrip(".")
            return f"I am sorry, I cannot put you through right now{': ' + said if said else ''}."
        case EndReason.OUTSIDE_HOURS:
            return "I am sorry, our colleagues are not in at this time."
        case EndReason.SUPERVISOR_CANCELLED | EndReason.CALLER_RETURNED:
            return "Thank you for holding. You are back with me."
        case EndReason.NO_MANAGER if facts.attempt is None:
            return "I am sorry, none of my colleagues is free right now."
        case EndReason.NO_MANAGER if facts.attempt and facts.attempt.outcome == Outcome.BUSY:
            return "I am sorry, the line of my colleague is busy."
        case EndReason.NO_MANAGER:
            return "I am sorry, nobody answered."
    return FAULT


def for_manager(facts: Facts, outcome: Outcome) -> str:
    """The last words to a manager who answered; empty where nobody listens."""
    if facts.attempt is None or facts.attempt.answered_at is None or facts.attempt.leg_left_at:
        return ""
    if not facts.call.is_live:
        return "The caller has hung up. Thank you, goodbye."
    match outcome:
        case Outcome.DECLINED | Outcome.REDIRECTED:
            return "Thank you, I will tell the caller. Goodbye."
        case Outcome.CANCELLED:
            return "The caller no longer needs you. Thank you, goodbye."
        case Outcome.TIMED_OUT | Outcome.MERGE_FAILED:
            return "I am sorry, I could not connect you. Goodbye."
    return ""


def sentence(facts: Facts) -> str:
    """What happens next, for the page: "Rings Dana for 25 s, then Omar, then back to the AI." """
    transfer, policy = facts.transfer, facts.policy
    match TransferState(transfer.state):
        case TransferState.REQUESTED:
            return _approval(facts, approval_ends_at(transfer, policy), policy)
        case TransferState.QUEUED:
            return _rings(facts)
        case TransferState.CONNECTING if facts.attempt and facts.attempt.state != AttemptState.FAILED:
            left = _ring_left(facts)
            return f"Rings {facts.attempt.manager.name} for {left} s more, then {_then(facts, 0)}."
        case TransferState.CONSULTING if facts.attempt:
            if facts.decision and facts.decision.kind == DecisionKind.ACCEPT:
                return f"{facts.attempt.manager.name} accepted and is being joined to the caller."
            return f"{facts.attempt.manager.name} hears the briefing and decides; if not, {_then(facts, 0)}."
        case TransferState.MERGING if facts.attempt:
            return f"{facts.attempt.manager.name} and the caller are being joined."
        case TransferState.MERGED:
            return "They talk until one of them hangs up; then the call ends."
        case TransferState.COMPLETED:
            return "The transfer is complete."
    return "The caller is with the AI." if facts.call.is_live else "The call has ended."


def _approval(facts: Facts, ends: datetime | None, policy: Policy) -> str:
    if ends is None:
        return _rings(facts)
    left = max(0, round((ends - facts.now) / timedelta(seconds=1)))
    dials = policy.approval == Policy.Approval.AUTO_AFTER or policy.at_limit == Policy.AtLimit.DIAL
    then = "dials by itself" if dials else "the caller stays with the AI, which says so"
    return f"Waits {left} s for a supervisor; then {then}."


def _rings(facts: Facts) -> str:
    if not facts.candidates:
        return "Nobody is free: the caller stays with the AI, which says so."
    first = facts.candidates[0]
    return f"Rings {first.name} for {first.ring_time_s} s, then {_then(facts, 1)}."


def _then(facts: Facts, skip: int) -> str:
    room = facts.policy.max_attempts - facts.attempts_made
    names = [c.name for c in facts.candidates[skip : max(skip, room)]]
    return ", then ".join([*names, "back to the AI, which offers to try again"])


def _ring_left(facts: Facts) -> int:
    attempt = facts.attempt
    assert attempt is not None
    started = attempt.dialed_at or attempt.reserved_at
    return max(0, attempt.ring_time_s - round((facts.now - started) / timedelta(seconds=1)))
