"""How loud everybody in a room is and who is muted, as a job of the real livekit-server measures it."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from calls.agents.levels import levels_in
from calls.agents.protocol import Level
from calls.telephony.simulator.party import Party
from calls.telephony.tokens import mint
from tests.livekit import LiveKitServer

pytestmark = pytest.mark.contract

ROOM = "call-levels"
LOUD, WITHIN_S = 0.1, 20.0


async def test_who_speaks_is_loud_who_does_not_is_silent_and_who_is_muted_is_told(
    livekit_server: LiveKitServer,
) -> None:
    listener = rtc.Room()
    loud, quiet, line = (
        Party(livekit_server.url, mint(kind, room=ROOM, subject="1"), listens=False)
        for kind in ("test_caller", "manager_call", "barge")
    )
    people = (loud, quiet, line)

    async def told(**expected: bool) -> dict[str, Level]:
        """Once it is as loud, by name, as it should be."""
        names = {"loud": loud.room.local_participant.identity, "quiet": quiet.room.local_participant.identity}
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = {one.identity: one for one in await levels_in(listener)}
                if all(
                    names[n] in found and (found[names[n]].level > LOUD) is is_loud
                    for n, is_loud in expected.items()
                ):
                    return {n: found[identity] for n, identity in names.items()}
                await asyncio.sleep(0.1)  # nobody tells when WebRTC has measured

    try:
        for one in people:
            await one.connect()
        await listener.connect(livekit_server.url, mint("barge", room=ROOM, subject="2"))
        loud.set_tone(1000.0, 0.5)
        first = await told(loud=True, quiet=False)
        assert not first["loud"].muted
        (microphone,) = loud.room.local_participant.track_publications.values()
        assert microphone.track
        microphone.track.mute()
        quiet.set_tone(700.0, 0.5)
        then = await told(loud=False, quiet=True)
        assert then["loud"].muted
    finally:
        for one in people:
            await one.leave()
        await listener.disconnect()
