"""`python3.11 -m config.setup.venv base|dev`: the Python environment, made once for a set of requirements.

It lives in the user's cache, named after what is in it, so that a second checkout or a fresh clone
takes no time. `.venv` points to it. An environment counts only when its marker says that it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from config.setup.console import run, say

ROOT = Path(__file__).resolve().parents[2]
MARKER = "patchbay-complete"
UV_REQUIREMENTS = ROOT / "requirements" / "uv.txt"
KINDS = {"base": ("agents", "base"), "dev": ("agents", "base", "dev")}


def main() -> None:
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(
            f"Patchbay: Python 3.11 is needed, this is {sys.version.split()[0]}. Install it, or name it: "
            "`make demo PYTHON=/path/to/python3.11`."
        )
    ready = ensure(sys.argv[1])
    link = ROOT / ".venv"
    if link.resolve() != ready:
        if link.exists() and not link.is_symlink():
            raise SystemExit("Patchbay: .venv is a folder of your own. Move it away and run this again.")
        fresh = ROOT / f".venv.{os.getpid()}"
        fresh.symlink_to(ready)
        fresh.replace(link)


def ensure(kind: str) -> Path:
    """The environment of this kind, or the larger one if that is there already."""
    for candidate in (kind, "dev"):
        if (place(candidate) / MARKER).exists():
            return place(candidate)
    target = place(kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / MARKER).exists():
            build(target, ROOT / "requirements" / f"{kind}.txt")
    return target


def place(kind: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patchbay"
    pins = "".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in KINDS[kind])
    mark = hashlib.sha256(f"{pins}{sys.version}{sys.base_prefix}".encode()).hexdigest()[:12]
    return cache.resolve() / f"venv-{kind}-{mark}"


def build(target: Path, requirements: Path) -> None:
    if target.exists():
        shutil.rmtree(target)  # left by a killed run
    wanted = sum("==" in line for line in requirements.read_text().splitlines())
    say(f"Installing {wanted} Python packages (once; about half a minute) …")
    try:
        venv.create(target, with_pip=True)
    except Exception as error:
        raise SystemExit(
            f"Patchbay: Python cannot make an environment ({error}). On Debian and Ubuntu: "
            "`apt-get install python3.11-venv`."
        ) from None
    if not _by_uv(target, requirements):
        _by_pip(target, requirements, wanted)
    (target / MARKER).touch()


def _by_uv(target: Path, requirements: Path) -> bool:
    """A tenth of pip's time. False where uv or the packages cannot be had: uv reads no pip.conf."""
    python = str(target / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--no-input", "--require-hashes", "-r", str(UV_REQUIREMENTS)]
    uv = [str(target / "bin" / "uv"), "pip", "install", "--python", python, "--require-hashes", "-r"]
    return _works(pip) and _works([*uv, str(requirements)])


def _works(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, cwd=ROOT).returncode == 0


def _by_pip(target: Path, requirements: Path, wanted: int) -> None:
    say("  with pip, which takes 1 to 3 minutes …")
    seen = 0

    def progress(line: str) -> str | None:
        nonlocal seen
        seen += line.startswith("Collecting ")
        return "installing them" if line.startswith("Installing") else f"{seen} of {wanted}"

    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    run([*pip, "--require-hashes", "-r", str(requirements)], cwd=ROOT, progress=progress)


if __name__ == "__main__":
    main()
