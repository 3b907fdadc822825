"""A line whose job was lost is taken up by this one: it carries at once and has no brain."""

from __future__ import annotations

from calls.agents import protocol as p
from transfers.agents.bridge import Bridge
from transfers.agents.line import LineJob


class BridgeJob(LineJob):
    bridge: Bridge | None = None

    async def begin(self) -> None:
        self.bridge = self.new_bridge()
        await self.bridge.join()
        await self.join_up(self.bridge)
        self.link.serve(self.handle)

    async def handle(self, body: p.DirectiveBody) -> None:
        """Whatever the console says now, the line is up already or is to be left."""
        if isinstance(body, p.Leave):
            await self.leave("the call is over")

    async def close(self) -> None:
        if self.bridge:
            await self.bridge.close()
