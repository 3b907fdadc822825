"""The line between two rooms: the manager's voice into the caller's room, the caller's into the consultation.

One track a speaker, a supervisor who joins in too, so that nothing has to be mixed here: phones and browsers mix
what they are sent. It is in the caller's room from the answer on, and carries nothing before the merge; the rooms
are separate, so nothing leaks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import tts
from livekit.agents.utils.audio import AudioByteStream

from calls.agents import protocol as p
from calls.agents.audio import spoken
from calls.agents.job import is_caller, is_support

logger = logging.getLogger("patchbay.agents")

RATE = 48_000
FRAME_MS = 10
FRAME_SAMPLES = RATE * FRAME_MS // 1000
LATE_FRAMES = 8  # what is later than 80 ms is dropped rather than heard late
HEARD_LEVEL = 100  # int16; above the noise of a quiet line
SUPPORT = "support"
SPEAKERS = {SUPPORT: p.Speaker.AI, "caller": p.Speaker.CALLER}


class Bridge:
    """`join` the caller's room, then `carry`. `heard` is told each speaker whose voice got through, once."""

    def __init__(
        self, consultation: rtc.Room, manager: str, *, url: str, token: str, heard: Callable[[p.Speaker], None]
    ) -> None:
        self.consultation, self.manager = consultation, manager
        self.call = rtc.Room()
        self.carrying = asyncio.Event()
        self._url, self._token, self._heard = url, token, heard
        self._to_caller: rtc.AudioSource | None = None
        self._to_manager: dict[str, rtc.AudioSource] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._told: set[p.Speaker] = set()
        self._admitted: set[str] = set()  # supervisors who have joined in

    # ── before the merge ─────────────────────────────────────────────────────────────────────────

    async def join(self) -> None:
        """Be ready in both rooms: connected, tracks published, subscribed by identity; nothing is carried."""
        self.call.on("track_published", self._published)
        self.call.on("track_subscribed", self._subscribed)
        self.call.on("track_unsubscribed", self._unsubscribed)
        self.consultation.on("track_subscribed", self._subscribed)
        await self.call.connect(self._url, self._token, options=rtc.RoomOptions(auto_subscribe=False))
        self._to_caller = await _voice(self.call, "manager")
        for speaker in ("caller", SUPPORT):
            self._to_manager[speaker] = await _voice(self.consultation, speaker)
        for who in self.call.remote_participants.values():
            for publication in who.track_publications.values():
                self._published(publication, who)

    def _published(self, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant) -> None:
        if self._speaker(publication, who):
            publication.set_subscribed(True)

    async def admit(self, supervisor: str) -> None:
        """The manager is to hear this supervisor of the caller's room too, while audio is carried."""
        if supervisor in self._admitted:
            return
        self._to_manager[supervisor] = await _voice(self.consultation, supervisor)
        self._admitted.add(supervisor)
        for publication, who in self._published_by(supervisor):
            self._published(publication, who)
            if publication.track:
                self._subscribed(publication.track, publication, who)

    async def dismiss(self, supervisor: str) -> None:
        """Not any more."""
        self._admitted.discard(supervisor)
        self._to_manager.pop(supervisor, None)
        for publication, _ in self._published_by(supervisor):
            pump = self._pumps.pop(publication.sid, None)
            if pump:
                pump.cancel()
            publication.set_subscribed(False)
        for mine in list(self.consultation.local_participant.track_publications.values()):
            if mine.name == supervisor:
                await self.consultation.local_participant.unpublish_track(mine.sid)

    def _published_by(self, identity: str) -> list[tuple[rtc.RemoteTrackPublication, rtc.RemoteParticipant]]:
        who = self.call.remote_participants.get(identity)
        return [(publication, who) for publication in who.track_publications.values()] if who else []

    def _speaker(self, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant) -> str:
        """Whom this track is of, for the manager's ears; empty: not for them. Hold music is no microphone."""
        if publication.kind != rtc.TrackKind.KIND_AUDIO:
            return ""
        if is_support(who):
            return SUPPORT if publication.source == rtc.TrackSource.SOURCE_MICROPHONE else ""
        if who.identity in self._admitted:
            return who.identity
        return "caller" if is_caller(who) else ""

    # ── the merge ────────────────────────────────────────────────────────────────────────────────

    async def carry(self) -> None:
        """From now on they hear each other. Returns when both ways flow, or one side has no microphone."""
        self.carrying.set()
        for room in (self.consultation, self.call):
            for who in room.remote_participants.values():
                for publication in who.track_publications.values():
                    if publication.track:
                        self._subscribed(publication.track, publication, who)

    def pause(self) -> None:
        """Nothing is carried until the next `carry`."""
        self.carrying.clear()
        for pump in self._pumps.values():
            pump.cancel()
        self._pumps.clear()

    async def tell_manager(self, voice: tts.TTS[Any], words: str) -> None:
        """Say something to the manager alone, on the AI's track of the consultation."""
        source = self._to_manager.get(SUPPORT)
        if source is None:
            return
        async for frame in _paced(spoken(voice, words, rate=RATE)):
            await source.capture_frame(frame)

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        if not self.carrying.is_set() or not isinstance(track, rtc.RemoteAudioTrack):
            return
        if who.identity == self.manager:
            source, speaker = self._to_caller, p.Speaker.MANAGER
        else:
            kind = self._speaker(publication, who)
            source = self._to_manager.get(kind)
            speaker = SPEAKERS.get(kind, p.Speaker.SUPERVISOR)
        if source and publication.sid not in self._pumps:
            self._pumps[publication.sid] = asyncio.create_task(self._pump(track, source, speaker))

    def _unsubscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        pump = self._pumps.pop(publication.sid, None)
        if pump:
            pump.cancel()

    async def _pump(self, track: rtc.RemoteAudioTrack, source: rtc.AudioSource, speaker: p.Speaker) -> None:
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS, capacity=LATE_FRAMES
        )
        try:
            async for event in stream:
                await source.capture_frame(event.frame)
                if speaker not in self._told:
                    self._notice(event.frame, speaker)
        finally:
            await stream.aclose()

    def _notice(self, frame: rtc.AudioFrame, speaker: p.Speaker) -> None:
        if np.abs(np.frombuffer(frame.data, dtype=np.int16)).max(initial=0) > HEARD_LEVEL:
            self._told.add(speaker)
            self._heard(speaker)

    async def close(self) -> None:
        for pump in self._pumps.values():
            pump.cancel()
        with suppress(Exception):
            await self.call.disconnect()


async def _paced(frames: AsyncIterator[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
    """Frames of 10 ms, each in its time: a track without a queue takes no others. Silence fills the last."""
    loop = asyncio.get_running_loop()
    pieces = AudioByteStream(RATE, 1, FRAME_SAMPLES)
    silence = b"\0" * (2 * (FRAME_SAMPLES - 1))
    due = loop.time()
    async for frame in frames:
        for piece in pieces.write(frame.data):
            yield piece
            due += FRAME_MS / 1000
            await asyncio.sleep(due - loop.time())
    for piece in pieces.write(silence):
        yield piece


async def _voice(room: rtc.Room, name: str) -> rtc.AudioSource:
    """A track in a room for what we carry into it, without a queue: 40 ms sooner at the other end."""
    source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
    await room.local_participant.publish_track(track, options)
    return source
