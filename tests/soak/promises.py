"""What must hold of every transfer of a soak, from outside: at the phones, in the rows, at the caller's ear."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from calls.telephony.simulator.recording import RATE
from tests.bench.house import Records
from tests.floor import Caller

PROMISES = {
    "I1": "one open transfer a call",
    "I2": "one open attempt a manager",
    "I3": "one dial an attempt, counted at the far side",
    "I4": "a caller on hold hears something, and is not held beyond the limit",
    "I5": "nothing is left behind",
    "I6": "moves along the table, an audit without a gap",
    "I7": "the page is what the database says",
    "I8": "late events move nothing back",
    "I9": "a forged webhook writes nothing",
}
QUIET = 60  # int16; below it nothing is heard
CALM_RING_S, KILLED_RING_S, SILENCE_S = 1.0, 5.0, 20.0
GAVE_UP_SHARE = 0.05
HOLD_SPARE_S = 15.0  # beyond the limit, while a process is replaced


@dataclass
class Tally:
    seed: int
    transfers: int = 0
    real_audio: int = 0
    kills: int = 0
    stranded: int = 0
    gave_up: int = 0  # the agents of one manager after another were killed, and the caller is told so
    double_dials: int = 0
    longest_silence_s: float = 0.0
    longest_orphan_ring_s: float = 0.0
    longest_wait_for_ai_s: float = 0.0
    pages_compared: int = 0
    late_webhooks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(PROMISES, 0)))
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        ring = KILLED_RING_S if self.kills else CALM_RING_S
        return (
            not any(self.violations.values())
            and not self.problems
            and not self.stranded
            and self.gave_up <= self.transfers * GAVE_UP_SHARE
            and self.longest_silence_s <= SILENCE_S
            and self.longest_orphan_ring_s <= ring
        )

    def broken(self, promise: str, what: str) -> None:
        self.violations[promise] += 1
        self.problem(f"{promise}, {PROMISES[promise]}: {what}")

    def problem(self, what: str) -> None:
        """Told at once: a long soak is not waited for with a question open."""
        self.problems.append(what)
        sys.stderr.write(f"\n{what}\n")


def alone(caller: Caller) -> bool:
    """On hold for nobody."""
    ended = ("completed", "failed", "cancelled", "rejected")
    return caller.with_whom == "hold" and caller.of_transfer("state") in ended


def gave_up(caller: Caller) -> bool:
    """Nobody could be reached, and the AI has the caller back: an end like others, if processes were killed."""
    return caller.of_transfer("end_reason") == "no_manager" and caller.with_whom == "ai"


def measure(caller: Caller, tally: Tally) -> None:
    """After their call: what the phones and the caller's ear had."""
    rooms = Counter(dial["room"] for dial in caller.dials())
    doubled = sum(count - 1 for count in rooms.values())
    tally.double_dials += doubled
    tally.violations["I3"] += doubled
    over = caller.of_call("extract(epoch FROM ended_at)")
    for dial in caller.dials():
        if over and not dial["answered_at"] and dial["ended_at"]:
            ring = float(dial["ended_at"]) - float(over)
            tally.longest_orphan_ring_s = max(tally.longest_orphan_ring_s, round(ring, 2))
    held_at = caller.of_transfer("extract(epoch FROM held_at)")
    until_at = caller.of_transfer("extract(epoch FROM coalesce(merged_at, ended_at))")
    if not held_at or not until_at:
        return
    limit = caller.floor.records.one("SELECT max(hold_limit_s) FROM transfers_policy")
    if float(until_at) - float(held_at) > limit + HOLD_SPARE_S:
        tally.broken("I4", f"on hold for {float(until_at) - float(held_at):.0f} s")
    if caller.party:
        silence = longest_silence(caller, float(held_at), float(until_at))
        tally.longest_silence_s = max(tally.longest_silence_s, round(silence, 2))


def longest_silence(caller: Caller, since: float, until_at: float) -> float:
    """Of what the caller heard on hold, in seconds."""
    assert caller.party
    samples = caller.party.recording.samples(since, until_at)
    window = RATE // 10
    windows = np.abs(samples[: len(samples) // window * window].astype(np.int32)).reshape(-1, window)
    longest = run = 0
    for sounds in windows.max(axis=1) > QUIET:
        run = 0 if sounds else run + 1
        longest = max(longest, run)
    return longest / 10


def rows_hold(records: Records, tally: Tally) -> None:
    """I1, I2 and I6, of all that happened."""
    open_states = "('requested', 'queued', 'connecting', 'consulting', 'merging')"
    several = "SELECT count(*) FROM (SELECT 1 FROM {} WHERE state IN {} GROUP BY {} HAVING count(*) > 1) x"
    tally.violations["I1"] += records.one(several.format("transfers_transfer", open_states, "call_id"))
    open_attempts = "('reserved', 'dialing', 'ringing', 'summarizing', 'merged')"
    tally.violations["I2"] += records.one(several.format("transfers_attempt", open_attempts, "manager_id"))
    broken = """
        SELECT count(*) FROM (
          SELECT facts->>'from_state' AS here, lag(facts->>'to_state') OVER (
            PARTITION BY type, coalesce(attempt_id, transfer_id) ORDER BY seq) AS before
          FROM calls_event WHERE type IN ('transfer.moved', 'attempt.moved')) moves
        WHERE before IS NOT NULL AND before <> here
    """
    tally.violations["I6"] += records.one(broken)
    if not _chain_holds(records):
        tally.broken("I6", "the chain of the history does not hold")


def _chain_holds(records: Records) -> bool:
    """Each digest is SHA-256 of the one before and the event's bytes; the first follows on zeros."""
    sealed = (
        "SELECT s.previous, s.digest, e.body FROM calls_seal s JOIN calls_event e ON e.seq = s.event_id "
        "ORDER BY s.seq"
    )
    before = bytes(32)
    for previous, digest, body in records.all(sealed):
        if previous != before or hashlib.sha256(before + body).digest() != digest:
            return False
        before = digest
    return True
