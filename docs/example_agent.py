"""A small agent of one's own that hands its callers to a person through Patchbay.

LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and PATCHBAY_CONSOLE_URL as the console has them; SUPERVISOR is a
phone of its roster, or one that its TASK_DIAL_ALLOW allows. Then `python example_agent.py start`.
"""

from __future__ import annotations

import math
import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, cli, function_tool, room_io

from calls.agents.attach import attach
from calls.agents.speech import models
from calls.agents.speech.knowledge import SupportKnowledge
from transfers.agents.warm_transfer import WarmTransferTask


def prewarm(_: JobProcess) -> None:
    """Before anybody is on the line."""
    models.prewarm()


def load(running: AgentServer) -> float:
    """By calls: offline speech takes the whole processor for moments."""
    return min(0.9, len(running.active_jobs) / 10)


server = AgentServer(
    host="127.0.0.1",
    port=0,
    load_fnc=load,
    load_threshold=math.inf,
    num_idle_processes=1,
    initialize_process_timeout=60,
    setup_fnc=prewarm,
)


class Support(Agent):
    def __init__(self) -> None:
        super().__init__(
            instructions="You answer the telephone of a shop. If the caller wants a person, transfer them."
        )

    async def on_enter(self) -> None:
        self.session.say("Hello, this is an example. How can I help you?")

    @function_tool
    async def request_transfer(self, reason: str, department: str) -> None:
        """The caller wants a person.

        Args:
            reason: why, in their words
            department: empty, or the department that they named
        """
        await WarmTransferTask(sip_call_to=os.environ["SUPERVISOR"], chat_ctx=self.chat_ctx)
        await self.session.say("You are on the line with my colleague. Goodbye.", allow_interruptions=False)
        self.session.shutdown()


@server.rtc_session(agent_name="example")
async def answer(ctx: JobContext) -> None:
    offline = models.build_models(SupportKnowledge())  # or any models of LiveKit Agents
    session = AgentSession[None](stt=offline.stt, llm=offline.llm, tts=offline.tts, vad=offline.vad)
    await attach(session, ctx)
    await session.start(
        Support(), room=ctx.room, room_options=room_io.RoomOptions(text_input=False), session_host=False
    )


if __name__ == "__main__":
    cli.run_app(server)
