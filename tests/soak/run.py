"""One soak: the running product, one randomised transfer after another, and what must hold of each."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.browser import chromium
from tests.floor import SCRIPTED, Caller, Floor
from tests.product import Product
from tests.soak.beside import Killer, Postman, Wallboard
from tests.soak.promises import Tally, alone, gave_up, measure, rows_hold
from tests.soak.ways import PATIENCE_S, WAYS

SPEECH_FROM_MINUTES, SPOKEN = 30, 20
SPEECH_SHARE = 0.35  # of the time, at most
AI_COMES_S = 60.0  # two agents in a row are killed before their first word to the console


def soak(minutes: float, seed: int, *, kills: bool = True, at_least: int = 0) -> Tally:
    """For so long, and `at_least` so many transfers. From 30 minutes on, twenty rehearsals in real speech too."""
    tally, dice = Tally(seed), random.Random(seed)
    speaks = minutes >= SPEECH_FROM_MINUTES
    end = time.monotonic() + minutes * 60 * (1 - SPEECH_SHARE if speaks else 1)
    with _house(tally, kills=kills) as (floor, wallboard):
        postman, names = Postman(floor), []
        while time.monotonic() < end or tally.transfers < at_least:
            names = names or dice.sample(list(WAYS), len(WAYS))
            floor.everybody_is_free()
            caller = one(floor, names.pop(), tally)
            if caller:
                postman.after(caller, tally)
            wallboard.compare(tally)
            _say(tally, f"{tally.transfers} transfers, {tally.kills} kills")
    if speaks:
        _speak(tally)
    return tally


@contextmanager
def _house(tally: Tally, *, kills: bool) -> Iterator[tuple[Floor, Wallboard]]:
    with Product("--demo", "--quiet", env=SCRIPTED) as product, chromium() as browser:
        floor = Floor(product)
        wallboard = Wallboard(browser.new_page(), floor)
        killer = Killer(product, random.Random(tally.seed + 1), tally) if kills else None
        yield floor, wallboard
        if killer:
            killer.stop()
        rows_hold(floor.records, tally)
        floor.close()


def comes_in(floor: Floor, tally: Tally) -> Caller | None:
    """A caller with the AI. Its agent may be killed before it says hello, and the next one, too."""
    began = time.monotonic()
    try:
        caller = floor.calls_in("Billing", within_s=AI_COMES_S)
    except AssertionError as problem:
        tally.stranded += 1
        tally.problem(f"a new caller: {problem}")
        return None
    tally.longest_wait_for_ai_s = max(tally.longest_wait_for_ai_s, round(time.monotonic() - began, 1))
    return caller


def one(floor: Floor, name: str, tally: Tally) -> Caller | None:
    """A caller's whole transfer, and what came of it; whose call it is about. None if nobody answered."""
    caller = judged = comes_in(floor, tally)
    if caller is None or judged is None:
        return None
    tally.transfers += 1
    tally.ways[name] += 1
    kills = tally.kills
    try:
        judged = WAYS[name](caller) or caller
        caller.is_over(within_s=PATIENCE_S)
    except (AssertionError, OSError) as problem:
        if tally.kills > kills and gave_up(caller):
            tally.gave_up += 1
            caller.is_over(within_s=PATIENCE_S)
            return caller
        tally.stranded += any(who.of_call("state") != "inactive" and alone(who) for who in (caller, judged))
        tally.broken("I5", f"{name}: {problem}")
        with suppress(AssertionError, OSError):  # the next look is at a call that is over
            caller.is_over(within_s=PATIENCE_S)
    tally.outcomes[judged.of_transfer("end_reason") or "none"] += 1
    measure(judged, tally)
    return judged


def _speak(tally: Tally) -> None:
    """Whole transfers with real speech, judged by what each hears."""
    with Product("--demo", "--quiet") as product:
        for _ in range(SPOKEN):
            done = product.manage("rehearse", "--json", "--scenario", "accepts-by-key", timeout=280)
            told: dict[str, Any] = json.loads(done.stdout)
            tally.real_audio += 1
            if not told["ok"]:
                tally.problem(f"rehearsal: {'; '.join(told['problems'])}")
            _say(tally, f"{tally.real_audio} of {SPOKEN} in real speech")


def _say(tally: Tally, line: str) -> None:
    sys.stderr.write(f"\r{line}, {len(tally.problems)} problems  ")
    sys.stderr.flush()
