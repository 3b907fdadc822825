"""Rehearsals of the running product, which judge by what each party hears; two measures read the same ones."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.bench.ground import Ground

RUNS = 4
SCENARIO = "accepts-by-key"
LIMIT_S = 120.0


def phases(ground: Ground) -> list[dict[str, float]]:
    """The phases of each rehearsal that went well; run when they are first asked for."""
    if ground.rehearsals is None:
        ground.rehearsals = []
        for nth in range(ground.few(RUNS)):
            ground.say(f"  rehearsal {nth + 1} of {ground.few(RUNS)} …")
            report = _rehearse(ground)
            if report.get("ok"):
                ground.rehearsals.append(report["phases"])
            else:
                ground.say(f"    it did not go well: {report.get('outcome') or report.get('error', '')}")
    return ground.rehearsals


def samples(ground: Ground, phase: str) -> list[float]:
    return [found[phase] for found in phases(ground) if found.get(phase) is not None]


def _rehearse(ground: Ground) -> dict[str, Any]:
    try:
        ran = ground.product.manage("rehearse", "--json", "--scenario", SCENARIO, timeout=LIMIT_S)
        report: dict[str, Any] = json.loads(ran.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"not done within {LIMIT_S:g} s"}
    except json.JSONDecodeError:
        return {"error": (ran.stderr.strip().splitlines() or ["no report"])[-1]}
    return report
