"""The language of state where a transfer is involved. See `calls/display.py` for the call's own."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from calls.display import Display, call_display
from calls.models import Call
from calls.states import CallerWith
from transfers.models import Attempt, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

BACK_BECAUSE = {
    EndReason.NO_MANAGER: gettext_noop("nobody answered"),
    EndReason.DECLINED: gettext_noop("declined"),
    EndReason.NOT_APPROVED: gettext_noop("not approved"),
    EndReason.OUTSIDE_HOURS: gettext_noop("outside hours"),
    EndReason.CALLER_RETURNED: gettext_noop("the caller came back"),
    EndReason.SUPERVISOR_CANCELLED: gettext_noop("cancelled"),
    EndReason.CALLBACK: gettext_noop("callback promised"),
    EndReason.ERROR: gettext_noop("our fault"),
}

# Few words that are kept in English with an attempt or a manager's presence, and shown in the reader's language.
KEPT = (
    gettext_noop("after a call"),
    gettext_noop("an emergency number"),
    gettext_noop("a premium-rate number"),
    gettext_noop("by their own call"),
    gettext_noop("desk closed"),
    gettext_noop("hold limit"),
    gettext_noop("no dialling rule allows it"),
    gettext_noop("no microphone"),
    gettext_noop("no SIP status"),
    gettext_noop("not today"),
    gettext_noop("our fault"),
)

RESULT = {
    TransferState.REJECTED: ("failed", "hand-stop"),
    TransferState.FAILED: ("failed", "phone-x"),
    TransferState.CANCELLED: ("ended", "ban"),
    TransferState.COMPLETED: ("merged", "circle-check"),
}


def state_display(call: Call, transfer: Transfer | None, attempt: Attempt | None) -> Display:
    """What the caller is in now. `transfer` is the call's newest, `attempt` that transfer's newest."""
    if not call.is_live or transfer is None:
        return call_display(call)
    name = attempt.manager.name if attempt else ""
    match TransferState(transfer.state):
        case TransferState.REQUESTED:
            since = transfer.requested_at
            return Display("approval", "hand-stop", gettext("Needs approval"), since=since, pulses=True, order=1)
        case TransferState.QUEUED:
            since = transfer.held_at or transfer.requested_at
            return Display("hold", "user-search", gettext("Looking for a manager"), since=since, order=0)
        case TransferState.CONNECTING:
            since = _ringing_since(attempt) or transfer.requested_at
            return Display(
                "hold",
                "phone-outgoing",
                gettext("On hold · ringing %(name)s") % {"name": name},
                since=since,
                order=0,
            )
        case TransferState.CONSULTING:
            since = (attempt and attempt.answered_at) or transfer.requested_at
            return Display(
                "brief", "messages", gettext("Briefing %(name)s") % {"name": name}, since=since, order=3
            )
        case TransferState.MERGING:
            return Display(
                "brief",
                "arrows-join",
                gettext("Joining %(name)s") % {"name": name},
                since=call.caller_since,
                order=3,
            )
        case TransferState.MERGED if transfer.parked_at:
            return Display("hold", "player-pause", gettext("On hold"), since=transfer.parked_at, order=0)
        case TransferState.MERGED:
            return Display(
                "merged", "users", gettext("With %(name)s") % {"name": name}, since=transfer.merged_at, order=6
            )
    if call.caller_with == CallerWith.AI and transfer.end_reason in BACK_BECAUSE:
        why = gettext(BACK_BECAUSE[EndReason(transfer.end_reason)])
        return Display(
            "failed",
            "arrow-back-up",
            gettext("Back with AI · %(why)s") % {"why": why},
            since=call.caller_since,
            order=4,
        )
    return call_display(call)


def _ringing_since(attempt: Attempt | None) -> datetime | None:
    return (attempt.ringing_at or attempt.dialed_at or attempt.reserved_at) if attempt else None


def transfer_display(transfer_state: str, end_reason: str) -> Display:
    """How a transfer stands or ended, for lists."""
    state = TransferState(transfer_state)
    if state in RESULT:
        role, icon = RESULT[state]
        words = EndReason(end_reason).label if end_reason else state.label
        return Display(role, icon, str(words))
    role = {
        TransferState.REQUESTED: "approval",
        TransferState.QUEUED: "hold",
        TransferState.CONNECTING: "hold",
        TransferState.MERGED: "merged",
    }.get(state, "brief")
    return Display(role, "arrows-transfer-up", str(state.label))


def attempt_words(attempt: Attempt) -> str:
    """How one attempt to reach a manager went: “Did not answer (SIP 480)”."""
    if attempt.state != AttemptState.FAILED:
        return str(AttemptState(attempt.state).label)
    label = str(Outcome(attempt.outcome).label) if attempt.outcome else gettext("Failed")
    kept = gettext(attempt.outcome_detail) if attempt.outcome_detail else ""
    detail = f"SIP {attempt.sip_status}" if attempt.sip_status else kept
    return f"{label} ({detail})" if detail else label
