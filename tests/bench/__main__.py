"""`make bench`: measures the numbers that we hold, prints a table and writes build/bench.json.

Traffic goes to this machine only. A missed bar is told and is no failure of the run. BIG=1 runs `tests.bench.big`
instead, which measures the history at a million transfers.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

from config.env import ROOT
from tests.bench import report
from tests.bench.figures import Reading, unmeasured
from tests.bench.ground import Ground
from tests.bench.measures import MEASURES, Measure

TARGET = ROOT / "build" / "bench.json"


class TooLong(Exception):
    """A measure did not end within its limit."""


def main() -> int:
    options = _options()
    wanted = [measure for measure in MEASURES if not options.only or measure.name in options.only]
    readings: dict[str, Reading] = {}
    loads: dict[str, float] = {}
    with Ground(quick=options.quick) as ground:
        for measure in wanted:
            loads[measure.name] = os.getloadavg()[0]
            ground.say(f"{measure.name}: {measure.what}")
            readings[measure.name] = _measured(measure, ground)
    made = report.rows(readings, loads)
    report.write(TARGET, made)
    shown = [row for row in made if row["name"] in readings]
    sys.stdout.write("\n" + "\n".join(report.lines(shown)) + f"\n\nwritten to {TARGET.relative_to(ROOT)}\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [measure.name for measure in MEASURES]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="a quarter of the samples")
    return parser.parse_args()


def _measured(measure: Measure, ground: Ground) -> Reading:
    """Never raises: a measure that failed is one without a value, and says why."""
    try:
        getattr(ground, measure.on)  # is up: a module may need Django's settings when it is imported
        with _limited(measure.limit_s):
            found: Reading = import_module(f"tests.bench.{measure.module}").measure(ground)
    except (Exception, SystemExit) as error:
        said = str(error).strip().splitlines() or [""]
        reading = unmeasured(f"{type(error).__name__}: {said[0][:200]}")
        ground.say(f"  not measured: {reading.why}")
        return reading
    return found


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    raise SystemExit(main())
