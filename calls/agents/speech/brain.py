"""The offline brain as LiveKit Agents' LLM: rules, not a language model, and labelled so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, llm, utils

from calls.agents.speech.knowledge import ConsultKnowledge, Knowledge, SupportKnowledge
from calls.agents.speech.lines import Line, Reply
from calls.agents.speech.replies import consult_reply, support_reply


class OfflineBrain(llm.LLM[Any]):
    """Answers by `replies` from a conversation and what it knows; calls tools as any model would."""

    def __init__(self, knowledge: Knowledge) -> None:
        super().__init__()
        self.knowledge = knowledge

    @property
    def model(self) -> str:
        return "rules"

    @property
    def provider(self) -> str:
        return "offline"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> llm.LLMStream:
        return _Stream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Stream(llm.LLMStream):
    async def _run(self) -> None:
        await asyncio.sleep(0)
        brain = self._llm
        assert isinstance(brain, OfflineBrain)
        reply = _reply(lines_of(self._chat_ctx), brain.knowledge)
        delta = llm.ChoiceDelta(role="assistant", content=reply.text or None)
        if reply.tool:
            call = llm.FunctionToolCall(
                name=reply.tool, arguments=json.dumps(reply.arguments), call_id=utils.shortuuid("call_")
            )
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id=utils.shortuuid("chunk_"), delta=delta))


def _reply(lines: list[Line], knowledge: Knowledge) -> Reply:
    if not lines:
        return Reply("How can I help you?")
    if isinstance(knowledge, ConsultKnowledge):
        return consult_reply(lines, knowledge)
    assert isinstance(knowledge, SupportKnowledge)
    return support_reply(lines, knowledge)


def lines_of(chat_ctx: llm.ChatContext) -> list[Line]:
    """The conversation without instructions; a tool's output carries the tool's name."""
    lines = []
    for item in chat_ctx.items:
        if item.type == "message" and item.role in ("user", "assistant") and item.text_content:
            lines.append(Line(item.role, item.text_content))
        elif item.type == "function_call_output":
            lines.append(Line("tool", item.output, tool=item.name))
    return lines
