"""`make soak MINUTES=60`: one randomised transfer after another through the running product, with random kills.

Without speech, through real rooms and jobs. A seed replays the same ways and kills (not the same instants). Writes
`build/soak.json`; ends with 1 if a promise was broken. From 30 minutes on it ends with rehearsals in real speech.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calls.telephony.simulator.recording import RATE
from config.env import ROOT
from tests.floor import SCRIPTED, Caller, Floor
from tests.product import Product, until

KILLED = ("worker", "clock-1", "clock-2", "web", "agents", "valkey")
KILL_EVERY_S = (15.0, 30.0)
PATIENCE_S = 45.0  # a step may meet a process that is just being replaced
SPEECH_FROM_MINUTES, SPOKEN = 30, 20
MEASURED = ("I1", "I2", "I3", "I5", "I6", "I9")  # the others are not looked at here yet
QUIET = 60  # int16; below it nothing is heard
CALM_RING_S, KILLED_RING_S, SILENCE_S = 1.5, 5.0, 20.0


@dataclass
class Tally:
    """`violations` by promise: I1 one open transfer a call, I2 one open attempt a manager, I3 one dial an attempt,
    I5 nothing left behind, I6 moves along the table, I9 no forged webhook written."""

    seed: int
    transfers: int = 0
    real_audio: int = 0
    kills: int = 0
    stranded: int = 0
    double_dials: int = 0
    longest_silence_s: float = 0.0
    longest_orphan_ring_s: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(MEASURED, 0)))
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        clean = not any(self.violations.values()) and not self.problems
        ring = KILLED_RING_S if self.kills else CALM_RING_S
        return (
            clean
            and not self.stranded
            and self.longest_silence_s <= SILENCE_S
            and self.longest_orphan_ring_s <= ring
        )


# ── the ways ─────────────────────────────────────────────────────────────────────────────────────


def talks(caller: Caller) -> None:
    joined(caller)


def caller_leaves_ringing(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    caller.reaches("ringing", "dialing", within_s=PATIENCE_S)


def caller_leaves_in_the_briefing(caller: Caller) -> None:
    caller.escalated()
    caller.is_briefed(PATIENCE_S)


def declined(caller: Caller) -> None:
    caller.escalated(scenario="refuses", rings_s=0.3)
    until(lambda: caller.attempts() >= 2, PATIENCE_S, "the next manager is called")


def busy(caller: Caller) -> None:
    caller.escalated(scenario="busy", rings_s=0.3)
    until(lambda: caller.attempts() >= 2, PATIENCE_S, "the next manager is called")


def key_zero(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    end = time.monotonic() + PATIENCE_S
    while caller.with_whom != "ai":
        assert time.monotonic() < end, "the caller presses 0 and stays on hold"
        if caller.of_call("agent_state") == "holding":
            caller.presses("0")
        time.sleep(0.5)


def supervisor_cancels(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{caller.of_transfer('id')}/cancel"))
    caller.is_with("ai", PATIENCE_S)


def cut_off(caller: Caller) -> None:
    joined(caller)
    before = len(caller.dials())
    caller.floor.carrier.hang_up_phone(caller.dials()[-1]["id"])
    until(lambda: len(caller.dials()) > before, PATIENCE_S, "the manager is called again")


def given_back(caller: Caller) -> None:
    joined(caller)
    _stars(caller, "0", lambda: caller.with_whom == "ai")


def another_manager(caller: Caller) -> None:
    joined(caller)
    before = caller.attempts()
    _stars(caller, "1", lambda: caller.attempts() > before)


def held(caller: Caller) -> None:
    joined(caller)
    transfer = caller.of_transfer("id")
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{transfer}/hold"))
    caller.is_with("hold", PATIENCE_S)
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{transfer}/resume"))
    caller.is_with("manager", PATIENCE_S)


WAYS: Mapping[str, Callable[[Caller], None]] = {
    way.__name__: way
    for way in (
        talks,
        caller_leaves_ringing,
        caller_leaves_in_the_briefing,
        declined,
        busy,
        key_zero,
        supervisor_cancels,
        cut_off,
        given_back,
        another_manager,
        held,
    )
}


def joined(caller: Caller) -> None:
    caller.escalated()
    caller.manager_takes_it(within_s=2 * PATIENCE_S)


def _stars(caller: Caller, key: str, done: Callable[[], bool]) -> None:
    """A manager presses the two keys until something comes of it."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"*{key} and nothing comes of it"
        if caller.of_attempt("state") == "merged":
            caller.manager_presses("*")
            caller.manager_presses(key)
        time.sleep(1.5)


def patiently(act: Callable[[], object]) -> None:
    """A person whose console was just away clicks again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            act()
            return
        except urllib.error.HTTPError as error:
            if error.code == 409:  # done already
                return
            if time.monotonic() > end:
                raise
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)


# ── one transfer, and what must hold of it ───────────────────────────────────────────────────────


def one(floor: Floor, name: str, tally: Tally) -> None:
    caller = floor.calls_in("Billing")
    tally.transfers += 1
    tally.ways[name] += 1
    try:
        WAYS[name](caller)
        caller.is_over(within_s=PATIENCE_S)
    except AssertionError as problem:
        tally.stranded += caller.of_call("state") != "inactive" and _alone(caller)
        tally.violations["I5"] += 1
        tally.problems.append(f"{name}: {problem}")
        caller.leave()
    tally.outcomes[caller.of_transfer("end_reason") or "none"] += 1
    _measure(caller, tally)


def _alone(caller: Caller) -> bool:
    """On hold for nobody."""
    return caller.with_whom == "hold" and caller.of_transfer("state") in (
        "completed",
        "failed",
        "cancelled",
        "rejected",
    )


def _measure(caller: Caller, tally: Tally) -> None:
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
    if held_at and until_at:
        silence = longest_silence(caller, float(held_at), float(until_at))
        tally.longest_silence_s = max(tally.longest_silence_s, round(silence, 2))


def longest_silence(caller: Caller, since: float, until_at: float) -> float:
    """Of what the caller heard on hold, in seconds."""
    samples = caller.party.recording.samples(since, until_at)
    window = RATE // 10
    windows = np.abs(samples[: len(samples) // window * window].astype(np.int32)).reshape(-1, window)
    longest = run = 0
    for sounds in windows.max(axis=1) > QUIET:
        run = 0 if sounds else run + 1
        longest = max(longest, run)
    return longest / 10


def rows_hold(floor: Floor, tally: Tally) -> None:
    """I1, I2 and I6 to I9, of all that happened."""
    open_states = "('requested', 'queued', 'connecting', 'consulting', 'merging')"
    several = "SELECT count(*) FROM (SELECT 1 FROM {} WHERE state IN {} GROUP BY {} HAVING count(*) > 1) x"
    tally.violations["I1"] += floor.records.one(several.format("transfers_transfer", open_states, "call_id"))
    open_attempts = "('reserved', 'dialing', 'ringing', 'summarizing', 'merged')"
    tally.violations["I2"] += floor.records.one(several.format("transfers_attempt", open_attempts, "manager_id"))
    broken = """
        SELECT count(*) FROM (
          SELECT facts->>'from_state' AS here, lag(facts->>'to_state') OVER (
            PARTITION BY type, coalesce(attempt_id, transfer_id) ORDER BY seq) AS before
          FROM calls_event WHERE type IN ('transfer.moved', 'attempt.moved')) moves
        WHERE before IS NOT NULL AND before <> here
    """
    tally.violations["I6"] += floor.records.one(broken)
    forged = "SELECT count(*) FROM calls_webhookdelivery WHERE id LIKE 'EV_forged%%'"
    tally.violations["I9"] += floor.records.one(forged)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────


class Killer:
    """Kills one process after another while it runs."""

    def __init__(self, product: Product, dice: random.Random, tally: Tally) -> None:
        self._product, self._dice, self._tally = product, dice, tally
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._dice.uniform(*KILL_EVERY_S)):
            self._product.kill(self._dice.choice(KILLED))
            self._tally.kills += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)


def soak(minutes: float, seed: int, *, kills: bool = True) -> Tally:
    tally, dice = Tally(seed), random.Random(seed)
    end = time.monotonic() + minutes * 60
    with Product("--demo", "--quiet", env=SCRIPTED) as product:
        floor = Floor(product)
        killer = Killer(product, random.Random(seed + 1), tally) if kills else None
        names: list[str] = []
        while time.monotonic() < end:
            names = names or dice.sample(list(WAYS), len(WAYS))
            floor.records.one("UPDATE transfers_manager SET presence = 'available', misses = 0 RETURNING 1")
            one(floor, names.pop(), tally)
            _say(f"{tally.transfers} transfers, {tally.kills} kills, {len(tally.problems)} problems")
        if killer:
            killer.stop()
        rows_hold(floor, tally)
        floor.close()
    if minutes >= SPEECH_FROM_MINUTES:
        _speak(tally)
    return tally


def _speak(tally: Tally) -> None:
    """Whole transfers with real speech, judged by what each hears."""
    with Product("--demo", "--quiet") as product:
        for _ in range(SPOKEN):
            done = product.manage("rehearse", "--json", "--scenario", "accepts-by-key", timeout=280)
            told: dict[str, Any] = json.loads(done.stdout)
            tally.real_audio += 1
            if not told["ok"]:
                tally.problems.append(f"rehearsal: {'; '.join(told['problems'])}")


def _say(line: str) -> None:
    sys.stderr.write(f"\r{line}  ")
    sys.stderr.flush()


def main() -> None:
    minutes = float(os.environ.get("MINUTES", "60"))
    seed = int(os.environ.get("SEED", str(random.randrange(10**6))))
    tally = soak(minutes, seed)
    told = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(tally).items()} | {
        "ok": tally.ok
    }
    path = Path(ROOT) / "build" / "soak.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(told, indent=2) + "\n")
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    if not tally.ok:
        sys.exit(1)


if __name__ == "__main__":
    main()
