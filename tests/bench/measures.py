"""The design's table: every name with its bar, and the module whose `measure` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """`bar` is the most that `value` may be. `on` is what it stands on, brought up before its module is imported.

    `limit_s` bounds the whole measure, whatever hangs.
    """

    name: str
    what: str
    unit: str
    bar: float
    module: str
    on: Literal["rows", "product"]
    limit_s: int = 120


# In this order: the idle stack is looked at before anything has used it, and what kills its parts comes last.
MEASURES = (
    Measure("idle", "whole idle stack, CPU", "% of a core", 15, "idle", "product", 240),
    Measure("call_cost", "agents of one live call, CPU", "% of a core", 30, "call_cost", "product"),
    Measure(
        "click_to_dial", "click Escalate → SIP request leaves, p95", "ms", 100, "click_to_dial", "product", 150
    ),
    Measure(
        "accept_to_heard", "manager accepts → each hears the other, p95", "s", 1, "accept_to_heard", "product", 240
    ),
    Measure("relay_delay", "relay's added delay one way, p95", "ms", 60, "relay_delay", "product", 240),
    Measure("resume", "kill -9 of a process → next step, longest", "s", 3, "resume", "product", 300),
    Measure(
        "webhook_to_dom", "webhook → changed DOM at 50 events/s, p95", "ms", 50, "webhook_to_dom", "rows", 600
    ),
    Measure("wallboard_500", "wallboard of 500 calls, server time, median", "ms", 25, "wallboard_500", "rows"),
    Measure("history", "any page or filter of the history, slowest p95", "ms", 50, "history", "rows", 1800),
    Measure("reports", "a page of reports of any range, slowest p95", "ms", 300, "reports", "rows", 1800),
)
