"""An agent that is not ours, as the documentation shows one, on the running product: joined, and refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from calls.telephony.simulator.numbers import PHONES
from config.env import ROOT
from tests.product import UP_SECONDS, Product, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "docs" / "example_agent.py"
STOP_SECONDS = 30.0


@contextmanager
def example_agent(product: Product, supervisor: str) -> Iterator[None]:
    """Beside the product, as its own process, with what an engineer would set."""
    log = product.state / "logs" / "example.log"
    theirs = {
        name: product.settings[name] for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    } | {"PATCHBAY_CONSOLE_URL": product.url, "SUPERVISOR": supervisor, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, str(EXAMPLE), "start"],
            env=os.environ | theirs,
            cwd=product.state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: "registered worker" in log.read_text(), UP_SECONDS, "the example is there")
        yield
    finally:
        running.kill()
        running.wait(STOP_SECONDS)


@pytest.mark.parametrize(("scenario", "outcome"), [("accepts-by-key", "connected"), ("refuses", "declined")])
def test_it_hands_its_caller_to_a_person_or_has_them_back(product: Product, scenario: str, outcome: str) -> None:
    supervisor = next(phone.number for phone in PHONES if phone.scenario == scenario)
    with example_agent(product, supervisor):
        done = product.manage("rehearse", "--json", "--agent", "example", "--scenario", scenario, timeout=280)
    told = json.loads(done.stdout)
    assert (done.returncode, told["outcome"], told["problems"]) == (0, outcome, []), f"{told}\n{done.stderr}"
    if outcome == "connected":
        assert "my colleague" in told["heard_by_manager_text"].lower(), "the agent introduces them itself"
