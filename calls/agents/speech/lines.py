"""A conversation as the rule-based brain sees it, and what it may answer."""

from __future__ import annotations

from collections.abc import Sequence
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


def last_said(lines: Sequence[Line]) -> str:
    """The agent's last line; empty if it has said nothing."""
    return next((line.text for line in reversed(lines) if line.role == "assistant"), "")
