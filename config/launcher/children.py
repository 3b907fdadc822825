"""Child processes: started with a log each, restarted when they die, stopped together, never left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from config.launcher.embedded import Command

PR_SET_PDEATHSIG = 1
LOOP_SECONDS = 5.0  # dying sooner than this counts as a loop, and the restart waits a little
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process, kept running until `stop`."""

    def __init__(self, command: Command, *, logs: Path, env: dict[str, str], changed: Callable[[], None]):
        self.command = command
        self.log_path = logs / f"{command.name}.log"
        self._env = env | command.env
        self._changed = changed
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._quick_deaths = 0
        self.restarts = 0

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> None:
        self._log = self._log or self.log_path.open("ab", buffering=0)
        self._process = subprocess.Popen(
            self.command.argv,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=self._env,
            user=self.command.user,
            preexec_fn=_die_with_parent,
            start_new_session=True,  # the terminal's Ctrl-C is the launcher's: it stops in order
        )
        self._started = time.monotonic()
        self._changed()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Start it again if it is dead: at once, or after a pause when it keeps dying."""
        if self._process is None or self.alive():
            return
        lived = time.monotonic() - self._started
        self._quick_deaths = self._quick_deaths + 1 if lived < LOOP_SECONDS else 0
        if self._quick_deaths > 3 and lived < min(2.0 ** (self._quick_deaths - 3), 30.0):
            self._quick_deaths -= 1
            return
        self.restarts += 1
        self.start()

    def terminate(self) -> None:
        if self.alive() and self._process:
            self._process.send_signal(self.command.stop_signal)

    def finish(self, within: float) -> None:
        """Wait for the end; kill its whole group when the time is over."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, within))
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(2)
        self._process = None


class Family:
    """All children, watched by one thread."""

    def __init__(self, logs: Path, changed: Callable[[], None]):
        logs.mkdir(parents=True, exist_ok=True)
        self._logs, self._changed = logs, changed
        self.children: list[Child] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def start(self, command: Command, env: dict[str, str]) -> Child:
        child = Child(command, logs=self._logs, env=env, changed=self._changed)
        with self._lock:
            child.start()
            self.children.append(child)
        if not self._watcher.is_alive():
            self._watcher.start()
        return child

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            with self._lock:
                for child in self.children:
                    if not self._stop.is_set():
                        child.revive()

    def stop(self, within: float) -> None:
        """Stop what was started last first, servers last; all within the time."""
        self._stop.set()
        deadline = time.monotonic() + within
        servers = [c for c in self.children if c.command.name in ("postgres", "valkey", "livekit-valkey")]
        others = [c for c in self.children if c not in servers]
        for group, share in ((others, 0.7), (servers, 1.0)):
            for child in group:
                child.terminate()
            until = deadline - within * (1 - share)
            for child in group:
                child.finish(until - time.monotonic())
