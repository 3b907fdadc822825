"""A briefing by somebody's own language model, from a conversation."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from livekit.agents import llm

from calls.agents.speech.brain import OfflineBrain

logger = logging.getLogger("patchbay.agents")

WITHIN_SECONDS = 10.0
PEOPLE = {"user": "Caller", "assistant": "Assistant"}
TASK = (
    "A colleague is about to take over a telephone call. Write what they should hear first: who calls, why, what "
    "was tried, and why a person is needed. At most {words} words, in plain sentences without markup, and nothing "
    "that was not said."
)


async def draft(writer: Any, history: llm.ChatContext, *, wishes: str, words: int) -> str:
    """Empty if it cannot be written, or not in time: the console drafts one from the call by itself.

    `writer` is an LLM; anything else (a realtime model, the rules of the offline brain) writes none.
    """
    if not isinstance(writer, llm.LLM) or isinstance(writer, OfflineBrain):
        return ""
    said = [
        f"{PEOPLE[m.role]}: {m.text_content}" for m in history.messages() if m.role in PEOPLE and m.text_content
    ]
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="\n\n".join((TASK.format(words=words), *filter(None, (wishes,)))))
    context.add_message(role="user", content="\n".join(said))
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await _text(writer, context)
    except Exception as error:
        logger.warning("the briefing could not be drafted (%s)", type(error).__name__)
        return ""


async def _text(writer: llm.LLM[Any], context: llm.ChatContext) -> str:
    parts = []
    async with writer.chat(chat_ctx=context) as stream:
        async for chunk in stream:
            if chunk.delta and chunk.delta.content:
                parts.append(chunk.delta.content)
    return "".join(parts).strip()
