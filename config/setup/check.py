"""`make check`: everything that can be told without running the product. All are run, then the verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from config.setup.console import say
from config.setup.unconnected import ROOT, environment

PYTHON = sys.executable
CHECKS: dict[str, list[str]] = {
    "lint": [PYTHON, "-m", "ruff", "check", "."],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."],
    "imports": [str(Path(PYTHON).parent / "lint-imports")],
    "migrations": [PYTHON, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
    "deployment": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "settings page": [PYTHON, "-m", "config.setup.settings_page", "--check"],
    "templates": [PYTHON, "-m", "djlint", "templates", "--lint", "--quiet"],
    "types": [PYTHON, "-m", "mypy", "."],
}


def main() -> None:
    failed = []
    for name, argv in CHECKS.items():
        done = subprocess.run(argv, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        say(f"{'ok  ' if done.returncode == 0 else 'FAIL'}  {name}")
        if done.returncode:
            failed.append(name)
            say((done.stdout + done.stderr).strip())
    if failed:
        raise SystemExit(f"Patchbay: not right yet: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
