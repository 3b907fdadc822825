"""Keeps some simulated callers on the line, at different stages: each begins some seconds after the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calls import simulated
from calls.errors import Refused

KEPT = 3
APART = timedelta(seconds=12)
AT_MOST_S = 240  # a caller whom nobody helps hangs up


@dataclass
class Keeper:
    """`step` is asked every second or so; a carrier that does not answer is asked again, quietly."""

    kept: int = KEPT
    placed_at: datetime | None = None
    nth: int = field(default=0)

    def step(self, at: datetime) -> str:
        """Place the next call if it is time; returns its title, empty if none was placed."""
        if self.placed_at and at - self.placed_at < APART:
            return ""
        on_the_line = simulated.live()
        if on_the_line is None or len(on_the_line) >= self.kept:
            return ""
        waiting = [story for story in simulated.stories() if story.key not in on_the_line]
        if not waiting:
            return ""
        story = waiting[self.nth % len(waiting)]
        self.nth += 1
        self.placed_at = at
        try:
            return simulated.place(story.key, at_most_s=AT_MOST_S)
        except Refused:
            return ""
