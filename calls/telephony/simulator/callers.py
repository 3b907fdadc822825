"""Simulated callers: each comes in through the stored dispatch rule and plays its story."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from livekit import api, rtc

from calls.telephony.simulator import inbound
from calls.telephony.simulator.inbound import Admission
from calls.telephony.simulator.ledger import Notes
from calls.telephony.simulator.party import Party
from calls.telephony.simulator.settings import Settings
from calls.telephony.simulator.stories import BY_KEY, Story
from calls.telephony.simulator.talk import Gone, Talk
from calls.telephony.simulator.wits import Wits

logger = logging.getLogger(__name__)

AT_MOST_S = 240.0
LONGEST_S = 1800.0
LOOK_UP_S = 5.0
GREETED_S = 12.0
PATIENCE_S = 12.0
KEPT_ENDED = 12  # with their recordings, of some megabytes each


class CannotCall(Exception):
    """`status` is HTTP's."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Caller:
    def __init__(
        self,
        id: str,
        story: Story,
        admission: Admission,
        settings: Settings,
        *,
        at_most_s: float,
        chatter: bool,
    ) -> None:
        self.id, self.story, self.room = id, story, admission.room
        self.identity, self.since = admission.identity, time.time()
        self.ended_at: float | None = None
        self.notes = Notes()
        self.party = Party(settings.url, admission.token(settings.key, settings.secret))
        self.talk = Talk(self.party, self.notes)
        self._at_most_s, self._chatter = min(at_most_s, LONGEST_S), chatter
        self._task: asyncio.Task[None] | None = None

    def as_json(self, *, events: bool = False) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.id,
            "story": self.story.key,
            "room": self.room,
            "identity": self.identity,
            "since": self.since,
        }
        return row | {"ended_at": self.ended_at, "events": self.notes.as_json()} if events else row

    @property
    def live(self) -> bool:
        return self._task is not None and not self._task.done() and self.party.connected

    @property
    def talks(self) -> bool:
        return self.live

    async def call(self) -> None:
        """Returns when it is in the room. Raises `rtc.ConnectError`."""
        await self.party.connect()
        self._task = asyncio.create_task(self._live())

    async def hang_up(self) -> None:
        try:
            if self.party.connected:
                await self.party.room.local_participant.set_attributes({"sip.callStatus": "hangup"})
        finally:
            await self.party.leave()

    async def _live(self) -> None:
        try:
            async with asyncio.timeout(self._at_most_s):
                await self._play()
        except (Gone, TimeoutError):
            pass
        except Exception:
            logger.exception("a simulated caller broke down")
        finally:
            await self.hang_up()
            self.ended_at = time.time()

    async def _play(self) -> None:
        talk, wits = self.talk, Wits(self.story)
        if not self._chatter:
            await talk.until(lambda: False, LONGEST_S)
        await talk.turn(GREETED_S)
        await talk.say(self.story.opening)
        while not wits.done:
            line = wits.answer(await talk.turn(PATIENCE_S))
            if line:
                await talk.say(line)
        if wits.said_goodbye:
            await talk.turn(4)


class Switchboard:
    """The callers who are on the line, and the last ones who were."""

    def __init__(self, settings: Settings, livekit: api.LiveKitAPI) -> None:
        self._settings, self._livekit = settings, livekit
        self._callers: dict[str, Caller] = {}
        self._number = itertools.count(1)

    @property
    def live(self) -> list[Caller]:
        return [caller for caller in self._callers.values() if caller.live]

    def find(self, id: str) -> Caller | None:
        """On the line, or not long gone."""
        return self._callers.get(id)

    def leg(self, room: str, identity: str) -> Caller | None:
        return next((one for one in self.live if (one.room, one.identity) == (room, identity)), None)

    def _forget(self) -> None:
        ended = [id for id, caller in self._callers.items() if not caller.live]
        for id in ended[:-KEPT_ENDED]:
            del self._callers[id]

    async def place(
        self,
        key: str,
        *,
        at_most_s: float | None = None,
        chatter: bool = True,
        metadata: Mapping[str, str] | None = None,
    ) -> Caller:
        """Without `chatter` they say only what they are told to. Raises CannotCall.

        `metadata` stands in the room's besides the rule's, as another rule could have it.
        """
        story = BY_KEY.get(key)
        if story is None:
            raise CannotCall(404, "no such story")
        admission = await self._admission(story)
        if metadata:
            inbound.add_metadata(admission.config, metadata)
        caller = Caller(
            str(next(self._number)),
            story,
            admission,
            self._settings,
            at_most_s=at_most_s or AT_MOST_S,
            chatter=chatter,
        )
        try:
            await caller.call()
        except rtc.ConnectError:
            await caller.party.leave()
            raise CannotCall(503, "livekit-server would not let the caller in") from None
        self._callers[caller.id] = caller
        self._forget()
        return caller

    async def close(self) -> None:
        for caller in list(self._callers.values()):
            await caller.party.leave()

    async def _admission(self, story: Story) -> Admission:
        try:
            async with asyncio.timeout(LOOK_UP_S):
                trunks, rules = await asyncio.gather(
                    self._livekit.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest()),
                    self._livekit.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest()),
                )
        except (api.ServerError, aiohttp.ClientError, TimeoutError):
            raise CannotCall(503, "livekit-server does not answer") from None
        found = inbound.match(trunks.items, rules.items, dialled=story.dials, caller=story.number)
        if found is None:
            raise CannotCall(409, "LiveKit has no inbound trunk with a rule for the number that is dialled")
        trunk, rule = found
        return inbound.admit(trunk, rule, dialled=story.dials, caller=story.number)
