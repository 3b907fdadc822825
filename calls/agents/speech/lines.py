"""A conversation as the rule-based brain sees it, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """Words to say, or a tool to call with its arguments."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One line of the conversation: role user, assistant or tool (then `tool` names it)."""

    role: str
    text: str
    tool: str = ""
