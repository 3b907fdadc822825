"""`make bench BIG=1`: a million transfers and ten million events, built once, and what they may cost.

The databases stay in the cache folder ($XDG_CACHE_HOME/patchbay/bench; as root, PostgreSQL's own files are in
/var/lib/patchbay): 10 GB, some minutes. A tenth is built with `ARGS="--many 100000"`; `--anew` builds it again,
which is needed when tables have changed, and `--build` does nothing more. Writes build/bench-big.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from config.env import ROOT
from config.launcher.livekit_build import cache_dir

TARGET = ROOT / "build" / "bench-big.json"
MILLION, FEW = 1_000_000, 10_000
BUILT = "bench_built"  # a table whose presence says that the past is whole
WORDS = "words"  # how the names of searches in what was said begin
PAGE_MS, WORDS_MS, REPORT_MS = 50.0, 300.0, 300.0
ROOM = 1.2  # times what it takes at ten thousand
NOISE_MS = 5.0  # between two readings of the same
EXPORT_MB = 100.0
LINKS_A_SECOND = 20_000.0


@dataclass(frozen=True)
class Figure:
    """`ok` is None for what only informs."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool | None:
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def main() -> int:
    options = _options()
    with _servers() as environment:
        few = _measured(FEW, environment, options)
        big = _measured(options.many, environment, options)
    if options.build:
        return 0
    figures = list(_figures(few, big, options.many))
    load = os.getloadavg()[1]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) | {"ok": one.ok} for one in figures]
    told = {
        "many": options.many,
        "load": load,
        "figures": rows,
        "reads": big["reads"],
        "reads_while_caches_filled": big["filling"],
        "reads_at_10k": few["reads"],
        "reports": big["reports"],
    }
    TARGET.write_text(json.dumps(told, indent=1) + "\n")
    sys.stdout.write(
        "\n".join(map(_line, figures)) + f"\nload {load:.1f}; written to {TARGET.relative_to(ROOT)}\n"
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.big", description=__doc__)
    parser.add_argument("--many", type=int, default=MILLION, help="transfers (default: a million)")
    parser.add_argument("--times", type=int, default=40, help="samples of each read (default: 40)")
    parser.add_argument("--anew", action="store_true", help="build again")
    parser.add_argument("--build", action="store_true", help="build, and measure nothing")
    return parser.parse_args()


# ── the servers, and one process for each database ───────────────────────────────────────────────


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """PostgreSQL on files that stay, Valkey on none."""
    from tests.servers import Servers

    kept = cache_dir() / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    servers = Servers(kept=kept)
    try:
        servers.start()
        yield servers.environment
    finally:
        servers.stop()


def _measured(many: int, environment: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    name = f"bench_{many}"
    _database(environment["DATABASE_URL"], name, anew=options.anew)
    url = environment["DATABASE_URL"].replace("/postgres?", f"/{name}?")
    command = [sys.executable, "-m", "tests.bench.big.one", "--many", str(many), "--times", str(options.times)]
    command += ["--build"] if options.build else []
    env = os.environ | environment | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _database(url: str, name: str, *, anew: bool) -> None:
    """Empty, unless it was built to its end."""
    if not anew and _built(url.replace("/postgres?", f"/{name}?")):
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]


def _built(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT to_regclass(%s)", [BUILT]).fetchone() != (None,)
    except psycopg.OperationalError:  # no such database
        return False


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────


def _figures(few: dict[str, Any], big: dict[str, Any], many: int) -> Iterator[Figure]:
    """The bars are for a database in use: one that has just started reads everything from the disk at first."""
    reads, before = big["reads"], few["reads"]
    slowest, cold = max(big["filling"].items(), key=lambda item: item[1]["p95"])
    yield Figure(f"the slowest p95 while the caches filled: {slowest}", cold["p95"], "ms")
    for name, one in sorted(reads.items(), key=lambda item: -item[1]["p95"]):
        yield Figure(f"p95 of {name}", one["p95"], "ms", WORDS_MS if name.startswith(WORDS) else PAGE_MS)
    for name, one in sorted(reads.items()):
        # Of few transfers many a filter leaves half a page: that compares with nothing. Where there is nothing
        # to find, all that there is was looked for: that only informs.
        same = one["rows"] == before[name]["rows"] and not name.startswith(WORDS)
        if same and one["p50"] > before[name]["p50"] * ROOM + NOISE_MS:
            times, bar = one["p50"] / before[name]["p50"], ROOM if one["rows"] else None
            yield Figure(f"{name}: times its median at {FEW:,}", times, "×", bar)
    for name, one in sorted(big["reports"].items(), key=lambda item: -item[1]["p95"]):
        yield Figure(f"p95 of a report's page: {name}", one["p95"], "ms", REPORT_MS)
    export, verify = big["export"], big["verify"]
    grown = f"memory by which an export of {export['rows']:,} rows grows the web"
    yield Figure(grown, export["grown_mb"], "MB", EXPORT_MB)
    yield Figure("rows exported", export["rows"] / export["seconds"], "rows/s")
    rate = verify["links"] / verify["seconds"]
    yield Figure(f"verify_audit over {verify['links']:,} links", rate, "rows/s", LINKS_A_SECOND, at_least=True)


def _line(figure: Figure) -> str:
    word = {True: "ok", False: "MISSED", None: ""}[figure.ok]
    bar = "" if figure.bar is None else f"{'≥' if figure.at_least else '≤'} {figure.bar:g}"
    return f"{figure.value:>11,.1f} {figure.unit:<7}{bar:>9}  {word:<7} {figure.what}"


if __name__ == "__main__":
    raise SystemExit(main())
