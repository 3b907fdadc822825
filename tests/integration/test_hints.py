"""A hint goes to the product's Valkey from whatever thread, and costs next to nothing."""

from __future__ import annotations

import subprocess
import sys
import threading

from django.conf import settings

from calls.tasks import run_effect
from config.env import ROOT

SAYS = "from calls.tasks import run_effect; print(run_effect.app.conf.broker_url)"


def test_every_thread_publishes_to_our_valkey() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(run_effect.app.conf.broker_url))
    thread.start()
    thread.join()
    assert found == [settings.VALKEY_URL]


def test_manage_py_publishes_to_our_valkey() -> None:
    """The clock is a command of manage.py, and hints more than anybody."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", SAYS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip().splitlines()[-1] == settings.VALKEY_URL
