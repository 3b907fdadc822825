"""Which call a SupportAgent's job belongs to: the one of its room, opened by its first word if need be."""

from __future__ import annotations

from calls.agents.protocol import Hello, Role
from calls.link import registry
from calls.models import Call
from calls.services.calls import call_of_room


def _call(hello: Hello) -> Call | None:
    return call_of_room(hello.room)


def register() -> None:
    registry.resolve_with(Role.SUPPORT, _call)
