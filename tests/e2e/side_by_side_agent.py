"""An agent that asks for a person at once, by LiveKit Agents' own task or by ours: TASK=stock or ours."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    Agent,
    AgentServer,
    AgentSession,
    APIConnectOptions,
    JobContext,
    JobProcess,
    cli,
    llm,
)
from livekit.agents.beta import workflows
from livekit.agents.llm import ToolError

from calls.agents.speech import models
from transfers.agents import warm_transfer

TASKS = {"stock": workflows.WarmTransferTask, "ours": warm_transfer.WarmTransferTask}
ACCEPT = "connect_to_caller"


class Agrees(llm.LLM[Any]):
    """Takes whatever a manager says for a yes; to callers it says little."""

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> llm.LLMStream:
        return Answer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Answer(llm.LLMStream):
    async def _run(self) -> None:
        last = self._chat_ctx.items[-1]
        delta = llm.ChoiceDelta(role="assistant", content="One moment.")
        if ACCEPT in {tool.id for tool in self._tools} and last.type == "message" and last.role == "user":
            call = llm.FunctionToolCall(name=ACCEPT, arguments=json.dumps({}), call_id="accepted")
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


class Impatient(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="")

    async def on_enter(self) -> None:
        with suppress(ToolError):
            await TASKS[os.environ["TASK"]](
                sip_call_to=os.environ["SUPERVISOR"],
                sip_trunk_id=os.environ["TRUNK"],
                sip_number=os.environ["NUMBER"],
            )


def prewarm(_: JobProcess) -> None:
    models.prewarm()


def idle(_: AgentServer) -> float:
    return 0.0


server = AgentServer(
    host="127.0.0.1", port=0, load_fnc=idle, num_idle_processes=1, initialize_process_timeout=60, setup_fnc=prewarm
)


@server.rtc_session(agent_name=os.environ.get("TASK", ""))
async def entry(ctx: JobContext) -> None:
    """LiveKit's task dials by the address in the environment: the carrier simulator's, where no line is real."""
    if os.environ["TASK"] == "stock":
        os.environ["LIVEKIT_URL"] = os.environ["LIVEKIT_API_URL"]
    await ctx.connect()
    session = AgentSession[None](
        stt=models.build_stt(), llm=Agrees(), tts=models.build_tts(), vad=models.build_vad(), turn_detection="vad"
    )
    await session.start(Impatient(), room=ctx.room, session_host=False)


if __name__ == "__main__":
    cli.run_app(server)
