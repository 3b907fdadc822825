"""The call's lifecycle as data: the caller's state, in the words of the warm-transfer workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy


class CallState(models.TextChoices):
    ACTIVE = "active", gettext_lazy("Active")
    ESCALATED = "escalated", gettext_lazy("Escalated")  # on hold or with a person
    INACTIVE = "inactive", gettext_lazy("Ended")


class CallerWith(models.TextChoices):
    AI = "ai", gettext_lazy("With AI")
    HOLD = "hold", gettext_lazy("On hold")
    MANAGER = "manager", gettext_lazy("With a manager")
    SUPERVISOR = "supervisor", gettext_lazy("With a supervisor")


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

    LISTEN = "listen", gettext_lazy("Listening")
    WHISPER = "whisper", gettext_lazy("Whispering")
    BARGE = "barge", gettext_lazy("Joined in")
    TAKE_OVER = "take_over", gettext_lazy("Took over")


class SupervisionState(models.TextChoices):
    OPENED = "opened", gettext_lazy("Opened")  # a token was given, and nobody has come with it yet
    JOINED = "joined", gettext_lazy("Joined")
    ENDED = "ended", gettext_lazy("Ended")


class SupervisionEnd(models.TextChoices):
    STOPPED = "stopped", gettext_lazy("Stopped")
    GAVE_BACK = "gave_back", gettext_lazy("Gave the caller back")
    UNUSED = "unused", gettext_lazy("Did not come")
    LOST = "lost", gettext_lazy("The connection was lost")
    REPLACED = "replaced", gettext_lazy("Did something else instead")
    TAKEN_OVER = "taken_over", gettext_lazy("The call was taken over")
    SIDE_OVER = "side_over", gettext_lazy("The manager left")
    CALL_ENDED = "call_ended", gettext_lazy("The call ended")


SUPERVISION_TRANSITIONS: Final[Mapping[SupervisionState, frozenset[SupervisionState]]] = {
    SupervisionState.OPENED: frozenset({SupervisionState.JOINED, SupervisionState.ENDED}),
    SupervisionState.JOINED: frozenset({SupervisionState.ENDED}),
    SupervisionState.ENDED: frozenset(),
}


class IllegalTransition(Exception):
    """The pair is not in the transition table: a fault of the caller of the service, never of a person."""
