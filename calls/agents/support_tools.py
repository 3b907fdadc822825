"""What the SupportAgent may do besides talking: keep a fact, ask for a person, say goodbye.

A model names departments and people of the roster; it never gives a number.
"""

from __future__ import annotations

from typing import Any, Protocol

from livekit.agents import llm

from calls.agents import protocol as p
from calls.agents.tools import tool

WORDS_OF_REASON = "Why, in the caller's own words where you can."


class SupportActions(Protocol):
    """What the tools need of the job. Each answers with words for the model, or raises StopResponse."""

    async def record_fact(self, key: str, value: str) -> str: ...
    async def request_transfer(
        self, reason: str, department: str, person: str | None, briefing: str, *, cold: bool = False
    ) -> str: ...
    async def request_callback(self, number: str, preferred: str) -> str: ...
    async def say_goodbye(self) -> None: ...


def support_tools(snapshot: p.Snapshot, actions: SupportActions) -> list[llm.Tool | llm.Toolset]:
    goodbye = tool("say_goodbye", "End the call: the caller needs nothing more.", lambda _: actions.say_goodbye())
    tools = [_request_transfer(snapshot, actions), goodbye]
    if snapshot.offers_callback:
        tools.append(_request_callback(snapshot, actions))
    return [_record_fact(snapshot, actions), *tools] if snapshot.profile.facts else [*tools]


def _record_fact(snapshot: p.Snapshot, actions: SupportActions) -> llm.Tool:
    keys = [fact.key for fact in snapshot.profile.facts]
    properties = {"key": {"type": "string", "enum": keys}, "value": {"type": "string"}}

    async def act(given: dict[str, str]) -> str:
        return await actions.record_fact(given.get("key", ""), given.get("value", ""))

    return tool("record_fact", "Keep something that the caller told you.", act, properties, ("key", "value"))


def _request_transfer(snapshot: p.Snapshot, actions: SupportActions) -> llm.Tool:
    async def act(given: dict[str, str]) -> str:
        return await actions.request_transfer(
            given.get("reason", ""),
            given.get("department", ""),
            given.get("person") or None,
            given.get("briefing", ""),
            cold=given.get("without_briefing", "").lower() == "true",
        )

    about = "Ask for a colleague to take this call. Whether one can is told to you later."
    return tool("request_transfer", about, act, _whom_and_why(snapshot), ("reason", "department"))


def _request_callback(snapshot: p.Snapshot, actions: SupportActions) -> llm.Tool:
    async def act(given: dict[str, str]) -> str:
        return await actions.request_callback(given.get("number", ""), given.get("preferred", ""))

    calls_from = f"the one they call from, which ends in {snapshot.caller_last4}" if snapshot.caller_last4 else ""
    number = f"The number, after you have read it back and they said that it is right. {_or(calls_from)}"
    properties = {
        "number": {"type": "string", "description": number},
        "preferred": {"type": "string", "description": "When it suits them, in their words."},
    }
    about = "Promise that somebody calls the caller back. First confirm the number and ask when it suits them."
    return tool(
        "request_callback", about, act, properties, ("preferred",) if calls_from else ("number", "preferred")
    )


def _or(calls_from: str) -> str:
    return f"Empty: {calls_from}; confirm that, too." if calls_from else ""


def _whom_and_why(snapshot: p.Snapshot) -> dict[str, Any]:
    departments = [department.name for department in snapshot.departments]
    people = sorted({person for department in snapshot.departments for person in department.people})
    limit = snapshot.profile.word_limit
    cold = {
        "without_briefing": {
            "type": "boolean",
            "description": "Only if they want to be sent on at once: nobody is told why they call.",
        }
    }
    return (cold if snapshot.may_refer else {}) | {
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
