"""How states, times and numbers look: one language everywhere, always a colour role, an icon and words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.utils.translation import gettext

from calls.access import Sight
from calls.models import Call, Department
from calls.states import CallerWith

# With a plus, or digits that are not part of an id such as 8299c58f-a9ca-4b35.
LONG_NUMBER = re.compile(r"(?:\+\d[\d ().-]{5,}\d|(?<![0-9a-fA-F-])\d[\d ().-]{5,}\d)(?![0-9a-fA-F])")


class Caller(Protocol):
    """What a call knows of its caller, where a page reads no more of it."""

    @property
    def caller_number(self) -> str: ...
    @property
    def caller_last4(self) -> str: ...
    @property
    def erased_at(self) -> datetime | None: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True)
class Display:
    """A state as shown. `role` is a colour role of patchbay.css; a clock ticks from `since` or down to `until`."""

    role: str
    icon: str
    words: str
    since: datetime | None = None
    until: datetime | None = None
    fixed: str = ""  # a duration that no longer grows
    pulses: bool = False
    order: int = 5  # on the wallboard: smaller needs more attention


def department_name(department: Department | None) -> str:
    """Its name, or what stands for calls that no department has."""
    return department.name if department else gettext("Unassigned")


def clock(span: timedelta | None) -> str:
    """0:14, 2:10, 1:02:03."""
    seconds = max(0, int(span.total_seconds())) if span is not None else 0
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def call_display(call: Call) -> Display:
    """The call's own state, as far as `calls` knows it."""
    if not call.is_live:
        took = clock((call.ended_at or call.started_at) - call.started_at)
        return Display("ended", "phone-off", gettext("Ended"), fixed=took, order=9)
    match CallerWith(call.caller_with):
        case CallerWith.HOLD:
            return Display("hold", "player-pause", gettext("On hold"), since=call.caller_since, order=0)
        case CallerWith.MANAGER:
            return Display("merged", "users", gettext("With a manager"), since=call.caller_since, order=6)
        case CallerWith.SUPERVISOR:
            return Display("merged", "headset", gettext("With a supervisor"), since=call.caller_since, order=6)
    return Display("ai", "message-chatbot", gettext("With AI"), since=call.caller_since, order=5)


def caller_name(call: Caller, sight: Sight) -> str:
    """The caller's number by its last four, in full only for those who may see it."""
    if sight.full_number and call.caller_number:
        return call.caller_number
    if call.caller_last4:
        return f"…{call.caller_last4}"
    if call.erased_at:
        return gettext("Erased caller")
    return gettext("Test caller") if call.source == Call.Source.TEST else gettext("Unknown caller")


def masked(text: str, sight: Sight) -> str:
    """Any number in a name, an identity or an attribute, down to its last four."""
    if sight.full_number:
        return text
    return LONG_NUMBER.sub(lambda match: "…" + re.sub(r"\D", "", match.group())[-4:], text)
