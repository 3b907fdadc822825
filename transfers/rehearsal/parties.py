"""Who takes part from this process: the caller, ears that only listen, and whoever a fault needs.

LiveKit's client lives on an event loop of its own thread, the rehearsal's course is ordinary code beside it.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from django.conf import settings

from calls.telephony import tokens
from calls.telephony.simulator.party import Party
from transfers.rehearsal.errors import CannotRehearse
from transfers.rehearsal.facts import EVERY_S, until
from transfers.rehearsal.sound import NOTHING, Recording, first_sound, silent, without_tones
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ

T = TypeVar("T")

CONNECT_S = 15.0
SETTLES_S = 0.3  # what was played a moment ago may not be in the recording yet
PAUSE_S = 0.9  # so long a silence ends a turn
LONGEST_S = 40.0


class Stage:
    """The thread that parties live on; `with Stage() as stage:`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rehearsal", daemon=True)
        self._present: list[Someone] = []

    def __enter__(self) -> Stage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for someone in self._present:
            with suppress(TimeoutError):  # whoever does not leave is put out when this process ends
                someone.leave()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, T], within_s: float = CONNECT_S) -> T:
        return self.start(work).result(within_s)

    def enter(self, token: str, *, tone_hz: float = 0.0, speaks: bool = True, hears: bool = True) -> Someone:
        """Raises CannotRehearse if LiveKit does not let them in."""
        try:
            party = self.do(_connect(token, tone_hz, speaks, hears))
        except Exception as error:
            raise CannotRehearse(
                f"LiveKit at {settings.LIVEKIT_URL} does not let a participant in ({type(error).__name__})."
            ) from error
        someone = Someone(self, party)
        self._present.append(someone)
        return someone

    def listener(self, room: str) -> Someone:
        """Hidden, hears everything in one room."""
        return self.enter(tokens.mint("listen", room=room, subject=_subject()), speaks=False)

    def intruder(self, room: str, *, tone_hz: float) -> Someone:
        """Somebody who should not be there, with somebody else's tone."""
        token = tokens.mint("whisper", room=room, subject=_subject())
        return self.enter(token, tone_hz=tone_hz, hears=False)


def _subject() -> str:
    return f"rehearsal-{secrets.token_hex(4)}"


async def _connect(token: str, tone_hz: float, speaks: bool, hears: bool) -> Party:
    party = Party(settings.LIVEKIT_URL, token, listens=False)  # recognised afterwards: it costs a core
    await party.connect(subscribe=hears, publish=speaks)
    if tone_hz:
        party.set_tone(tone_hz, LEVEL)
    return party


class Someone:
    """A party, from ordinary code."""

    def __init__(self, stage: Stage, party: Party) -> None:
        self._stage, self._party = stage, party
        self._gone = False

    @property
    def connected(self) -> bool:
        return not self._gone and self._party.connected

    def start_saying(self, text: str) -> Future[None]:
        return self._stage.start(self._party.say(text))

    def say(self, text: str) -> tuple[float, float]:
        """Returns when it was played out: from when until when, in epoch seconds."""
        began = time.time()
        self._stage.do(self._party.say(text), LONGEST_S)
        return began, time.time()

    def press(self, digit: str) -> None:
        self._stage.do(self._party.press(digit))

    def deafen(self) -> None:
        self._stage.do(_now(lambda: self._party.subscribe_audio(False)))

    def leave(self) -> None:
        if not self._gone:
            self._gone = True
            self._stage.do(self._party.leave())

    def heard(self, since: float | None = None) -> Recording:
        """Until now, as it came in."""
        recording = self._party.recording
        began = max(recording.started_at, since or recording.started_at)
        samples = recording.samples(began, time.time())
        return Recording(samples, began) if len(samples) else NOTHING

    # ── taking turns ─────────────────────────────────────────────────────────────────────────────

    def hear_something(self, since: float, within_s: float, what: str) -> float:
        """Wait for a sound after `since`; when it began. Raises Stuck."""
        found: list[float] = []

        def sounded() -> bool:
            at = first_sound(without_tones(self.heard(since), (CALLER_HZ, MANAGER_HZ)))
            found.extend([at] if at else [])
            return at is not None

        until(sounded, within_s, what)
        return found[0]

    def hear_out(self, since: float, *, pause_s: float = PAUSE_S, within_s: float = LONGEST_S) -> None:
        """Wait until nothing has been heard for `pause_s`, counted from `since` on."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            quiet_since = time.time() - SETTLES_S - pause_s
            if quiet_since >= since - SETTLES_S and self._quiet_from(quiet_since):
                return
            time.sleep(EVERY_S)

    def _quiet_from(self, since: float) -> bool:
        return silent(without_tones(self.heard(since), (CALLER_HZ, MANAGER_HZ)))


async def _now(action: Any) -> None:
    action()
