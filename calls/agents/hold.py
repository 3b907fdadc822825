"""What a caller on hold hears: music, and a line from time to time that says that we have not forgotten them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import tts

from calls.agents.audio import frame_of, spoken
from calls.agents.protocol import HoldPlan
from calls.agents.speech import hold_music

logger = logging.getLogger("patchbay.agents")

TRACK = "hold"
BLOCK_MS = 20
QUEUE_MS = 100  # so little is still played after a stop
BLOCK = hold_music.RATE * BLOCK_MS // 1000
NOTHING = np.zeros(BLOCK, np.int16)


class HoldPlayer:
    """One hold, one player: a track of its own beside the AI's, which is silent meanwhile.

    `told` is called with 1, 2, 3… after each progress line.
    """

    def __init__(self, room: rtc.Room, voice: tts.TTS[Any], plan: HoldPlan, told: Callable[[int], None]) -> None:
        self._room, self._voice, self._plan, self._told = room, voice, plan, told
        self.progress_line = plan.progress_line  # may change while it plays
        self.quiet = False  # a supervisor talks to the caller: nothing is played meanwhile
        self.music = hold_music.loop()  # mono int16 at `hold_music.RATE`, at least a second; may be another's
        self._source = rtc.AudioSource(hold_music.RATE, 1, queue_size_ms=QUEUE_MS)
        self._publication: rtc.LocalTrackPublication | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track(TRACK, self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_UNKNOWN)
        self._publication = await self._room.local_participant.publish_track(track, options)
        self._task = asyncio.create_task(self._play())

    async def stop(self) -> None:
        """Silent at once; a second stop changes nothing."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
            self._task = None
        publication, self._publication = self._publication, None
        if publication:
            with suppress(Exception):  # the room may be gone already
                self._source.clear_queue()
                await self._room.local_participant.unpublish_track(publication.sid)
            with suppress(Exception):
                await self._source.aclose()

    async def _play(self) -> None:
        music, position, count = self.music, 0, 0
        blocks = int(self._plan.progress_every_s * 1000 / BLOCK_MS)
        while True:
            for _ in range(blocks):
                block = NOTHING if self.quiet else music[position : position + BLOCK]
                await self._source.capture_frame(frame_of(block, hold_music.RATE))
                position = (position + BLOCK) % (len(music) - BLOCK)
            if self.quiet:
                continue
            count += 1
            if await self._say(self.progress_line):
                self._told(count)

    async def _say(self, line: str) -> bool:
        """A voice that fails must not end the music."""
        try:
            async for frame in spoken(self._voice, line, rate=hold_music.RATE):
                if self.quiet:
                    return False
                await self._source.capture_frame(frame)
        except Exception as error:
            logger.warning("the progress line could not be spoken (%s)", type(error).__name__)
            return False
        return True
