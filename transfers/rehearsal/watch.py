"""Follows the rows of a transfer: notes when each step came, and how long the next one may take."""

from __future__ import annotations

import time
from collections.abc import Callable

from calls.states import CallerWith
from transfers.rehearsal.carrier import Carrier
from transfers.rehearsal.errors import Stuck
from transfers.rehearsal.facts import Seen
from transfers.rehearsal.scenarios import Scenario
from transfers.rehearsal.timeline import Marks

# For how long each step is waited for, after the one before it.
LIMITS = (
    ("held", 6.0, "The caller was not put on hold"),
    ("dialled", 8.0, "The manager was not dialled"),
    ("answered", 15.0, "The phone rang and the attempt did not end"),  # and the ring time
    ("briefing", 25.0, "The manager answered and no briefing began"),
    ("decided", 80.0, "The briefing began and the manager's decision did not come"),
    ("merged", 15.0, "The manager decided and nothing followed"),
)
IN_LINE_S = 25.0  # until somebody is free
SECOND_S = 60.0  # until another manager is rung, briefed and has decided
SAID = {
    "held": "the caller is on hold",
    "dialled": "the manager is dialled",
    "rang": "it rings",
    "answered": "the manager answers",
    "briefing": "the briefing begins",
    "decided": "the manager decides",
    "bridged": "the line between them is up",
    "merged": "caller and manager are joined",
    "closed": "the attempt is over",
    "returned": "the caller is back with the AI",
}

Say = Callable[[float, str], None]


class Watch:
    """`say(at, text)` is told each step once, as it comes."""

    def __init__(self, marks: Marks, scenario: Scenario, carrier: Carrier | None, say: Say) -> None:
        self.marks, self.say = marks, say
        self.request_id = ""  # the carrier's
        self._scenario, self._carrier = scenario, carrier

    def mark(self, name: str, at: float) -> None:
        if getattr(self.marks, name) is None:
            setattr(self.marks, name, at)
            if name in SAID:
                self.say(at, SAID[name])

    def note(self, seen: Seen) -> None:
        transfer, attempt = seen.transfer, seen.attempt
        assert transfer is not None
        when = {"held": transfer.held_at, "merged": transfer.merged_at}
        when["parted"] = transfer.ended_at if transfer.merged_at else None
        if attempt:
            self._find_request()
            when |= {
                "dialled": attempt.dialed_at if self._carrier is None else None,
                "rang": attempt.ringing_at,
                "answered": attempt.answered_at,
                "briefing": attempt.briefing_started_at,
                "decided": seen.decision.at if seen.decision else None,
                "bridged": attempt.bridged_at,
                "closed": attempt.ended_at if not attempt.merged_at else None,
            }
        if not transfer.is_open and seen.call.caller_with == CallerWith.AI:
            when["returned"] = max(seen.call.caller_since, transfer.requested_at)  # or they never left it
        for name, at in when.items():
            if at:
                self.mark(name, at.timestamp())

    def _find_request(self) -> None:
        """What the carrier got: that is when the manager was dialled."""
        carrier = self._carrier
        if carrier is None or self.request_id or self.marks.clicked is None:
            return
        for request in carrier.requests(self.marks.clicked - 1):
            self.request_id = str(request["id"])
            self.mark("dialled", float(request["at"]))

    def _more(self, name: str) -> float:
        """What a scenario needs beyond the usual."""
        if name == "answered":
            return self._scenario.ring_time_s
        if name == "merged" and self._scenario.way == "redirected":
            return SECOND_S
        return IN_LINE_S if name == "held" and self._scenario.way == "in-line" else 0

    def limit(self, seen: Seen) -> None:
        since = self.marks.clicked
        assert since is not None
        for name, seconds, what in LIMITS:
            at = getattr(self.marks, name)
            if at is None:
                allowed = seconds + self._more(name)
                if time.time() > since + allowed:
                    raise Stuck(f"{what} (not within {allowed:g} s)")
                return
            since = at
