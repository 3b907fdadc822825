"""`python3.11 -m config.setup.assets`: the front-end parts that package.json names, copied to static/vendor."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from config.setup.console import run, say

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"


def main() -> None:
    manifest, lock = ROOT / "package.json", ROOT / "package-lock.json"
    mark = hashlib.sha256(manifest.read_bytes() + lock.read_bytes()).hexdigest()
    marker = VENDOR / ".made-from"
    if marker.exists() and marker.read_text() == mark:
        return
    if not shutil.which("npm"):
        raise SystemExit("Patchbay: npm is missing. Install Node.js 20 or newer: https://nodejs.org/")
    say("Installing the front-end parts (once; half a minute) …")
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=ROOT, progress=lambda line: None)
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for target, source in json.loads(manifest.read_text())["vendor"].items():
        (fresh / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, fresh / target)
    (fresh / marker.name).write_text(mark)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


if __name__ == "__main__":
    main()
