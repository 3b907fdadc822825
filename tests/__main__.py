"""`python -m tests`: every test but the long ones, on two cores.

Whole transfers mostly wait, for people who speak and phones that ring. They come first whenever they want a core;
what only computes takes what they leave. Then comes what needs both cores.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from config.setup.console import say

LOG = Path(__file__).resolve().parents[1] / "build" / "end-to-end.log"
PYTEST = [sys.executable, "-m", "pytest", "--durations", "20"]
TRANSFERS = [*PYTEST, "-m", "not alone and not long", "tests/sip", "tests/e2e"]
# Three at a time, the longest first.
COMPUTES = [*PYTEST, "--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
COMPUTES += ["-m", "not alone", "tests/integration", "tests/contract", "tests/unit"]
ALONE = [*PYTEST, "-m", "alone", "tests/contract", "tests/e2e"]


def main() -> None:
    codes = [*side_by_side(), subprocess.run(ALONE, check=False).returncode]
    if any(codes):
        raise SystemExit("Patchbay: some tests failed; they are named above.")


def side_by_side() -> tuple[int, int]:
    """How the two ended. What the transfers had to say is shown when both are done."""
    LOG.parent.mkdir(exist_ok=True)
    say(f"Whole transfers are tried beside these: see {LOG.relative_to(Path.cwd())}, shown here in the end.")
    with LOG.open("wb") as log:
        transfers = subprocess.Popen(TRANSFERS, stdout=log, stderr=subprocess.STDOUT)
        try:
            computes = subprocess.run(["nice", "-n", "15", *COMPUTES], check=False).returncode
            return computes, transfers.wait()
        finally:
            if transfers.poll() is None:
                transfers.send_signal(signal.SIGINT)  # pytest then stops what its tests have started
                transfers.wait()
            say(LOG.read_text(errors="replace"))


if __name__ == "__main__":
    main()
