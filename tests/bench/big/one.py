"""One database of `--many` transfers: built where it is missing, then measured. Prints its figures as JSON.

The parent has started the servers; DATABASE_URL names the database.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import django

from tests.bench.big.__main__ import BUILT, FEW

CHUNK = 1 << 16


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {text}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, required=True)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--build", action="store_true")
    options = parser.parse_args()
    django.setup()
    _built(options.many)
    if options.build:
        sys.stdout.write("{}")
        return 0
    filling = _reads(options.times // 2, "to fill the caches", seed=6)
    found: dict[str, Any] = {
        "filling": filling,
        "reads": _reads(options.times, "to measure", seed=7),
        "reports": _reports(options.times) if options.many > FEW else {},  # of few, an hour's report may be empty
        "verify": _verify(),
        "export": _export(),
    }
    sys.stdout.write(json.dumps(found))
    return 0


def _built(many: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import past, reports
    from tests.bench.big import record

    call_command("migrate", verbosity=0)
    if BUILT in connection.introspection.table_names():
        return
    began = time.monotonic()
    past.house()
    past.build(many, say)
    record.build(many, say)
    say("  counting for the reports …")
    say(f"    in {reports.build(many):.0f} s")
    past.run(f"CREATE TABLE {BUILT} AS SELECT now() AS at")
    say(f"  built in {time.monotonic() - began:.0f} s")


def _reads(times: int, why: str, *, seed: int) -> dict[str, dict[str, Any]]:
    """Spreads in ms with the usual number of rows, by what and as whom; each seed asks for other values."""
    from dataclasses import asdict
    from statistics import median

    from django.contrib.auth.models import User

    from tests.bench import reading
    from tests.bench.figures import spread
    from transfers.access import lens_of

    people = {
        "a supervisor": "priya",
        "a supervisor of a small department": "sam",
        "an auditor": "audra",
        "a manager": "dana",
    }
    found = {}
    for who, name in people.items():
        lens = lens_of(User.objects.get(username=name))
        for what, queries in reading.queries(lens, times, seed=seed).items():
            read = [reading.read(lens, query) for query in queries][1:]
            rows = median(one.rows for one in read)
            found[f"{what}, as {who}"] = asdict(spread([one.took_ms for one in read])) | {"rows": rows}
        say(f"  read as {who}, {why}")
    return found


def _reports(times: int) -> dict[str, dict[str, Any]]:
    """Spreads in ms of whole pages, by what was asked for and as whom."""
    from dataclasses import asdict

    from django.contrib.auth.models import User

    from calls.models import Department
    from tests.bench import reports

    ids = list(Department.objects.order_by("pk").values_list("pk", flat=True)[: reports.DEPARTMENTS])
    found = {}
    for who, name, offered in (("a supervisor", "priya", ids[:1]), ("an auditor", "audra", ids)):
        pages = reports.pages(User.objects.get(username=name), times, offered)
        found |= {f"{what}, as {who}": asdict(took) for what, took in pages.items()}
    say("  reports read")
    return found


def _verify() -> dict[str, float]:
    from calls.audit import chain

    began = time.monotonic()
    verdict = chain.verify()
    if verdict.broken:
        raise SystemExit(f"the built record does not verify: {verdict.broken.words}")
    took = time.monotonic() - began
    say(f"  verified {verdict.seals:,} links in {took:.0f} s")
    return {"links": verdict.seals, "seconds": took}


# ── the export, as a browser takes it from the running web process ───────────────────────────────


def _export() -> dict[str, float]:
    from tests.browser import Console

    console = Console()
    console.start()
    try:
        assert console.process
        pid = console.process.pid
        cookies = _log_in()
        _download(console.url, cookies, result="error")  # whatever is loaded at the first time
        before = _memory_mb(pid, "VmRSS")
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak counts from here
        began = time.monotonic()
        lines, size = _download(console.url, cookies, rehearsals="1")
        took = time.monotonic() - began
        grown = _memory_mb(pid, "VmHWM") - before
    finally:
        console.stop()
    say(f"  exported {lines:,} rows ({size >> 20} MB) in {took:.0f} s")
    return {"rows": lines, "seconds": took, "grown_mb": grown, "before_mb": before}


def _log_in() -> dict[str, str]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username="audra"))
    client.get("/history")  # its forms make the second cookie
    return {name: morsel.value for name, morsel in client.cookies.items()}


def _download(url: str, cookies: dict[str, str], **typed: str) -> tuple[int, int]:
    """Lines and bytes, none of which are kept."""
    data = {"csrfmiddlewaretoken": cookies["csrftoken"], "form": "jsonl", **typed}
    headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items()), "Referer": url}
    body = urllib.parse.urlencode(data).encode()
    request = urllib.request.Request(f"{url}/history/export", body, headers)
    lines = size = 0
    answer: HTTPResponse
    with urllib.request.urlopen(request, timeout=600) as answer:
        while part := answer.read(CHUNK):
            lines += part.count(b"\n")
            size += len(part)
    return lines, size


def _memory_mb(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    raise SystemExit(main())
