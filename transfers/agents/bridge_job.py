"""A line whose job was lost is taken up by this one: it carries at once and has no brain."""

from __future__ import annotations

from calls.agents import protocol as p
from transfers.agents.bridge import Bridge
from transfers.agents.line import LineJob


class BridgeJob(LineJob):
    bridge: Bridge | None = None

    async def begin(self) -> None:
        self.room.on("sip_dtmf_received", self.manager_key)
        self.bridge = self.new_bridge()
        await self.bridge.join()
        await self.join_up(self.bridge)
        await self._let_supervisors_in(self.bridge)
        self.link.serve(self.handle)

    async def _let_supervisors_in(self, bridge: Bridge) -> None:
        """Who has joined in before; the two hear each other meanwhile."""
        told = await self.told()
        for supervisor in told.barging if told else ():
            await self.joins_in(bridge, p.Barge(identity=supervisor, on=True))

    async def handle(self, body: p.DirectiveBody) -> None:
        """Whatever else the console said before, the line is up already."""
        await self.obey(self.bridge, body)

    async def close(self) -> None:
        if self.bridge:
            await self.bridge.close()
