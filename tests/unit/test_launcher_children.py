"""How a dead child is treated, with real processes and a clock that we set."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.launcher.children import FREE_DEATHS, Child, Family
from config.launcher.commands import Command
from tests.patience import PATIENCE_S
from tests.product import gone

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
ENDS = (sys.executable, "-c", "raise SystemExit(3)")


def until(ready: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def family(tmp_path: Path, said: list[str]) -> Iterator[Family]:
    made = Family(tmp_path, cwd=tmp_path, changed=lambda: None, say=said.append)
    yield made
    made.stop(5)


def test_a_killed_child_is_started_again_at_once_and_it_is_said(family: Family, said: list[str]) -> None:
    child = family.start(Command("sleeper", SLEEPER), os.environ)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: child.ended is not None)
    family.tend()
    assert child.pid != first
    assert child.restarts == 1
    assert said == ["sleeper ended (SIGKILL) and was started again."]


def test_a_child_that_dies_in_a_loop_has_to_wait_longer_each_time(tmp_path: Path) -> None:
    now = [100.0]
    child = Child(Command("ends", ENDS), logs=tmp_path, env=os.environ, clock=lambda: now[0])
    child.start()
    pauses = []
    for _ in range(FREE_DEATHS + 3):
        until(lambda: child.ended is not None)
        began = now[0]
        while not child.revive():
            now[0] += 0.25
        pauses.append(now[0] - began)
    child.finish(5)
    assert pauses[:FREE_DEATHS] == [0.0] * FREE_DEATHS
    assert pauses[FREE_DEATHS:] == [1.0, 2.0, 4.0]


def test_stopping_ends_also_who_does_not_listen_and_what_it_started(family: Family, tmp_path: Path) -> None:
    deaf = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"p = subprocess.Popen({SLEEPER!r}); open('pid', 'w').write(str(p.pid)); time.sleep(600)"
    )
    child = family.start(Command("deaf", (sys.executable, "-c", deaf)), os.environ)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid, began = child.pid, time.monotonic()
    family.stop(1.5)
    assert time.monotonic() - began < 5
    assert gone(pid)
    until(lambda: gone(int((tmp_path / "pid").read_text())))


def test_children_end_when_the_launcher_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; from config.launcher.children import Child;"
        "from config.launcher.commands import Command;"
        f"c = Child(Command('s', {SLEEPER!r}), logs=Path({str(tmp_path)!r}), env=os.environ); c.start();"
        "print(c.pid, flush=True); time.sleep(600)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout
    pid = int(launcher.stdout.readline())
    launcher.kill()
    launcher.wait()
    until(lambda: gone(pid))


def test_servers_get_no_secrets_in_their_environment(tmp_path: Path) -> None:
    shows = (sys.executable, "-c", "import os; print(sorted(os.environ))")
    given = {"PATH": os.environ["PATH"], "PATCHBAY_SECRET_KEY": "x"}
    child = Child(Command("server", shows, bare=True), logs=tmp_path, env=given)
    child.start()
    until(lambda: child.ended is not None)
    assert "PATCHBAY_SECRET_KEY" not in child.log_path.read_text()
    child.finish(1)
