"""What callers and managers are told, and the page's one sentence of what happens next."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext

from calls.agents.protocol import DecisionKind
from transfers.decide import Facts, Next, approval_ends_at, waits_in_line
from transfers.models import Policy, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

FAULT = "I am sorry, something went wrong on our side and I could not put you through."
OFFER = "Would you like me to try again, or can I help you with something else?"
OFFER_CALLBACK = (
    "Would you like me to try again, or to have somebody call you back, or can I help you with something else?"
)
SHALL_WE_CALL = "I am sorry, nobody can come to the phone now. Would you like somebody to call you back?"
THANKED = "Thank you. The caller is with the AI again. Goodbye."
TAKEN_OVER = "A supervisor is talking to the caller now. Thank you, goodbye."
AFTER_MERGE = {
    Next.ASK: "My colleague has left the call. Is there anything else I can do for you?",
    Next.REDIAL: "I am sorry, the line to my colleague was cut. I am calling them again and stay with you.",
    Next.NEXT_MANAGER: "I am sorry, the line was cut again. I am looking for another colleague.",
    Next.BACK: "You are back with me. How can I go on helping you?",
}


def after_merge(then: Next) -> str:
    """What the AI says when the manager is gone; empty where a hold line comes, or nobody listens."""
    return AFTER_MERGE.get(then, "")


def last_to_manager(then: Next) -> str:
    """To a joined manager who is let go; empty where they went by themselves."""
    if then == Next.TAKEN_OVER:
        return TAKEN_OVER
    return THANKED if then in (Next.BACK, Next.ANOTHER) else ""


def for_caller(facts: Facts, reason: EndReason) -> str:
    """What the AI says when the caller is back. Never a manager's name or number."""
    if reason == EndReason.TAKEN_OVER:
        return ""  # somebody else is talking to them
    if reason == EndReason.CALLBACK:  # asked for by the caller: the AI is saying so already
        return "" if facts.transfer.cancel_reason else SHALL_WE_CALL
    offer = OFFER_CALLBACK if facts.policy.offers_callback else OFFER
    return f"{_why(facts, reason)} {offer}"


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
        case EndReason.NO_MANAGER if facts.transfer.queued_at and facts.attempt is None:
            return "I am sorry, all of my colleagues are still talking to somebody."
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
        case Outcome.CANCELLED if facts.transfer.cancel_reason == EndReason.TAKEN_OVER:
            return TAKEN_OVER
        case Outcome.CANCELLED if facts.caller_unreached or not facts.caller_here:
            return "They did not answer. Thank you, goodbye."
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
            return _in_line(facts) if transfer.queued_at else _rings(facts)
        case TransferState.CONNECTING if transfer.kind == Transfer.Kind.COLD:
            return gettext(
                "The AI says goodbye; then the caller's carrier calls the colleague, and the call leaves us."
            )
        case TransferState.CONNECTING if facts.attempt and facts.attempt.state != AttemptState.FAILED:
            left = _ring_left(facts)
            return gettext("Rings %(name)s for %(left)s s more, then %(then)s.") % {
                "name": facts.attempt.manager.name,
                "left": left,
                "then": _then(facts, 0),
            }
        case TransferState.CONSULTING if facts.attempt:
            if transfer.caller_rung_at and not facts.caller_here:
                return gettext("%(name)s is waiting while the caller is rung.") % {
                    "name": facts.attempt.manager.name
                }
            if facts.decision and facts.decision.kind == DecisionKind.ACCEPT:
                return gettext("%(name)s accepted and is being joined to the caller.") % {
                    "name": facts.attempt.manager.name
                }
            return gettext("%(name)s hears the briefing and decides; if not, %(then)s.") % {
                "name": facts.attempt.manager.name,
                "then": _then(facts, 0),
            }
        case TransferState.MERGING if facts.attempt:
            return gettext("%(name)s and the caller are being joined.") % {"name": facts.attempt.manager.name}
        case TransferState.MERGED:
            return _merged(facts)
        case TransferState.COMPLETED:
            return gettext("The transfer is complete.")
    return gettext("The caller is with the AI.") if facts.call.is_live else gettext("The call has ended.")


def _merged(facts: Facts) -> str:
    if facts.transfer.parked_at:
        return gettext("The caller is on hold with music; the manager hears nothing until you resume.")
    if facts.policy.after_hang_up == Policy.AfterHangUp.END:
        return gettext("They talk until one of them hangs up; then the call ends.")
    return gettext("They talk; if the manager hangs up, the AI asks the caller whether there is anything else.")


def _in_line(facts: Facts) -> str:
    place = facts.ahead + 1
    queued = facts.transfer.queued_at or facts.now
    left = max(0, facts.policy.queue_limit_s - round((facts.now - queued) / timedelta(seconds=1)))
    words = (
        gettext(
            "Number %(place)s in line, on hold: rings whoever is free first. "
            "After %(left)s s it goes back to the AI."
        )
        if facts.transfer.held_at
        else gettext(
            "Number %(place)s in line, with the AI: rings whoever is free first. "
            "After %(left)s s it goes back to the AI."
        )
    )
    return words % {"place": place, "left": left}


def _approval(facts: Facts, ends: datetime | None, policy: Policy) -> str:
    if ends is None:
        return _rings(facts)
    left = max(0, round((ends - facts.now) / timedelta(seconds=1)))
    dials = policy.approval == Policy.Approval.AUTO_AFTER or policy.at_limit == Policy.AtLimit.DIAL
    if not dials and policy.at_limit == Policy.AtLimit.CALLBACK and policy.offers_callback:
        return gettext("Waits %(left)s s for a supervisor; then the AI offers a callback.") % {"left": left}
    if dials:
        return gettext("Waits %(left)s s for a supervisor; then dials by itself.") % {"left": left}
    return gettext("Waits %(left)s s for a supervisor; then the caller stays with the AI, which says so.") % {
        "left": left
    }


def _rings(facts: Facts) -> str:
    if not facts.candidates and waits_in_line(facts):
        return gettext("All are busy: the caller waits in line for whoever is free first.")
    if not facts.candidates:
        return gettext("Nobody is free: the caller stays with the AI, which says so.")
    first = facts.candidates[0]
    return gettext("Rings %(name)s for %(seconds)s s, then %(then)s.") % {
        "name": first.name,
        "seconds": first.ring_time_s,
        "then": _then(facts, 1),
    }


def _then(facts: Facts, skip: int) -> str:
    room = facts.policy.max_attempts - facts.attempts_made
    names = [c.name for c in facts.candidates[skip : max(skip, room)]]
    back = (
        gettext("back to the AI, which offers a callback")
        if facts.policy.offers_callback
        else gettext("back to the AI, which offers to try again")
    )
    return gettext(", then ").join([*names, back])


def _ring_left(facts: Facts) -> int:
    attempt = facts.attempt
    assert attempt is not None
    started = attempt.dialed_at or attempt.reserved_at
    return max(0, attempt.ring_time_s - round((facts.now - started) / timedelta(seconds=1)))
