"""An agent that is not ours, as the documentation shows one, on the running product."""

from __future__ import annotations

import json

import pytest

from calls.telephony.simulator.numbers import PHONES
from config.env import ROOT
from tests.agent_process import agent_process
from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "docs" / "example_agent.py"


def test_it_hands_its_caller_to_a_person(product: Product) -> None:
    supervisor = next(phone.number for phone in PHONES if phone.scenario == "accepts-by-key")
    asked = ("--agent", "example", "--scenario", "accepts-by-key")
    with agent_process(product, EXAMPLE, SUPERVISOR=supervisor):
        done = product.manage("rehearse", "--json", *asked, timeout=280)
    told = json.loads(done.stdout)
    assert (done.returncode, told["outcome"], told["problems"]) == (0, "connected", []), f"{told}\n{done.stderr}"
    assert "my colleague" in told["heard_by_manager_text"].lower(), "the agent introduces them itself"
