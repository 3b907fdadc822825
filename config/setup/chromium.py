"""`python3.11 -m config.setup.chromium`: the browser that the tests drive, from the system's packages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from config.setup.console import run, say

# The headless shell first: the windowed one draws its own window too, a fifth of a core each.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """CHROMIUM, else one on the PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


def main() -> None:
    if find():
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise SystemExit(
            "Patchbay: the tests need Chromium. Install it from your system's packages (Debian: "
            "`sudo apt-get install chromium`), or set CHROMIUM to its program."
        )
    say("Installing Chromium for the tests (once; half a minute) …")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "update", "-q"], cwd=Path("/"), progress=lambda line: "reading package lists")
    apt = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium-headless-shell"]
    run(apt, cwd=Path("/"), progress=lambda line: "downloading and unpacking")
    if not find():
        raise SystemExit("Patchbay: the system's packages brought no Chromium. Set CHROMIUM to a program.")


if __name__ == "__main__":
    main()
