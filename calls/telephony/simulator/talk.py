"""A party's side of a conversation: says, presses, waits for what it hears. Everything is noted."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from calls.agents.speech.intent import normal
from calls.telephony.simulator.hearing import Utterance
from calls.telephony.simulator.ledger import Notes
from calls.telephony.simulator.party import Party

LOOK_S = 0.05
PAUSE_S = 0.7  # silence after which the other side has finished
LONGEST_TURN_S = 45.0


class Gone(Exception):
    """The party is not in the room any more."""


class Talk:
    """`turn` hands out what was heard once each, in order."""

    def __init__(self, party: Party, notes: Notes) -> None:
        self.party, self.notes = party, notes
        self.digits = ""  # keys that came from the other side
        self._heard: list[Utterance] = []
        self._taken = 0
        party.on_utterance = self._on_utterance

    @property
    def heard(self) -> bool:
        """Whether anything has been said to it yet."""
        return bool(self._heard)

    def _on_utterance(self, utterance: Utterance) -> None:
        self.notes.add("heard", utterance.text)
        self._heard.append(utterance)

    async def say(self, text: str) -> None:
        self.notes.add("said", text)
        await self.party.say(text)

    async def press(self, digit: str) -> None:
        await self.party.press(digit)
        self.notes.add("pressed", digit)

    async def turn(self, within_s: float, *, pause_s: float = PAUSE_S) -> str:
        """What the other side says next, until it pauses; empty if it begins nothing within `within_s`."""
        first, ends = self._taken, time.monotonic() + within_s
        while len(self._heard) == first:
            if not await self.until(lambda: self._news(first) or self.party.catching_up, ends - time.monotonic()):
                return ""
            await self.until(lambda: self._news(first) or not self.party.catching_up, LONGEST_TURN_S)
        await self.until(lambda: self._paused(pause_s), LONGEST_TURN_S)
        self._taken = len(self._heard)
        return normal(" ".join(one.text for one in self._heard[first:]))

    async def asked(self, pattern: str, within_s: float) -> bool:
        """Whether what is said from now on comes to match `pattern` in time, however it is cut into turns."""
        heard, ends = "", time.monotonic() + within_s
        while (left := ends - time.monotonic()) > 0:
            heard = f"{heard} {await self.turn(left)}"
            if re.search(pattern, heard):
                return True
        return False

    async def silence(self, seconds: float, within_s: float) -> bool:
        """Whether nobody else speaks for `seconds`; what was said until then is taken."""
        quiet = await self.until(lambda: self._paused(seconds), within_s)
        self._taken = len(self._heard)
        return quiet

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Raises Gone if the party leaves meanwhile."""
        ends = time.monotonic() + within_s
        while not condition():
            if not self.party.connected:
                raise Gone
            if time.monotonic() >= ends:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _news(self, first: int) -> bool:
        return len(self._heard) > first

    def _paused(self, seconds: float) -> bool:
        last = self._heard[-1].ended_at if self._heard else self.party.recording.started_at
        return not self.party.catching_up and time.time() - last >= seconds
