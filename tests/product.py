"""The whole product, as `make demo` starts it, in a state directory of its own; for tests, benches and shots."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from config.env import ROOT
from config.launcher import postgres, state
from config.launcher.environment import KEPT, KEPT_PREFIXES

UP_SECONDS = 180.0  # the agents load their speech models
STOP_SECONDS = 10.0


class Product:
    """`with Product() as product:` brings it up and takes it down.

    `arguments` are the launcher's; `env` is added to the children's environment.
    """

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="patchbay-product-"))
        self.state.chmod(0o711)  # as root, PostgreSQL's account has to get to its data
        self.arguments = arguments
        foreign = (*KEPT_PREFIXES, "DJANGO_")
        clean = {n: v for n, v in os.environ.items() if not n.startswith(foreign) and n not in KEPT}
        self.env = clean | {"PATCHBAY_STATE": str(self.state), "PORT": str(state.any_port(set()))} | (env or {})
        self.output = self.state / "launcher.log"
        self.launcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Product:
        command = [sys.executable, "manage.py", "up", "--throwaway", *self.arguments]
        with self.output.open("wb") as output:
            self.launcher = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            until(lambda: self._up(), UP_SECONDS, "the product is up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _up(self) -> bool:
        assert self.launcher
        said = self.output.read_text()
        if self.launcher.poll() is not None:
            raise AssertionError(f"the launcher ended:\n{said}")
        return "Ctrl-C stops everything" in said

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.launcher and self.launcher.poll() is None:
            self.launcher.send_signal(signal.SIGTERM)
            self.launcher.wait(STOP_SECONDS + 20)
        kept = os.environ.get("PATCHBAY_KEEP")
        if kept:
            shutil.copytree(self.state / "logs", Path(kept) / self.state.name, dirs_exist_ok=True)
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(postgres.socket_dir(self.state), ignore_errors=True)

    @property
    def note(self) -> dict[str, Any]:
        """What the launcher wrote about its children: `processes`, `ports`, `urls`."""
        found: dict[str, Any] = json.loads((self.state / "processes.json").read_text())
        return found

    @property
    def url(self) -> str:
        return str(self.note["urls"]["web"])

    @property
    def settings(self) -> dict[str, str]:
        """The variables that the children run with."""
        lines = (self.state / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def pid(self, name: str) -> int:
        return int(self.note["processes"][name]["pid"])

    @contextmanager
    def another_agent_server(self, **env: str) -> Iterator[None]:
        """Beside the product's own, as in a deploy; until the end of the block."""
        with agent_server(
            ["-m", "config.agents"],
            log=self.state / "logs" / "agents-2.log",
            env=self.env | self.settings | env,
            ends_by=signal.SIGTERM,  # with the last of its calls
        ):
            yield

    def kill(self, name: str) -> int:
        """`kill -9` one child; the pid that it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def log(self, name: str) -> str:
        return (self.state / "logs" / f"{name}.log").read_text(errors="replace")

    def manage(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """A management command beside the running product, as from a second terminal."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=timeout
        )

    def answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def agent_server(
    program: list[str], *, log: Path, env: Mapping[str, str], cwd: Path = ROOT, ends_by: int = signal.SIGKILL
) -> Iterator[None]:
    """An AgentServer as a process of its own, registered; until the end of the block."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, *program],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: "registered worker" in log.read_text(), UP_SECONDS, f"{log.stem} is there")
        yield
    finally:
        running.send_signal(ends_by)
        running.wait(STOP_SECONDS + 60)


def until(ready: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, with a bound."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
