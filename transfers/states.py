"""The lifecycles of a transfer and of an attempt, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import models


class TransferState(models.TextChoices):
    REQUESTED = "requested", "Needs approval"
    QUEUED = "queued", "Looking for a manager"
    REJECTED = "rejected", "Not approved"
    CONNECTING = "connecting", "Ringing"
    CONSULTING = "consulting", "Briefing"
    MERGING = "merging", "Joining"
    MERGED = "merged", "Joined"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Nobody could take it"
    CANCELLED = "cancelled", "Cancelled"


class EndReason(models.TextChoices):
    CONNECTED = "connected", "Connected"
    NO_MANAGER = "no_manager", "Nobody answered"
    DECLINED = "declined", "Declined"
    NOT_APPROVED = "not_approved", "Not approved"
    OUTSIDE_HOURS = "outside_hours", "Outside hours"
    CALLER_LEFT = "caller_left", "The caller hung up"
    CALLER_RETURNED = "caller_returned", "The caller went back to the AI"
    SUPERVISOR_CANCELLED = "supervisor_cancelled", "Cancelled by a supervisor"
    TAKEN_OVER = "taken_over", "Taken over by a supervisor"
    CALLBACK = "callback", "Callback"
    CALLER_UNREACHED = "caller_unreached", "The caller did not answer"
    COLD_COMPLETED = "cold_completed", "Transferred"
    COLD_UNCONFIRMED = "cold_unconfirmed", "Transferred, not confirmed"
    ERROR = "error", "Our fault"


class AttemptState(models.TextChoices):
    RESERVED = "reserved", "Reserved"
    DIALING = "dialing", "Dialing"
    RINGING = "ringing", "Ringing"
    SUMMARIZING = "summarizing", "Briefing"
    MERGED = "merged", "Joined"
    ENDED = "ended", "Ended"
    FAILED = "failed", "Failed"


class Outcome(models.TextChoices):
    """Why an attempt failed."""

    NO_ANSWER = "no_answer", "Did not answer"
    BUSY = "busy", "Busy"
    DECLINED = "declined", "Declined"
    VOICEMAIL = "voicemail", "Voicemail answered"
    UNREACHABLE = "unreachable", "Could not be reached"
    INVALID_NUMBER = "invalid_number", "The number does not exist"
    NOT_ALLOWED = "not_allowed", "The dialling rules refuse the number"
    TRUNK_ERROR = "trunk_error", "The phone line failed"
    HUNG_UP = "hung_up", "Hung up during the briefing"
    SILENT = "silent", "Answered but said nothing"
    TIMED_OUT = "timed_out", "Took too long"
    REDIRECTED = "redirected", "Sent the caller elsewhere"
    MERGE_FAILED = "merge_failed", "Could not be joined"
    LOST = "lost", "The call to them was lost"
    AGENT_LOST = "agent_lost", "The transfer agent was lost"
    CANCELLED = "cancelled", "Cancelled"


T, A = TransferState, AttemptState

TRANSFER_TRANSITIONS: Final[Mapping[TransferState, frozenset[TransferState]]] = {
    T.REQUESTED: frozenset({T.QUEUED, T.REJECTED, T.CANCELLED}),
    T.QUEUED: frozenset({T.CONNECTING, T.FAILED, T.CANCELLED}),
    T.CONNECTING: frozenset({T.CONSULTING, T.QUEUED, T.FAILED, T.CANCELLED, T.COMPLETED}),  # completed: cold
    T.CONSULTING: frozenset({T.MERGING, T.QUEUED, T.FAILED, T.CANCELLED}),
    T.MERGING: frozenset({T.MERGED, T.QUEUED, T.FAILED, T.CANCELLED}),
    T.MERGED: frozenset({T.COMPLETED}),
    T.REJECTED: frozenset(),
    T.COMPLETED: frozenset(),
    T.FAILED: frozenset(),
    T.CANCELLED: frozenset(),
}

ATTEMPT_TRANSITIONS: Final[Mapping[AttemptState, frozenset[AttemptState]]] = {
    A.RESERVED: frozenset({A.DIALING, A.FAILED}),
    A.DIALING: frozenset({A.RINGING, A.SUMMARIZING, A.FAILED}),
    A.RINGING: frozenset({A.SUMMARIZING, A.FAILED}),
    A.SUMMARIZING: frozenset({A.MERGED, A.FAILED}),
    A.MERGED: frozenset({A.ENDED}),
    A.ENDED: frozenset(),
    A.FAILED: frozenset(),
}

OPEN_TRANSFER: Final = (T.REQUESTED, T.QUEUED, T.CONNECTING, T.CONSULTING, T.MERGING)
LIVE_TRANSFER: Final = (*OPEN_TRANSFER, T.MERGED)
OPEN_ATTEMPT: Final = (A.RESERVED, A.DIALING, A.RINGING, A.SUMMARIZING, A.MERGED)
UNANSWERED: Final = (A.RESERVED, A.DIALING, A.RINGING)


class ManagerState(models.TextChoices):
    """The manager's state in the words of the warm-transfer workflow: a property of the attempt."""

    INACTIVE = "inactive"
    SUMMARIZING = "summarizing"
    MERGED = "merged"
    FAILED = "failed"


MANAGER_STATE: Final[Mapping[AttemptState, ManagerState]] = {
    A.RESERVED: ManagerState.INACTIVE,
    A.DIALING: ManagerState.INACTIVE,
    A.RINGING: ManagerState.INACTIVE,
    A.SUMMARIZING: ManagerState.SUMMARIZING,
    A.MERGED: ManagerState.MERGED,
    A.ENDED: ManagerState.INACTIVE,
    A.FAILED: ManagerState.FAILED,
}
