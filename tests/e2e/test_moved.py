"""The whole product where the server moves legs, as LiveKit Cloud does: here the simulator moves its phones."""

from __future__ import annotations

import json

import pytest

from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(360)]

CLOUDLIKE = {"MERGE_STRATEGY": "move", "CARRIER_MOVES": "1"}


def test_a_moved_manager_and_the_caller_hear_each_other() -> None:
    with Product("--demo", "--quiet", env=CLOUDLIKE) as product:
        done = product.manage("rehearse", "--json", timeout=280)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["outcome"], told["leak"]) == (0, True, "connected", False), done
    for said, heard in (("said_by_caller", "heard_by_manager"), ("said_by_manager", "heard_by_caller")):
        assert len(set(told[said]) & set(told[heard])) >= 4  # of six, as recognition goes
    events = [event["what"] for event in told["carrier_request"]["events"]]
    assert events.index("answered") < events.index("moved") < events.index("left")
