"""The call's lifecycle as data: the caller's state, in the words of the warm-transfer workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import models


class CallState(models.TextChoices):
    ACTIVE = "active", "Active"
    ESCALATED = "escalated", "Escalated"  # on hold or with a person
    INACTIVE = "inactive", "Ended"


class CallerWith(models.TextChoices):
    AI = "ai", "With AI"
    HOLD = "hold", "On hold"
    MANAGER = "manager", "With a manager"
    SUPERVISOR = "supervisor", "With a supervisor"


CALL_TRANSITIONS: Final[Mapping[CallState, frozenset[CallState]]] = {
    CallState.ACTIVE: frozenset({CallState.ESCALATED, CallState.INACTIVE}),
    CallState.ESCALATED: frozenset({CallState.ACTIVE, CallState.INACTIVE}),
    CallState.INACTIVE: frozenset(),
}

STATE_OF: Final[Mapping[CallerWith, CallState]] = {
    CallerWith.AI: CallState.ACTIVE,
    CallerWith.HOLD: CallState.ESCALATED,
    CallerWith.MANAGER: CallState.ESCALATED,
    CallerWith.SUPERVISOR: CallState.ESCALATED,
}


class SupervisionMode(models.TextChoices):
    """What a supervisor does in a call. All of them hear; who hears them is `telephony/hears.py`."""

    LISTEN = "listen", "Listening"
    WHISPER = "whisper", "Whispering"
    BARGE = "barge", "Joined in"
    TAKE_OVER = "take_over", "Took over"


class SupervisionState(models.TextChoices):
    OPENED = "opened", "Opened"  # a token was given, and nobody has come with it yet
    JOINED = "joined", "Joined"
    ENDED = "ended", "Ended"


class SupervisionEnd(models.TextChoices):
    STOPPED = "stopped", "Stopped"
    GAVE_BACK = "gave_back", "Gave the caller back"
    UNUSED = "unused", "Did not come"
    LOST = "lost", "The connection was lost"
    REPLACED = "replaced", "Did something else instead"
    TAKEN_OVER = "taken_over", "The call was taken over"
    SIDE_OVER = "side_over", "The manager left"
    CALL_ENDED = "call_ended", "The call ended"


SUPERVISION_TRANSITIONS: Final[Mapping[SupervisionState, frozenset[SupervisionState]]] = {
    SupervisionState.OPENED: frozenset({SupervisionState.JOINED, SupervisionState.ENDED}),
    SupervisionState.JOINED: frozenset({SupervisionState.ENDED}),
    SupervisionState.ENDED: frozenset(),
}


class IllegalTransition(Exception):
    """The pair is not in the transition table: a fault of the caller of the service, never of a person."""
