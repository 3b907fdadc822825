"""The whole product where the server moves legs, as LiveKit Cloud does: here the simulator moves its phones."""

from __future__ import annotations

import pytest

from tests.floor import Caller, Floor
from tests.supervisors import hear, heard_by_phone, recorded
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ

CLOUDLIKE = [{"MERGE_STRATEGY": "move", "CARRIER_MOVES": "1"}]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("house", CLOUDLIKE, ids=["move"], indirect=True, scope="module"),
]


def test_a_moved_manager_and_the_caller_hear_each_other(floor: Floor, caller: Caller) -> None:
    party = caller.party
    assert party
    party.set_tone(CALLER_HZ, LEVEL)
    caller.joined(tone_hz=MANAGER_HZ)
    caller.is_with("manager")
    dial = caller.dials()[-1]["id"]
    ears = {"caller": lambda: recorded(party), "manager": lambda: heard_by_phone(floor, dial)}
    hear(ears, {"caller": {"manager"}, "manager": {"caller"}})
    caller.is_over()
    events = floor.carrier.events(dial)
    assert events.index("answered") < events.index("moved") < events.index("left")
