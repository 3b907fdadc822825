"""Who hears whom: the one table that tokens, subscriptions, track permissions and the bridge obey."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    WITH_AI = "with_ai"
    ON_HOLD = "on_hold"
    BRIEFING = "briefing"
    INTRODUCTION = "introduction"
    MERGED = "merged"
    TAKEN_OVER = "taken_over"


class Party(StrEnum):
    CALLER = "caller"
    AI = "ai"
    HOLD_PLAYER = "hold_player"
    TRANSFER_AGENT = "transfer_agent"
    MANAGER = "manager"
    LISTENER = "listener"
    WHISPERER = "whisperer"  # a supervisor whispering to the manager
    SUPERVISOR = "supervisor"  # barging in or taking over


P, F = Party, Phase
NOBODY: Final[frozenset[Party]] = frozenset()

_TABLE: Final[Mapping[Party, Mapping[Phase, frozenset[Party]]]] = {
    P.CALLER: {
        F.WITH_AI: frozenset({P.AI}),
        F.INTRODUCTION: frozenset({P.MANAGER, P.AI}),
        F.MERGED: frozenset({P.MANAGER}),
        F.TAKEN_OVER: frozenset({P.SUPERVISOR}),
    },
    P.AI: {F.WITH_AI: frozenset({P.CALLER}), F.INTRODUCTION: frozenset({P.CALLER, P.MANAGER})},
    P.HOLD_PLAYER: {F.ON_HOLD: frozenset({P.CALLER}), F.BRIEFING: frozenset({P.CALLER})},
    P.TRANSFER_AGENT: {F.BRIEFING: frozenset({P.MANAGER})},
    P.MANAGER: {
        F.BRIEFING: frozenset({P.TRANSFER_AGENT}),
        F.INTRODUCTION: frozenset({P.CALLER, P.AI}),
        F.MERGED: frozenset({P.CALLER}),
    },
    P.LISTENER: {},
    P.WHISPERER: {
        F.BRIEFING: frozenset({P.MANAGER}),
        F.INTRODUCTION: frozenset({P.MANAGER}),
        F.MERGED: frozenset({P.MANAGER}),
    },
    P.SUPERVISOR: {
        F.WITH_AI: frozenset({P.CALLER, P.AI}),
        F.ON_HOLD: frozenset({P.CALLER}),
        F.BRIEFING: frozenset({P.CALLER}),
        F.INTRODUCTION: frozenset({P.CALLER, P.MANAGER}),
        F.MERGED: frozenset({P.CALLER, P.MANAGER}),
        F.TAKEN_OVER: frozenset({P.CALLER}),
    },
}


def who_hears(speaker: Party, phase: Phase) -> frozenset[Party]:
    """The parties that hear `speaker` in `phase`. Supervisors' ears are not cells: see `tokens`."""
    return _TABLE[speaker].get(phase, NOBODY)
