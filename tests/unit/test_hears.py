"""Who hears whom, read off the design's table row by row."""

from __future__ import annotations

import pytest

from calls.telephony.hears import Party, Phase, who_hears

P, F = Party, Phase
PHASES = (F.WITH_AI, F.ON_HOLD, F.BRIEFING, F.INTRODUCTION, F.MERGED, F.TAKEN_OVER)
N: frozenset[Party] = frozenset()
CALLER, AI, MANAGER = frozenset({P.CALLER}), frozenset({P.AI}), frozenset({P.MANAGER})
TABLE = {
    P.CALLER: (AI, N, N, MANAGER | AI, MANAGER, frozenset({P.SUPERVISOR})),
    P.AI: (CALLER, N, N, CALLER | MANAGER, N, N),
    P.HOLD_PLAYER: (N, CALLER, CALLER, N, N, N),
    P.TRANSFER_AGENT: (N, N, MANAGER, N, N, N),
    P.MANAGER: (N, N, frozenset({P.TRANSFER_AGENT}), CALLER | AI, CALLER, N),
    P.LISTENER: (N, N, N, N, N, N),
    P.WHISPERER: (N, N, MANAGER, MANAGER, MANAGER, N),
    P.SUPERVISOR: (CALLER | AI, CALLER, CALLER, CALLER | MANAGER, CALLER | MANAGER, CALLER),
}


@pytest.mark.parametrize("speaker", Party)
@pytest.mark.parametrize("phase", Phase)
def test_every_cell(speaker: Party, phase: Phase) -> None:
    assert who_hears(speaker, phase) == TABLE[speaker][PHASES.index(phase)]


@pytest.mark.parametrize("phase", [F.ON_HOLD, F.BRIEFING])
def test_nothing_crosses_before_the_merge(phase: Phase) -> None:
    assert P.MANAGER not in who_hears(P.CALLER, phase)
    assert P.CALLER not in who_hears(P.MANAGER, phase)
