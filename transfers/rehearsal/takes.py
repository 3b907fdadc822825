"""What a rehearsal brought home: recordings, what was said, and when what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transfers.rehearsal.sound import NOTHING, Recording
from transfers.rehearsal.timeline import Marks

Period = tuple[float, float]  # from when until when, in epoch seconds


@dataclass
class Takes:
    marks: Marks = field(default_factory=Marks)
    call: str = ""
    caller: Recording = NOTHING  # what they heard
    real_phone: bool = False  # whose ears are its own
    manager: Recording | None = None  # None: not known
    direct_caller: Recording = NOTHING  # the caller's words without the relay, heard in the caller's own room
    direct_manager: Recording = NOTHING
    said_by_caller: list[str] = field(default_factory=list)
    said_by_manager: list[str] = field(default_factory=list)
    said_on_hold: list[str] = field(default_factory=list)
    account_number: str = ""
    exchange: Period | None = None  # when both said their words
    question: Period | None = None  # when the caller, back with the AI, asked one
    words_for_caller: str = ""
    transcript: str = ""  # all that the product wrote down of the caller
    end: str = ""
    outcome: str = ""
    strategy: str = ""
    request: dict[str, Any] | None = None
    stuck: list[str] = field(default_factory=list)
