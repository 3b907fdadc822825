"""The lifecycles of a transfer and of an attempt, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy


class TransferState(models.TextChoices):
    REQUESTED = "requested", gettext_lazy("Needs approval")
    QUEUED = "queued", gettext_lazy("Looking for a manager")
    REJECTED = "rejected", gettext_lazy("Not approved")
    CONNECTING = "connecting", gettext_lazy("Ringing")
    CONSULTING = "consulting", gettext_lazy("Briefing")
    MERGING = "merging", gettext_lazy("Joining")
    MERGED = "merged", gettext_lazy("Joined")
    COMPLETED = "completed", gettext_lazy("Completed")
    FAILED = "failed", gettext_lazy("Nobody could take it")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


class EndReason(models.TextChoices):
    CONNECTED = "connected", gettext_lazy("Connected")
    NO_MANAGER = "no_manager", gettext_lazy("Nobody answered")
    DECLINED = "declined", gettext_lazy("Declined")
    NOT_APPROVED = "not_approved", gettext_lazy("Not approved")
    OUTSIDE_HOURS = "outside_hours", gettext_lazy("Outside hours")
    CALLER_LEFT = "caller_left", gettext_lazy("The caller hung up")
    CALLER_RETURNED = "caller_returned", gettext_lazy("The caller went back to the AI")
    SUPERVISOR_CANCELLED = "supervisor_cancelled", gettext_lazy("Cancelled by a supervisor")
    TAKEN_OVER = "taken_over", gettext_lazy("Taken over by a supervisor")
    CALLBACK = "callback", gettext_lazy("Callback")
    CALLER_UNREACHED = "caller_unreached", gettext_lazy("The caller did not answer")
    COLD_COMPLETED = "cold_completed", gettext_lazy("Transferred")
    COLD_UNCONFIRMED = "cold_unconfirmed", gettext_lazy("Transferred, not confirmed")
    ERROR = "error", gettext_lazy("Our fault")


class AttemptState(models.TextChoices):
    RESERVED = "reserved", gettext_lazy("Reserved")
    DIALING = "dialing", gettext_lazy("Dialing")
    RINGING = "ringing", gettext_lazy("Ringing")
    SUMMARIZING = "summarizing", gettext_lazy("Briefing")
    MERGED = "merged", gettext_lazy("Joined")
    ENDED = "ended", gettext_lazy("Ended")
    FAILED = "failed", gettext_lazy("Failed")


class Outcome(models.TextChoices):
    """Why an attempt failed."""

    NO_ANSWER = "no_answer", gettext_lazy("Did not answer")
    BUSY = "busy", gettext_lazy("Busy")
    DECLINED = "declined", gettext_lazy("Declined")
    VOICEMAIL = "voicemail", gettext_lazy("Voicemail answered")
    UNREACHABLE = "unreachable", gettext_lazy("Could not be reached")
    INVALID_NUMBER = "invalid_number", gettext_lazy("The number does not exist")
    NOT_ALLOWED = "not_allowed", gettext_lazy("The dialling rules refuse the number")
    TRUNK_ERROR = "trunk_error", gettext_lazy("The phone line failed")
    HUNG_UP = "hung_up", gettext_lazy("Hung up during the briefing")
    SILENT = "silent", gettext_lazy("Answered but said nothing")
    TIMED_OUT = "timed_out", gettext_lazy("Took too long")
    REDIRECTED = "redirected", gettext_lazy("Sent the caller elsewhere")
    MERGE_FAILED = "merge_failed", gettext_lazy("Could not be joined")
    LOST = "lost", gettext_lazy("The call to them was lost")
    AGENT_LOST = "agent_lost", gettext_lazy("The transfer agent was lost")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


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
