"""A whisper before the real livekit-server: whom it is sent, by the publisher's word and by the server's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from livekit import rtc

from calls.call_effects import Aside, _keep_aside
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.tokens import mint
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.patience import PATIENCE_S
from tests.watching import until

pytestmark = pytest.mark.contract

ROOM = "call-whisper"
MANAGER, WHISPERER = "manager-1", "supervisor-1"
OTHERS = ("caller-1", "listen-1", "supervisor-2")
RATE, BLOCK = 48_000, 480
A_SECOND = 100  # frames


class Ears:
    """Everybody in the room, and how many frames each was sent of whom: a client learns late that it is not sent
    a track any more."""

    def __init__(self) -> None:
        self.rooms: dict[str, rtc.Room] = {}
        self.hears: dict[str, Counter[str]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def enter(self, url: str, token: str, identity: str) -> rtc.Room:
        room = self.rooms[identity] = rtc.Room()
        hears = self.hears[identity] = Counter()

        async def listen(track: rtc.Track, who: str) -> None:
            async for _ in rtc.AudioStream(track):
                hears[who] += 1

        room.on(
            "track_subscribed",
            lambda track, publication, who: self.tasks.append(asyncio.create_task(listen(track, who.identity))),
        )
        await room.connect(url, token)
        return room

    async def speak(self, identity: str) -> None:
        """From now on, all the time."""
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await self.rooms[identity].local_participant.publish_track(track, options)

        async def talk() -> None:
            while True:
                await source.capture_frame(rtc.AudioFrame(bytes(2 * BLOCK), RATE, 1, BLOCK))

        self.tasks.append(asyncio.create_task(talk()))

    async def meanwhile(self, *deaf: str) -> bool:
        """Whether the manager is sent a second of the whisper, and `deaf` nothing of it meanwhile."""
        before = {one: self.hears[one][WHISPERER] for one in (MANAGER, *deaf)}
        await until(lambda: self.hears[MANAGER][WHISPERER] >= before[MANAGER] + A_SECOND)
        return all(self.hears[one][WHISPERER] == before[one] for one in deaf)


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
        for task in made.tasks:
            task.cancel()
        for room in made.rooms.values():
            await room.disconnect()
        await gateway.delete_room(ROOM)
        await gateway.close()


async def test_the_publisher_s_word_keeps_it_from_everybody_else(ears: Ears) -> None:
    whisperer = ears.rooms[WHISPERER]
    only = rtc.ParticipantTrackPermission(participant_identity=MANAGER, allow_all=True)
    whisperer.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[only]
    )
    await ears.speak(WHISPERER)
    await ears.speak(OTHERS[2])  # which everybody is sent: what comes before has been decided then
    await until(lambda: all(ears.hears[one][OTHERS[2]] for one in (MANAGER, *OTHERS[:2])))
    assert await ears.meanwhile(*OTHERS)
    assert [ears.hears[one][WHISPERER] for one in OTHERS] == [0] * 3


async def test_the_server_s_word_keeps_it_from_everybody_else(ears: Ears, livekit_server: LiveKitServer) -> None:
    """A browser that lets everybody subscribe is not obeyed for long."""
    await ears.speak(WHISPERER)
    await until(lambda: all(ears.hears[one][WHISPERER] for one in (MANAGER, *OTHERS)))
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    try:
        await _keep_aside(gateway, Aside(ROOM, WHISPERER, MANAGER))
    finally:
        await gateway.close()
    async with asyncio.timeout(PATIENCE_S):
        while not await ears.meanwhile(*OTHERS):
            pass  # what was on its way
