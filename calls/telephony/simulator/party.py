"""Somebody with a voice and ears in a LiveKit room: a simulated phone or caller, or a person of a rehearsal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import jwt
import numpy as np
from livekit import rtc
from livekit.local_inference import VAD_WINDOW_SAMPLES

from calls.telephony.simulator.hearing import Hearing, Utterance
from calls.telephony.simulator.mouth import Mouth
from calls.telephony.simulator.recording import RATE, Recording, Samples

logger = logging.getLogger(__name__)

KEYS = "0123456789*#ABCD"  # a key's place is its code (RFC 4733)
TONE_LEVEL = 0.02
FRAME_MS = 50  # each frame wakes every open stream of the process: few, larger ones
LISTEN_S = 0.05
MICROPHONE = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False)

OnHeard = Callable[[str, float], Awaitable[None]]


class Party:
    """One participant, from `connect` to `leave`; bound to the event loop it was made on.

    `on_heard(text, at)` is called for every utterance heard, `at` its end in epoch seconds; `on_left(reason)`
    once, with LiveKit's name for the reason, whoever ended it. `listens` switches recognition (which costs CPU);
    the recording runs whenever the party is subscribed.
    """

    def __init__(self, url: str, token: str, *, listens: bool = True) -> None:
        self._url, self._token = url, token
        self.identity = str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
        self.on_key: Callable[[rtc.SipDTMF], None] | None = None
        self.recording = Recording(time.time())
        self.heard: list[Utterance] = []
        self.listens = listens
        self.on_heard: OnHeard | None = None
        self.on_utterance: Callable[[Utterance], None] | None = None  # at once, before `on_heard`
        self.on_left: Callable[[str], None] | None = None
        self._mouth: Mouth | None = None
        self._hearing: Hearing | None = None
        self._subscribed = False
        self._streams: dict[str, tuple[rtc.AudioStream, asyncio.Task[None]]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._reactions: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()
        self.room = self._new_room()

    def _new_room(self) -> rtc.Room:
        room = rtc.Room()
        room.on("track_published", self._on_published)
        room.on("track_subscribed", self._on_subscribed)
        room.on("track_unsubscribed", self._on_unsubscribed)
        room.on("sip_dtmf_received", self._on_dtmf)
        room.on("disconnected", lambda reason: self._on_disconnected(room, reason))
        return room

    @property
    def connected(self) -> bool:
        return self.room.isconnected() and not self._left.is_set()

    @property
    def speaking(self) -> bool:
        """Whether it is saying something itself."""
        return self._mouth is not None and self._mouth.speaking

    @property
    def hears_speech(self) -> bool:
        """Whether somebody else speaks right now; only while `listens`."""
        return self._hearing is not None and self._hearing.speech

    @property
    def catching_up(self) -> bool:
        """Whether somebody else speaks, or what they said is still being recognised."""
        return self._hearing is not None and self._hearing.busy

    # ── being there ──────────────────────────────────────────────────────────────────────────────

    async def connect(self, *, subscribe: bool = True, publish: bool = True) -> None:
        """Raises `rtc.ConnectError`. The recording starts with the first subscription."""
        await self.room.connect(self._url, self._token, rtc.RoomOptions(auto_subscribe=False))
        if subscribe:
            self.subscribe_audio(True)
        if publish:
            await self.publish()

    async def publish(self) -> None:
        """Publish the microphone, if it is not."""
        if self._mouth is None:
            self._mouth = Mouth()
            await self.room.local_participant.publish_track(self._mouth.track, MICROPHONE)

    async def leave(self, reason: str = "CLIENT_INITIATED") -> None:
        """`reason` is one of LiveKit's names, which the others in the room are told."""
        with suppress(Exception):  # the room may be gone already; we are leaving anyway
            await self.room.disconnect(reason=rtc.DisconnectReason.Value(reason))
        self._over(reason)
        await self._close()

    async def move(self, token: str) -> None:
        """Into another room, as LiveKit Cloud moves somebody: the same voice and ears, and it has not left.

        Raises `rtc.ConnectError`, and is then where it was.
        """
        new = self._new_room()
        await new.connect(self._url, token, rtc.RoomOptions(auto_subscribe=False))
        before, self.room, self._token = self.room, new, token
        for _, task in self._streams.values():
            task.cancel()
        self._streams.clear()
        with suppress(Exception):  # that room may be closed meanwhile
            await before.disconnect()
        if self._mouth:
            await new.local_participant.publish_track(self._mouth.new_track(), MICROPHONE)
        if self._subscribed:
            self.subscribe_audio(True)

    async def wait_left(self) -> None:
        """Until it left or was put out of the room."""
        await self._left.wait()

    # ── voice and keys ───────────────────────────────────────────────────────────────────────────

    async def say(self, text: str) -> None:
        """Speaks after what it is saying already; returns when it was played out."""
        if self._mouth and self.connected:
            await self._mouth.say(text)

    async def play(self, samples: Samples, rate: int) -> None:
        """Mono int16 at `rate` Hz; as `say`."""
        if self._mouth and self.connected:
            await self._mouth.play(samples, rate)

    def set_tone(self, hz: float, level: float = TONE_LEVEL) -> None:
        """A sine under all that it says, `level` of full scale; 0 Hz: none."""
        if self._mouth:
            self._mouth.set_tone(hz, level)

    async def press(self, digit: str) -> None:
        """One of 0-9, *, #, A-D. Raises ValueError for another, `PublishDTMFError` if it cannot be sent."""
        if len(digit) != 1 or digit not in KEYS:
            raise ValueError("a key is one of 0-9, *, #, A-D")
        await self.room.local_participant.publish_dtmf(code=KEYS.index(digit), digit=digit)

    # ── ears ─────────────────────────────────────────────────────────────────────────────────────

    def subscribe_audio(self, wanted: bool) -> None:
        """Hear every audio track of the room from now on, or none."""
        if wanted and self._hearing is None:
            self.recording = Recording(time.time())
            self._hearing = Hearing(self._on_utterance)
            self._listening = asyncio.create_task(self._listen())
        self._subscribed = wanted
        for participant in self.room.remote_participants.values():
            for publication in participant.track_publications.values():
                if publication.kind == rtc.TrackKind.KIND_AUDIO:
                    publication.set_subscribed(wanted)

    def _on_published(self, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant) -> None:
        if self._subscribed and publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _on_subscribed(
        self, track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        if track.kind != rtc.TrackKind.KIND_AUDIO or self._left.is_set():
            return
        if not self._subscribed:  # deafened while it was under way
            publication.set_subscribed(False)
            return
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS)
        self._streams[track.sid] = (stream, asyncio.create_task(self._record(track.sid, stream)))

    def _on_unsubscribed(
        self, track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        found = self._streams.pop(track.sid, None)
        if found:
            found[1].cancel()

    async def _record(self, lane: str, stream: rtc.AudioStream) -> None:
        try:
            async for event in stream:
                self.recording.add(lane, np.frombuffer(event.frame.data, dtype=np.int16), time.time())
        finally:
            self.recording.end(lane)
            await stream.aclose()

    async def _listen(self) -> None:
        """Carries what has been recorded to the ears, a little behind."""
        cursor = 0
        while True:
            await asyncio.sleep(LISTEN_S)
            settled = self.recording.settled(time.time())
            if self._hearing is None or not self.listens:
                cursor = max(cursor, settled)
                continue
            while cursor + VAD_WINDOW_SAMPLES <= settled:
                window = self.recording.slice(cursor, cursor + VAD_WINDOW_SAMPLES)
                self._hearing.push(window, self.recording.started_at + cursor / RATE)
                cursor += VAD_WINDOW_SAMPLES

    async def _on_utterance(self, utterance: Utterance) -> None:
        self.heard.append(utterance)
        if self.on_utterance:
            self.on_utterance(utterance)
        if self.on_heard:  # in a task: an answer that takes long must not stop the ears
            task = asyncio.create_task(self._react(self.on_heard, utterance))
            self._reactions.add(task)
            task.add_done_callback(self._reactions.discard)

    async def _react(self, on_heard: OnHeard, utterance: Utterance) -> None:
        try:
            await on_heard(utterance.text, utterance.ended_at)
        except Exception:
            logger.exception("a party could not react to what it heard")

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    def _on_dtmf(self, key: rtc.SipDTMF) -> None:
        if self.on_key:
            self.on_key(key)

    def _on_disconnected(self, room: rtc.Room, reason: rtc.DisconnectReason.ValueType) -> None:
        if room is not self.room:  # moved away from there
            return
        self._over(rtc.DisconnectReason.Name(reason))
        self._closing = asyncio.create_task(self._close())

    def _over(self, reason: str) -> None:
        if self._left.is_set():
            return
        self._left.set()
        if self.on_left:
            self.on_left(reason)

    async def _close(self) -> None:
        mouth, self._mouth = self._mouth, None
        tasks = [task for _, task in self._streams.values()]
        if self._listening:
            tasks.append(self._listening)
        self._streams.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._hearing:
            self._hearing.close()
        if mouth:
            await mouth.close()
