"""Whoever is called back is not spoken to while it still rings at their end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from calls.agents import caller as callers


class Room(rtc.EventEmitter[str]):
    """As much of a room as is looked at."""

    def __init__(self, **status: str) -> None:
        super().__init__()
        self.remote_participants = {
            identity: SimpleNamespace(attributes={"sip.callStatus": value} if value else {})
            for identity, value in status.items()
        }

    def change(self, identity: str, status: str) -> None:
        who = self.remote_participants[identity]
        who.attributes["sip.callStatus"] = status
        self.emit("participant_attributes_changed", {"sip.callStatus": status}, who)

    def leave(self, identity: str) -> None:
        self.emit("participant_disconnected", self.remote_participants.pop(identity))


async def picked_up(room: Room) -> None:
    await callers.picked_up(cast(rtc.Room, room), "caller")


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize("status", ["", "active", "hangup"])
async def test_who_is_on_the_line_is_not_waited_for(status: str) -> None:
    await asyncio.wait_for(picked_up(Room(caller=status)), 1)
    await asyncio.wait_for(picked_up(Room()), 1)


async def test_words_wait_until_it_is_picked_up() -> None:
    room = Room(caller="dialing", other="ringing")
    waiting = asyncio.create_task(picked_up(room))
    await settled()
    room.change("caller", "ringing")
    room.change("other", "active")
    await settled()
    assert not waiting.done()
    room.change("caller", "active")
    await asyncio.wait_for(waiting, 1)


async def test_who_does_not_pick_up_is_not_waited_for_any_longer() -> None:
    room = Room(caller="ringing")
    waiting = asyncio.create_task(picked_up(room))
    await settled()
    room.leave("caller")
    await asyncio.wait_for(waiting, 1)
