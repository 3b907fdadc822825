"""Tools for a model, by their schema: it can name what this call has, and nothing is parsed while people talk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from livekit.agents import llm
from livekit.agents.llm import function_tool

Act = Callable[[dict[str, str]], Awaitable[Any]]


def tool(
    name: str,
    about: str,
    act: Act,
    properties: Mapping[str, Any] | None = None,
    required: Sequence[str] = (),
) -> llm.Tool:
    """`act` gets the arguments as texts, without those that a model left out or gave as null."""
    parameters = {
        "type": "object",
        "properties": dict(properties or {}),
        "required": list(required),
        "additionalProperties": False,
    }

    async def call(raw_arguments: dict[str, object]) -> Any:
        return await act({key: str(value) for key, value in raw_arguments.items() if value is not None})

    return function_tool(call, raw_schema={"name": name, "description": about, "parameters": parameters})
