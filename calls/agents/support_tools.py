"""What the SupportAgent may do besides talking: keep a fact, ask for a person, say goodbye.

A model names departments and people of the roster; it never gives a number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from livekit.agents import llm
from livekit.agents.llm import function_tool

from calls.agents import protocol as p

WORDS_OF_REASON = "Why, in the caller's own words where you can."


class SupportActions(Protocol):
    """What the tools need of the job. Each answers with words for the model, or raises StopResponse."""

    async def record_fact(self, key: str, value: str) -> str: ...
    async def request_transfer(self, reason: str, department: str, person: str | None, briefing: str) -> str: ...
    async def say_goodbye(self) -> None: ...


def support_tools(snapshot: p.Snapshot, actions: SupportActions) -> list[llm.Tool | llm.Toolset]:
    tools = [_request_transfer(snapshot, actions), _say_goodbye(actions)]
    return [_record_fact(snapshot, actions), *tools] if snapshot.profile.facts else [*tools]


def _tool(
    name: str, about: str, properties: dict[str, Any], required: list[str], act: Callable[..., Awaitable[Any]]
) -> llm.Tool:
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    async def call(raw_arguments: dict[str, object]) -> Any:
        return await act(raw_arguments)

    return function_tool(call, raw_schema={"name": name, "description": about, "parameters": parameters})


def _record_fact(snapshot: p.Snapshot, actions: SupportActions) -> llm.Tool:
    keys = [fact.key for fact in snapshot.profile.facts]

    async def act(given: dict[str, object]) -> str:
        return await actions.record_fact(str(given.get("key", "")), str(given.get("value", "")))

    properties = {"key": {"type": "string", "enum": keys}, "value": {"type": "string"}}
    return _tool("record_fact", "Keep something that the caller told you.", properties, ["key", "value"], act)


def _request_transfer(snapshot: p.Snapshot, actions: SupportActions) -> llm.Tool:
    departments = [department.name for department in snapshot.departments]
    people = sorted({person for department in snapshot.departments for person in department.people})
    limit = snapshot.profile.word_limit

    async def act(given: dict[str, object]) -> str:
        person = str(given.get("person") or "")
        return await actions.request_transfer(
            str(given.get("reason", "")),
            str(given.get("department") or ""),
            person or None,
            str(given.get("briefing") or ""),
        )

    properties: dict[str, Any] = {
        "reason": {"type": "string", "description": WORDS_OF_REASON},
        "department": {
            "type": "string",
            "enum": ["", *departments],
            "description": "Empty: the caller's own department.",
        },
        "person": {"type": ["string", "null"], "enum": [None, *people], "description": "Only if they named one."},
        "briefing": {
            "type": "string",
            "description": f"What a colleague should hear before they talk to the caller, at most {limit} words.",
        },
    }
    about = "Ask for a colleague to take this call. Whether one can is told to you later."
    return _tool("request_transfer", about, properties, ["reason", "department"], act)


def _say_goodbye(actions: SupportActions) -> llm.Tool:
    async def act(given: dict[str, object]) -> None:
        await actions.say_goodbye()

    return _tool("say_goodbye", "End the call: the caller needs nothing more.", {}, [], act)
