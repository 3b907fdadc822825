"""An AgentSession as both agents use it: turn taking, what is reported of it, and lines said to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from livekit.agents import AgentSession, TurnHandlingOptions, llm, room_io
from livekit.agents.voice.events import (
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)

from calls.agents import protocol as p
from calls.agents.link import AgentLink
from calls.agents.speech.activity import RATE
from calls.agents.speech.models import Models

FRAME_MS = 60
PARTIAL_SECONDS = 0.4  # between two tellings of a turn that is not over: as quick as one reads along
LINE_SECONDS = 30.0  # no line takes longer; a voice that hangs must not hold up what comes next
STATES: dict[str, Literal["initializing", "listening", "thinking", "speaking"]] = {
    "initializing": "initializing",
    "idle": "listening",
    "listening": "listening",
    "thinking": "thinking",
    "speaking": "speaking",
}


def new_session(models: Models) -> AgentSession[Any]:
    """Turns end by voice activity; the framework's own detector is a cloud or a large model."""
    turns = TurnHandlingOptions(
        turn_detection="vad",
        endpointing={"mode": "fixed", "min_delay": 0.3, "max_delay": 2.0},
        interruption={"mode": "vad", "min_duration": 0.5},
        preemptive_generation={"enabled": False},
    )
    return AgentSession(
        stt=models.stt,
        tts=models.tts,
        llm=models.llm,
        vad=models.vad,
        turn_handling=turns,
        user_away_timeout=None,
        aec_warmup_duration=None,
        max_tool_steps=3,
    )


def room_options(identity: str) -> room_io.RoomOptions:
    """Linked to one participant by name; no text from the room is a turn, and none is sent into it."""
    return room_io.RoomOptions(
        text_input=False,
        text_output=False,
        participant_identity=identity,
        close_on_disconnect=False,
        audio_input=room_io.AudioInputOptions(
            sample_rate=RATE, frame_size_ms=FRAME_MS, auto_gain_control=False, pre_connect_audio=False
        ),
    )


class Conversation:
    """Reports what is said in a session, and by whom; `speaker` is the person on the other side."""

    def __init__(
        self,
        session: AgentSession[Any],
        link: AgentLink,
        *,
        speaker: p.Speaker,
        agent: p.Speaker,
        side: Literal["call", "consultation"],
    ) -> None:
        self.session, self._link = session, link
        self._speakers = {"user": speaker, "assistant": agent}
        self._side = side
        self.turn_began: float | None = None  # the person's turn that is not written down yet (epoch seconds)
        self.turn_ended: float | None = None
        self.last_turn = (0.0, 0.0)  # when the person's last whole turn began and ended
        self.on_agent_said: Callable[[str, bool], None] = lambda text, interrupted: None
        self._parts: list[str] = []  # what is final of a turn that is not over
        self._partial_at = 0.0  # when it was last told
        session.on("conversation_item_added", self._said)
        session.on("user_input_transcribed", self._hears)
        session.on("user_state_changed", self._person)
        session.on("agent_state_changed", self._agent)

    @property
    def speaking(self) -> bool:
        """Whether the person is."""
        return self.session.user_state == "speaking"

    def _person(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self.turn_began = self.turn_began or event.created_at
        elif event.old_state == "speaking":
            self.turn_ended = event.created_at

    def _agent(self, event: AgentStateChangedEvent) -> None:
        self._link.report(p.AgentState(state=STATES[event.new_state]))

    def _hears(self, event: UserInputTranscribedEvent) -> None:
        """A recogniser that tells words before the turn is over has them shown; a turn may come in parts."""
        if event.is_final:
            self._parts.append(event.transcript)
            return
        text = " ".join((*self._parts, event.transcript)).strip()
        if not text or event.created_at - self._partial_at < PARTIAL_SECONDS:
            return
        self._partial_at = event.created_at
        at = datetime.fromtimestamp(self.turn_began or event.created_at, tz=UTC)
        speaker = self._speakers["user"]
        self._link.show(p.Utterance(speaker=speaker, side=self._side, text=text, started_at=at, final=False))

    def _said(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role not in self._speakers:
            return
        if item.role == "user":
            self.heard(item)
            return
        text = (item.text_content or "").strip()
        self._write(item.role, text, item.metrics.get("started_speaking_at") or item.created_at)
        self.on_agent_said(text, item.interrupted)

    def turn_of(self, item: llm.ChatMessage) -> tuple[float, float]:
        """When the turn that became this message began and ended, until it is `heard`."""
        began = self.turn_began or item.created_at
        return began, max(began, self.turn_ended or began)

    def heard(self, item: llm.ChatMessage) -> None:
        """A whole turn of the person; the framework tells only of those that the model answers."""
        self.last_turn = self.turn_of(item)
        began, self.turn_began = self.last_turn[0], None
        self._parts.clear()
        self._write("user", (item.text_content or "").strip(), began)

    def _write(self, role: str, text: str, began: float) -> None:
        if text:
            at = datetime.fromtimestamp(began, tz=UTC)
            self._link.report(p.Utterance(speaker=self._speakers[role], side=self._side, text=text, started_at=at))

    async def say(self, text: str, *, interruptible: bool = False) -> bool:
        """Say it to its end; False if it was broken off or could not be said."""
        if not text.strip():
            return True
        try:
            handle = self._utter(text, interruptible)
        except RuntimeError:  # the session is closing
            return False
        try:
            await asyncio.wait_for(asyncio.shield(_done(handle)), LINE_SECONDS)
        except TimeoutError:
            with suppress(RuntimeError):
                handle.interrupt(force=True)
            return False
        return not handle.interrupted and handle.exception() is None

    def _utter(self, text: str, interruptible: bool) -> Any:
        """By its voice; a realtime model has none apart, and is asked to say it."""
        if self.session.tts is not None:
            return self.session.say(text, allow_interruptions=interruptible)
        exactly = f"Say exactly this to the other side, and nothing else: {text}"
        return self.session.generate_reply(instructions=exactly, allow_interruptions=interruptible)

    async def hush(self) -> None:
        """Break off whatever is being said, and forget a turn that was being heard."""
        with suppress(RuntimeError, TimeoutError):
            await asyncio.wait_for(self.session.interrupt(force=True), 2.0)
        with suppress(RuntimeError):
            self.session.clear_user_turn()
        self.turn_began = None
        self._parts.clear()


async def _done(handle: Any) -> None:
    await handle
