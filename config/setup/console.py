"""Lines for whoever waits."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SAY_EVERY = 5.0


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def run(argv: list[str], *, cwd: Path, progress: Callable[[str], str | None], keep: int = 12) -> list[str]:
    """Run to the end and return the last lines of its output, or end with them if it fails.

    `progress` sees every line and says where we are, at most every five seconds.
    """
    last: list[str] = []
    said = time.monotonic()
    with subprocess.Popen(
        argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            last = [*last[-keep:], line.rstrip()]
            where = progress(line)
            if where and time.monotonic() - said >= SAY_EVERY:
                said = time.monotonic()
                say(f"  {where} …")
    if process.returncode:
        sys.stderr.write("\n".join(last) + "\n")
        raise SystemExit(f"Patchbay: `{' '.join(argv[:4])} …` failed; its last lines are above.")
    return last
