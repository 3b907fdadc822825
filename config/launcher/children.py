"""Child processes: a log each, restarted when they die, stopped together, never left behind.

Everything here runs on the launcher's main thread: the kernel tells a child that its parent is gone
when the *thread* that started it ends, and a fork from a busy process is only safe with one thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from config.launcher.commands import Command

PR_SET_PDEATHSIG = 1
LOOP_SECONDS = 10.0  # dying sooner than this counts as a loop, and the next start waits
FREE_DEATHS = 2  # so many quick deaths in a row are answered at once
LONGEST_PAUSE = 15.0
BARE = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """One process, kept running until `finish`."""

    def __init__(
        self,
        command: Command,
        *,
        logs: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.command = command
        self.log_path = logs / f"{command.name}.log"
        kept = {name: value for name, value in env.items() if not command.bare or name in BARE}
        self._env = kept | command.env
        self._cwd = cwd
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []
        self._started = 0.0
        self._quick_deaths = 0
        self._not_before: float | None = None
        self.restarts = 0

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def ended(self) -> int | None:
        """The code it ended with, None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        death = self.command.death_signal
        with self.log_path.open("ab", buffering=0) as log:
            self._process = subprocess.Popen(
                self.command.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                user=self.command.user,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, death),
                start_new_session=True,  # the terminal's Ctrl-C is the launcher's: it stops all in order
            )
        self._groups.append(self._process.pid)
        self._started = self._clock()

    def revive(self) -> bool:
        """Start it again if it is dead: at once, or after a pause when it keeps dying. True if started."""
        if self._process is None or self._process.poll() is None:
            return False
        now = self._clock()
        if self._not_before is None:
            self._quick_deaths = self._quick_deaths + 1 if now - self._started < LOOP_SECONDS else 0
            pause = 2.0 ** (self._quick_deaths - FREE_DEATHS) / 2 if self._quick_deaths > FREE_DEATHS else 0.0
            self._not_before = now + min(pause, LONGEST_PAUSE)
        if now < self._not_before:
            return False
        self._not_before = None
        self.restarts += 1
        self.start()
        return True

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(self.command.stop_signal)

    def finish(self, within: float) -> None:
        """Wait for the end, then kill whatever is left of it and of its earlier lives."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.05, within))
        for group in self._groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._process.wait(5)
        self._process = None


class Family:
    """All children. `changed` is called after each start; `say` gets a line after each restart."""

    def __init__(self, logs: Path, *, cwd: Path, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.children: list[Child] = []
        self._logs, self._cwd, self._changed, self._say = logs, cwd, changed, say

    def start(self, command: Command, env: Mapping[str, str]) -> Child:
        child = Child(command, logs=self._logs, env=env, cwd=self._cwd)
        if child.log_path.exists():
            child.log_path.replace(child.log_path.with_suffix(".log.1"))
        child.start()
        self.children.append(child)
        self._changed()
        return child

    def tend(self) -> None:
        """Restart whoever died. Call it often."""
        for child in self.children:
            code = child.ended
            if child.revive():
                self._say(f"{child.command.name} ended ({_words(code)}) and was started again.")
                self._changed()

    def stop(self, within: float) -> None:
        """Stop the programs, then the servers that they stand on, all within the time (seconds)."""
        deadline = time.monotonic() + within
        servers = [child for child in self.children if child.command.bare]
        programs = [child for child in self.children if not child.command.bare]
        for group, until in ((programs, deadline - within * 0.3), (servers, deadline)):
            for child in group:
                child.terminate()
            for child in group:
                child.finish(until - time.monotonic())


def _words(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"code {code}"
