"""How loud everybody in a job's rooms is, and who is muted: told only while somebody has the call's page open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from livekit import rtc

from calls.agents import protocol as p
from calls.agents.link import AgentLink

EVERY_SECONDS = 0.5
OUR_LINES = ("transfer-", "bridge-")  # they carry the voices of others, who are told by themselves


async def tell(link: AgentLink, rooms: Sequence[rtc.Room]) -> None:
    """For the life of a job; `rooms` may grow meanwhile."""
    while True:
        await link.looked_at()
        people = [one for room in rooms if room.isconnected() for one in await levels_in(room)]
        await link.tell(p.Levels(people=tuple(people)))
        await asyncio.sleep(EVERY_SECONDS)


async def levels_in(room: rtc.Room) -> list[p.Level]:
    """Of everybody else there who has a microphone, as this job receives them."""
    found = []
    for who in list(room.remote_participants.values()):
        microphones = [one for one in who.track_publications.values() if _is_microphone(one)]
        if microphones and not who.identity.startswith(OUR_LINES):
            muted = all(one.muted for one in microphones)
            level = 0.0 if muted else max([await _received(one) for one in microphones])
            found.append(p.Level(identity=who.identity, level=min(level, 1.0), muted=muted))
    return found


async def _received(one: rtc.RemoteTrackPublication) -> float:
    """The level that WebRTC measured last, 0 to 1; 0 of a track that this job is not sent."""
    if one.track is None:
        return 0.0
    try:
        stats = await one.track.get_stats()
    except Exception:  # the client raises nothing narrower when the track has just gone
        return 0.0
    received = [each.inbound_rtp.inbound for each in stats if each.HasField("inbound_rtp")]
    return max((each.audio_level for each in received), default=0.0)


def _is_microphone(one: rtc.RemoteTrackPublication) -> bool:
    """Hold music is a track of its own."""
    return one.kind == rtc.TrackKind.KIND_AUDIO and one.source == rtc.TrackSource.SOURCE_MICROPHONE
