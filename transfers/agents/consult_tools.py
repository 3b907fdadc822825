"""What a model may do in the consultation. Whether a spoken yes counts is not the model's to say."""

from __future__ import annotations

from typing import Protocol

from livekit.agents import llm

from calls.agents.tools import tool


class ConsultActions(Protocol):
    """Each answers with words for the model to go on with, or raises StopResponse."""

    async def accept(self) -> str: ...
    async def decline(self, reason: str) -> str: ...
    async def redirect(self, department: str, person: str) -> str: ...
    async def repeat(self) -> str: ...
    async def not_today(self) -> str: ...
    async def voicemail(self) -> str: ...


TEXT = {"type": "string"}


def consult_tools(actions: ConsultActions) -> list[llm.Tool | llm.Toolset]:
    async def decline(given: dict[str, str]) -> str:
        return await actions.decline(given.get("reason", ""))

    async def redirect(given: dict[str, str]) -> str:
        return await actions.redirect(given.get("department", ""), given.get("person", ""))

    reason = {"reason": TEXT | {"description": "Why, as they said it; empty if they did not say."}}
    where = {
        "department": TEXT | {"description": "A department of the list, or empty."},
        "person": TEXT | {"description": "A person of the list, or empty."},
    }
    return [
        tool("accept_call", "The manager clearly agrees to talk to the customer now.", lambda _: actions.accept()),
        tool("decline_call", "The manager does not take the call.", decline, reason),
        tool("redirect_call", "The manager says that somebody else should take it.", redirect, where),
        tool("repeat_briefing", "The manager wants to hear it again.", lambda _: actions.repeat()),
        tool("not_today", "The manager does not want to be called any more today.", lambda _: actions.not_today()),
        tool("report_voicemail", "It is an answering machine, not a person.", lambda _: actions.voicemail()),
    ]
