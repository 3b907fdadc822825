"""What a model may do in the consultation. Whether a spoken yes counts is not the model's to say."""

from __future__ import annotations

from typing import Protocol

from livekit.agents import llm
from livekit.agents.llm import function_tool


class ConsultActions(Protocol):
    """Each answers with words for the model to go on with, or raises StopResponse."""

    async def accept(self) -> str: ...
    async def decline(self, reason: str) -> str: ...
    async def redirect(self, department: str, person: str) -> str: ...
    async def repeat(self) -> str: ...
    async def not_today(self) -> str: ...
    async def voicemail(self) -> str: ...


def consult_tools(actions: ConsultActions) -> list[llm.Tool | llm.Toolset]:
    @function_tool
    async def accept_call() -> str:
        """The manager clearly agrees to talk to the customer now."""
        return await actions.accept()

    @function_tool
    async def decline_call(reason: str = "") -> str:
        """The manager does not take the call.

        Args:
            reason: Why, as they said it; empty if they did not say.
        """
        return await actions.decline(reason)

    @function_tool
    async def redirect_call(department: str = "", person: str = "") -> str:
        """The manager says that somebody else should take it.

        Args:
            department: A department of the list.
            person: A person of the list.
        """
        return await actions.redirect(department, person)

    @function_tool
    async def repeat_briefing() -> str:
        """The manager wants to hear the briefing again."""
        return await actions.repeat()

    @function_tool
    async def not_today() -> str:
        """The manager does not want to be called any more today."""
        return await actions.not_today()

    @function_tool
    async def report_voicemail() -> str:
        """It is an answering machine, not a person."""
        return await actions.voicemail()

    return [accept_call, decline_call, redirect_call, repeat_briefing, not_today, report_voicemail]
