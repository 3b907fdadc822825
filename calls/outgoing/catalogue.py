"""Which events programs are told of, under which names. `transfers` adds its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from calls.events import CallEnded, CallMoved, CallStarted, DepartmentChanged, EventBody
from calls.models import Call, Event

Facts = Mapping[str, Any]
Departments = Callable[[Event], Collection[int | None]]


@dataclass(frozen=True)
class Outgoing:
    """One public type. An event has one of them at most: the first whose `when` holds of its facts.

    `departments` says of which an event is; none: nobody is told.
    """

    name: str
    words: str
    departments: Departments
    when: Callable[[Facts], bool] = lambda facts: True


TEST = "patchbay.test"
NOBODY = UUID(int=0)
_of: dict[str, list[Outgoing]] = {}


def announce(body: type[EventBody], outgoing: Outgoing) -> None:
    _of.setdefault(body.type, []).append(outgoing)


def outgoing_of(event: Event) -> Outgoing | None:
    return next((one for one in _of.get(event.type, ()) if one.when(event.facts)), None)


def choices() -> list[tuple[str, str]]:
    """Every public type and what it means."""
    return [(one.name, f"{gettext(one.words)} ({one.name})") for many in _of.values() for one in many]


def event_types(names: Collection[str]) -> set[str]:
    """The kinds of events that may become one of these public types."""
    return {kind for kind, many in _of.items() if any(one.name in names for one in many)}


def of_call(event: Event) -> Collection[int | None]:
    """A call's own; a rehearsal is nobody's business."""
    real = Call.objects.filter(pk=event.call_id or NOBODY, rehearsal=False)
    return list(real.values_list("department_id", flat=True))


def register() -> None:
    announce(CallStarted, Outgoing("call.started", gettext_noop("A call began"), of_call))
    announce(CallMoved, Outgoing("call.moved", gettext_noop("The caller is with somebody else"), of_call))
    announce(
        DepartmentChanged,
        Outgoing("call.department_changed", gettext_noop("A call's department changed"), of_call),
    )
    announce(CallEnded, Outgoing("call.ended", gettext_noop("A call ended"), of_call))
