"""A whisper before the real livekit-server: whom it is sent, by the publisher's word and by the server's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc

from calls.call_effects import Aside, _keep_aside
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.tokens import mint
from tests.livekit import KEY, SECRET, LiveKitServer

pytestmark = pytest.mark.contract

ROOM = "call-whisper"
MANAGER, WHISPERER = "manager-1", "supervisor-1"
OTHERS = ("caller-1", "listen-1", "supervisor-2")
WITHIN_S = 10.0


class Ears:
    """Everybody in the room, and from whom each is sent a track."""

    def __init__(self) -> None:
        self.rooms: dict[str, rtc.Room] = {}
        self.hears: dict[str, set[str]] = {}

    async def enter(self, url: str, token: str, identity: str) -> rtc.Room:
        room = self.rooms[identity] = rtc.Room()
        hears = self.hears[identity] = set()
        room.on("track_subscribed", lambda track, publication, who: hears.add(who.identity))
        room.on("track_unsubscribed", lambda track, publication, who: hears.discard(who.identity))
        await room.connect(url, token)
        return room

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not ready():  # noqa: ASYNC110 - the client tells each change in a callback of its own
                await asyncio.sleep(0.05)


@pytest.fixture
async def ears(livekit_server: LiveKitServer) -> AsyncIterator[Ears]:
    made, gateway = Ears(), LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    await gateway.create_room(ROOM)
    url = livekit_server.url
    await made.enter(url, mint("manager_call", room=ROOM, subject="1"), MANAGER)
    await made.enter(url, mint("test_caller", room=ROOM, subject="1"), OTHERS[0])
    await made.enter(url, mint("listen", room=ROOM, subject="1"), OTHERS[1])
    await made.enter(url, mint("barge", room=ROOM, subject="2"), OTHERS[2])
    await made.enter(url, mint("whisper", room=ROOM, subject="1"), WHISPERER)
    try:
        yield made
    finally:
        for room in made.rooms.values():
            await room.disconnect()
        await gateway.delete_room(ROOM)
        await gateway.close()


async def speak(room: rtc.Room) -> None:
    track = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48000, 1))
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)


async def test_the_publisher_s_word_keeps_it_from_everybody_else(ears: Ears) -> None:
    whisperer = ears.rooms[WHISPERER]
    only = rtc.ParticipantTrackPermission(participant_identity=MANAGER, allow_all=True)
    whisperer.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[only]
    )
    await speak(whisperer)
    await speak(ears.rooms[OTHERS[2]])  # which everybody is sent: what comes before has been decided then
    await ears.until(lambda: all(OTHERS[2] in ears.hears[one] for one in (MANAGER, *OTHERS[:2])))
    await ears.until(lambda: WHISPERER in ears.hears[MANAGER])
    assert [WHISPERER in ears.hears[one] for one in OTHERS] == [False] * 3


async def test_the_server_s_word_keeps_it_from_everybody_else(ears: Ears, livekit_server: LiveKitServer) -> None:
    """A browser that lets everybody subscribe is not obeyed for long."""
    await speak(ears.rooms[WHISPERER])
    await ears.until(lambda: all(WHISPERER in ears.hears[one] for one in (MANAGER, *OTHERS)))
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    try:
        await _keep_aside(gateway, Aside(ROOM, WHISPERER, MANAGER))
    finally:
        await gateway.close()
    await ears.until(lambda: not any(WHISPERER in ears.hears[one] for one in OTHERS))
    assert WHISPERER in ears.hears[MANAGER]
