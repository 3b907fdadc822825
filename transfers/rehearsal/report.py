"""What a rehearsal found: one JSON object, and the same in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from transfers.rehearsal.timeline import Phases

NAMES = {
    "click_to_hold_s": "click → the caller hears that they are put on hold",
    "click_to_dial_s": "click → the manager is dialled",
    "answer_to_briefing_s": "answer → the briefing is heard",
    "accept_to_heard_s": "acceptance → each hears the other",
    "relay_delay_ms": "delay that the relay adds",
}


@dataclass
class Report:
    """`said_by_*` are the words spoken, `heard_by_*` those of them that the other side recognised."""

    scenario: str
    outcome: str = ""  # the transfer's end reason
    attempt_outcome: str = ""
    leak: bool = False
    said_by_caller: Sequence[str] = ()
    heard_by_manager: Sequence[str] = ()
    said_by_manager: Sequence[str] = ()
    heard_by_caller: Sequence[str] = ()
    heard_after_return: str = ""
    heard_by_manager_text: str = ""
    heard_by_caller_text: str = ""
    carrier_request: dict[str, Any] | None = None
    phases: Phases = field(default_factory=Phases)
    problems: list[str] = field(default_factory=list)
    not_measured: list[str] = field(default_factory=list)
    call: str = ""
    trunk: str = ""
    broken: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def lines(report: Report) -> list[str]:
    """For a terminal."""
    found = [f"  {'outcome':<12} {report.outcome or 'none'}"]
    if report.said_by_caller:
        found.append(_words("caller", report.said_by_caller, "manager", report.heard_by_manager))
    if report.said_by_manager:
        found.append(_words("manager", report.said_by_manager, "caller", report.heard_by_caller))
    for name, value in asdict(report.phases).items():
        if value is not None:
            shown = f"{value:.0f} ms" if name.endswith("_ms") else f"{value:.2f} s"
            found.append(f"  {shown:>9}  {NAMES[name]}")
    found += [f"  not measured: {what}" for what in report.not_measured]
    found += [f"  problem: {what}" for what in report.problems]
    found.append("Rehearsal passed." if report.ok else "Rehearsal FAILED.")
    return found


def _words(speaker: str, said: Sequence[str], ear: str, heard: Sequence[str]) -> str:
    return (
        f"  the {ear} recognised {len(heard)} of the {len(said)} words that the {speaker} said: {', '.join(said)}"
    )
