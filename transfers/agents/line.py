"""What the transfer and the bridge job share: the line between the rooms, and who is at its ends."""

from __future__ import annotations

import asyncio
import os

from livekit import rtc
from livekit.agents import JobContext

from calls.agents import protocol as p
from calls.agents.job import Job, is_caller
from calls.agents.keys import StarKeys
from calls.agents.speech.models import build_tts
from transfers.agents.bridge import Bridge

CONSOLE_SECONDS = 15.0


class LineJob(Job):
    """A job of one attempt; `manager` is the identity of the leg that is called."""

    def __init__(self, ctx: JobContext, metadata: p.DispatchMetadata) -> None:
        super().__init__(ctx, metadata)
        self.stars = StarKeys()
        self.barging: set[str] = set()  # supervisors who are to be heard by the manager once they are joined

    @property
    def manager(self) -> str:
        return f"manager-{self.metadata.attempt_id}"

    async def told(self) -> p.Snapshot | None:
        """What the console says of the attempt; without it a consultation makes no sense, and None is returned."""
        try:
            return await asyncio.wait_for(asyncio.shield(self.link.snapshot), CONSOLE_SECONDS)
        except TimeoutError:
            return None

    def new_bridge(self) -> Bridge:
        bridge = Bridge(
            self.room,
            self.manager,
            url=os.environ["LIVEKIT_URL"],
            token=self.metadata.bridge_token,
            heard=lambda speaker: self.link.report(p.Heard(speaker=speaker)),
        )
        self.rooms.append(bridge.call)
        bridge.call.on("participant_disconnected", self._caller_left)
        bridge.call.on("disconnected", self._call_room_closed)
        return bridge

    async def join_up(self, bridge: Bridge) -> None:
        """Carry, and tell the console."""
        for supervisor in self.barging:
            await bridge.admit(supervisor)
        await bridge.carry()
        self.link.report(p.BridgeUp())

    async def joins_in(self, bridge: Bridge | None, body: p.Barge) -> None:
        """A supervisor joins in with the caller, or leaves; the line may come later."""
        if body.on:
            self.barging.add(body.identity)
            if bridge and bridge.carrying.is_set():
                await bridge.admit(body.identity)
        else:
            self.barging.discard(body.identity)
            if bridge:
                await bridge.dismiss(body.identity)

    async def obey(self, bridge: Bridge | None, body: p.DirectiveBody) -> bool:
        """What the console says of a line that is up; False if it is about something else."""
        match body:
            case p.Carry():
                if bridge and body.on:
                    await bridge.carry()
                elif bridge:
                    bridge.pause()
            case p.Barge():
                await self.joins_in(bridge, body)
            case p.Leave():
                if bridge and bridge.carrying.is_set() and body.words:
                    bridge.pause()
                    await bridge.tell_manager(build_tts(), body.words)
                await self.leave("the line is closed")
            case _:
                return False
        return True

    def manager_key(self, event: rtc.SipDTMF) -> None:
        """`*0` and `*1`, once they are joined."""
        if event.participant is None or event.participant.identity != self.manager:
            return
        meant = self.stars.pressed(event.digit)
        if meant:
            self.link.report(meant)

    def _caller_left(self, who: rtc.RemoteParticipant) -> None:
        if is_caller(who):
            self._left(who)

    def _call_room_closed(self, reason: object) -> None:
        """The caller's room is gone, or took us for another: the console decides what becomes of the manager."""
        if not self._leaving:
            self.link.report(p.BridgeDown(reason=str(reason)))
