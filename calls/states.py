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


class IllegalTransition(Exception):
    """The pair is not in the transition table: a fault of the caller of the service, never of a person."""
