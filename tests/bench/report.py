"""The table that is printed and the list that is written: every name, measured or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.bench.figures import Reading, unmeasured
from tests.bench.measures import MEASURES, Measure

Row = dict[str, Any]
SPREAD = ("p50", "p95", "p99", "max")
CORES = os.cpu_count() or 1
NO_LOADS: Mapping[str, float] = MappingProxyType({})
NOT_ASKED = "not asked for in this run"


def row(measure: Measure, reading: Reading, load: float | None = None) -> Row:
    """`ok` is None where there is no verdict; `why` then says what is missing.

    `load` is the machine's when it began: above the number of its cores, the figures are of a busy machine.
    """
    made: Row = {
        "name": measure.name,
        "value": _rounded(reading.value),
        "unit": measure.unit,
        "bar": measure.bar,
        "ok": verdict(measure, reading),
        "what": measure.what,
    }
    if reading.spread:
        made["spread"] = {name: _rounded(value) for name, value in asdict(reading.spread).items()}
    if reading.parts:
        made["parts"] = [asdict(part) | {"value": _rounded(part.value), "ok": part.ok} for part in reading.parts]
    if load is not None:
        made["load"] = round(load, 1)
    if reading.why:
        made["why"] = reading.why
    return made


def verdict(measure: Measure, reading: Reading) -> bool | None:
    if reading.value is None or not reading.judged:
        return None
    return reading.value <= measure.bar and all(part.ok is not False for part in reading.parts)


def rows(readings: Mapping[str, Reading], loads: Mapping[str, float] = NO_LOADS) -> list[Row]:
    return [row(m, readings.get(m.name, unmeasured(NOT_ASKED)), loads.get(m.name)) for m in MEASURES]


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, 3 if value < 10 else 1)


def lines(made: Iterable[Row]) -> list[str]:
    spreads = "".join(f"{name:>8}" for name in SPREAD)
    told = [f"{'name':<16}{'value':>9}  {'unit':<12}{'bar':>6}  {'':<7}{spreads}{'n':>6}"]
    for one in made:
        word = {True: "ok", False: "MISSED", None: "–"}[one["ok"]]
        value = "–" if one["value"] is None else f"{one['value']:g}"
        over = one.get("spread", {})
        spread = "".join(f"{over[k]:>8g}" for k in SPREAD) + f"{over['n']:>6}" if over else ""
        told.append(f"{one['name']:<16}{value:>9}  {one['unit']:<12}{one['bar']:>6g}  {word:<7}{spread}".rstrip())
        told += [_part(part) for part in one.get("parts", ())]
        told += [f"{'':<16}the machine was busy: load {one['load']}"] if one.get("load", 0) > CORES else []
        told += [f"{'':<16}{one['why']}"] if "why" in one else []
    return told


def _part(part: Row) -> str:
    word = {True: "ok", False: "MISSED", None: ""}[part["ok"]]
    bar = "" if part["bar"] is None else f"{part['bar']:g}"
    return f"{'':<16}{part['value']:>9g}  {part['unit']:<12}{bar:>6}  {word:<7}{part['what']}"


def write(path: Path, made: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
