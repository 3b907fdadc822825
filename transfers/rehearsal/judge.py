"""Who heard whom, by tone energy, against the one table of who may. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calls.telephony.hears import Party, Phase, who_hears
from transfers.rehearsal.sound import RATE, Recording
from transfers.rehearsal.timeline import Span
from transfers.rehearsal.tones import CALLER_HZ, HOP, MANAGER_HZ, Presence, presence

TONES: Mapping[Party, float] = {Party.CALLER: CALLER_HZ, Party.MANAGER: MANAGER_HZ}
LEAK_WINDOWS = 3  # in a row: a bit more than a third of a second
REACHED = 0.6  # of a phase's windows

WHERE = {
    Phase.WITH_AI: "while the caller is with the AI",
    Phase.ON_HOLD: "on hold",
    Phase.BRIEFING: "during the briefing",
    Phase.INTRODUCTION: "during the introduction",
    Phase.MERGED: "after the merge",
    Phase.TAKEN_OVER: "while a supervisor has the call",
}


@dataclass(frozen=True)
class Cell:
    """Whether `ear` heard the tone of `speaker` in one phase. `windows`: how many could be looked at."""

    phase: Phase
    speaker: Party
    ear: Party
    expected: bool
    share: float
    longest: int
    windows: int

    @property
    def leaked(self) -> bool:
        return not self.expected and self.longest >= LEAK_WINDOWS

    @property
    def missed(self) -> bool:
        return self.expected and self.share < REACHED

    @property
    def words(self) -> str:
        where = WHERE[self.phase]
        if self.leaked:
            seconds = self.longest * HOP / RATE
            themselves = " (an echo)" if self.ear == self.speaker else ""
            return f"Leak {where}: the {self.ear} hears the {self.speaker}{themselves} for {seconds:.1f} s."
        if self.missed:
            return f"The {self.ear} does not hear the {self.speaker} {where} ({self.share:.0%} of the time)."
        return ""


def cells(spans: Sequence[Span], heard: Mapping[Party, Recording]) -> Sequence[Cell]:
    """One for each phase, recorded ear and speaker with a tone; their own tone is heard by nobody back."""
    found = []
    for ear, recording in heard.items():
        for speaker, hz in TONES.items():
            whole = presence(recording, hz)
            found += [_cell(span, speaker, ear, whole) for span in spans]
    return found


def _cell(span: Span, speaker: Party, ear: Party, whole: Presence) -> Cell:
    inner = span.inner
    part = whole.within(inner.since, inner.until)
    expected = ear != speaker and ear in who_hears(speaker, span.phase)
    return Cell(span.phase, speaker, ear, expected, part.share, part.longest, len(part.there))
