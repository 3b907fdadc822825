"""What a test asks of the next dial of a number."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from calls.telephony.simulator.numbers import SCENARIOS
from calls.telephony.simulator.party import KEYS


@dataclass(frozen=True)
class Options:
    """`chatter` False: says nothing of its own after taking the call. `accept`: voice or key, else as it would."""

    to: str = ""
    tone_hz: float = 0.0
    chatter: bool = True
    accept: str = ""
    press_at_answer: str = ""
    scenario: str = ""
    rings_s: float | None = None


def parse(body: Any) -> Options:
    """Raises ValueError in words."""
    known = {field.name for field in fields(Options)}
    if not isinstance(body, dict) or not isinstance(body.get("to"), str) or not body["to"]:
        raise ValueError("a script is an object with the number in `to`")
    if unknown := sorted(set(body) - known):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    options = Options(**body)
    wrong = {
        f"scenario is one of {', '.join(SCENARIOS)}": options.scenario and options.scenario not in SCENARIOS,
        "accept is voice or key": options.accept not in ("", "voice", "key"),
        "press_at_answer is one key": options.press_at_answer not in ("", *KEYS),
        "tone_hz and rings_s are numbers": not _is_number(options.tone_hz)
        or (options.rings_s is not None and not _is_number(options.rings_s)),
        "chatter is true or false": not isinstance(options.chatter, bool),
    }
    for words, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(words)
    return options


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
