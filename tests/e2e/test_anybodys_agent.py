"""An agent that is not ours, as the documentation shows one, on the running product: joined, and refused."""

from __future__ import annotations

import json

import pytest

from calls.telephony.simulator.numbers import PHONES
from config.env import ROOT
from tests.agent_process import agent_process
from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "docs" / "example_agent.py"


@pytest.mark.parametrize(("scenario", "outcome"), [("accepts-by-key", "connected"), ("refuses", "declined")])
def test_it_hands_its_caller_to_a_person_or_has_them_back(product: Product, scenario: str, outcome: str) -> None:
    supervisor = next(phone.number for phone in PHONES if phone.scenario == scenario)
    with agent_process(product, EXAMPLE, SUPERVISOR=supervisor):
        done = product.manage("rehearse", "--json", "--agent", "example", "--scenario", scenario, timeout=280)
    told = json.loads(done.stdout)
    assert (done.returncode, told["outcome"], told["problems"]) == (0, outcome, []), f"{told}\n{done.stderr}"
    if outcome == "connected":
        assert "my colleague" in told["heard_by_manager_text"].lower(), "the agent introduces them itself"
