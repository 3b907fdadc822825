"""Which call a SupportAgent's job belongs to: the one of its room, opened by its first word if need be."""

from __future__ import annotations

from datetime import timedelta

from calls.agents.protocol import Hello, Role
from calls.link import registry
from calls.models import Call
from calls.services.calls import live_call, open_call
from calls.services.legs import RoomFact, call_for
from calls.timing import now

TOO_LATE = timedelta(seconds=10)


def _call(hello: Hello) -> Call | None:
    """A caller may hang up before their agent's first word: that word opens no second call."""
    live = live_call(hello.room)
    if live:
        return live
    if Call.objects.filter(room_name=hello.room, ended_at__gt=now() - TOO_LATE).exists():
        return None
    fact = RoomFact(name=hello.room, sid=hello.room_sid, metadata=hello.room_metadata)
    return call_for(fact) or open_call(hello.room, room_sid=hello.room_sid)


def register() -> None:
    registry.resolve_with(Role.SUPPORT, _call)
