"""What the carrier was asked to dial and what became of it. Bounded; in memory only."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT_REQUESTS = 500
KEPT_EVENTS = 300


def masked(address: str) -> str:
    """ "…0101": enough to tell two apart."""
    return f"…{address[-4:]}" if address else ""


@dataclass(frozen=True)
class Event:
    """`what`: ringing, answered, heard, said, pressed, digits, merged, refused, left; times in epoch seconds."""

    at: float
    what: str
    text: str = ""


@dataclass
class Notes:
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def add(self, what: str, text: str = "") -> None:
        self.events.append(Event(time.time(), what, text))

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(event) for event in self.events]


@dataclass
class DialRecord:
    """One CreateSIPParticipant that was received; times in epoch seconds."""

    id: str
    at: float
    room: str
    identity: str
    to: str
    trunk: str  # stored, inline
    dtmf: str
    ringing_timeout_s: float
    sip_number: str
    wait_until_answered: bool
    answered_at: float | None = None
    ended_at: float | None = None
    sip_status: int | None = None
    notes: Notes = field(default_factory=Notes)

    def as_json(self, *, events: bool = False) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.id,
            "at": self.at,
            "room": self.room,
            "identity": self.identity,
            "to_masked": masked(self.to),
            "trunk": self.trunk,
            "dtmf": self.dtmf,
            "ringing_timeout_s": self.ringing_timeout_s,
            "sip_number": masked(self.sip_number),
            "wait_until_answered": self.wait_until_answered,
            "answered_at": self.answered_at,
            "ended_at": self.ended_at,
            "sip_status": self.sip_status,
        }
        return row | {"events": self.notes.as_json()} if events else row


class Ledger:
    def __init__(self) -> None:
        self._records: deque[DialRecord] = deque(maxlen=KEPT_REQUESTS)
        self._number = itertools.count(1)

    def next_id(self) -> str:
        return str(next(self._number))

    def add(self, record: DialRecord) -> None:
        self._records.append(record)

    def since(self, at: float) -> list[DialRecord]:
        return [record for record in self._records if record.at >= at]

    def find(self, id: str) -> DialRecord | None:
        return next((record for record in self._records if record.id == id), None)
