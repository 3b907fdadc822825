"""Writes down what one participant says, with a recogniser of their own: after the merge there is no session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from livekit import rtc
from livekit.agents import stt, vad

from calls.agents import protocol as p
from calls.agents.audio import audio_track, recognised
from calls.agents.link import AgentLink
from calls.agents.speech import models

logger = logging.getLogger("patchbay.agents")


class Transcriber:
    """Follows one identity in a room, also through a reconnect, until the task is cancelled.

    By `recogniser` and `detector`, else by those of the settings.
    """

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        link: AgentLink,
        *,
        speaker: p.Speaker,
        side: Literal["call", "consultation"] = "call",
        recogniser: stt.STT[Any] | None = None,
        detector: vad.VAD | None = None,
    ) -> None:
        self._room, self._identity, self._link = room, identity, link
        self._speaker, self._side = speaker, side
        self._recogniser, self._detector = recogniser, detector
        self.after_merge: Callable[[], bool] = lambda: True  # whether the caller is with a person now
        self.told: Callable[[str], Awaitable[None]] | None = None  # each turn, besides the console
        self._here = asyncio.Event()
        room.on("track_subscribed", lambda *_: self._here.set())

    async def run(self) -> None:
        while True:
            self._here.clear()
            track = audio_track(self._room, self._identity)
            if track is None:
                await self._here.wait()
                continue
            try:
                await self._write(track)
            except Exception as error:
                logger.warning("a leg cannot be written down (%s)", type(error).__name__)
            await self._here.wait()

    async def _write(self, track: rtc.Track) -> None:
        recogniser, detector = self._recogniser or models.build_stt(), self._detector or models.build_vad()
        async for text, began in recognised(track, recogniser, detector):
            self._link.report(
                p.Utterance(
                    speaker=self._speaker,
                    side=self._side,
                    text=text,
                    started_at=began,
                    after_merge=self.after_merge(),
                )
            )
            if self.told:
                await self.told(text)
