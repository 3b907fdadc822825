"""`make check`: everything that can be told without running the product. All are run, then the verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config.setup.console import say

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
CHECKS: dict[str, list[str]] = {
    "lint": [PYTHON, "-m", "ruff", "check", "."],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."],
    "imports": [str(Path(PYTHON).parent / "lint-imports")],
    "migrations": [PYTHON, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
    "deployment": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "templates": [PYTHON, "-m", "djlint", "templates", "--lint", "--quiet"],
    "types": [PYTHON, "-m", "mypy", "."],
}
# The settings have to be read, as a deployment behind HTTPS would: nothing is connected to.
SETTINGS = {
    "PATCHBAY_SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "PATCHBAY_HTTPS": "1",
    "PATCHBAY_STATE": str(ROOT / "build" / "check"),
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "VALKEY_URL": "redis://127.0.0.1:1/0",
    "LIVEKIT_URL": "wss://livekit.example",
    "LIVEKIT_API_KEY": "APIcheck",
    "LIVEKIT_API_SECRET": "only-for-reading-the-settings-of-a-check",
    "PYTHONPATH": str(ROOT),
}


def main() -> None:
    failed = []
    for name, argv in CHECKS.items():
        done = subprocess.run(
            argv, cwd=ROOT, env=os.environ | SETTINGS, capture_output=True, text=True, check=False
        )
        say(f"{'ok  ' if done.returncode == 0 else 'FAIL'}  {name}")
        if done.returncode:
            failed.append(name)
            say((done.stdout + done.stderr).strip())
    if failed:
        raise SystemExit(f"Patchbay: not right yet: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
