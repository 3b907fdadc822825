"""`python3.11 -m config.setup.assets`: the front-end parts that package.json names, copied to static/vendor.

Of the theme's style sheet only what its `readers` use (`purgecss.cjs`): it is made again when they change.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from config.setup.console import run, say

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
MANIFEST, LOCK = ROOT / "package.json", ROOT / "package-lock.json"
USED = Path("config/setup/purgecss.cjs")
MARK = ".made-from"


def main() -> None:
    manifest = json.loads(MANIFEST.read_text())
    readers = [file for pattern in manifest["readers"] for file in sorted(ROOT.glob(pattern))]
    parts, used = _digest(MANIFEST, LOCK), _digest(ROOT / USED, *readers)
    if _marked(VENDOR) == f"{parts} {used}":
        return
    if _marked(PARTS) != parts:
        _install()
        (PARTS / MARK).write_text(parts)
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for target, source in manifest["vendor"].items():
        (fresh / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PARTS / source, fresh / target)
    theme = fresh / "tabler"
    theme.mkdir()
    purge = [str(PARTS / ".bin" / "purgecss"), "--config", str(USED), "--output", str(theme)]
    run(purge, cwd=ROOT, progress=lambda line: None)
    (fresh / MARK).write_text(f"{parts} {used}")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _install() -> None:
    if not shutil.which("npm"):
        raise SystemExit("Patchbay: npm is missing. Install Node.js 20 or newer: https://nodejs.org/")
    say("Installing the front-end parts (once; half a minute) …")
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=ROOT, progress=lambda line: None)


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _marked(folder: Path) -> str:
    marker = folder / MARK
    return marker.read_text() if marker.exists() else ""


if __name__ == "__main__":
    main()
