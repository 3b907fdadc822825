"""The whole product where the server moves legs, as LiveKit Cloud does: here the simulator moves its phones."""

from __future__ import annotations

import pytest

from tests.floor import Caller, Floor
from tests.product import Product
from tests.supervisors import InCall, hear, heard_by_phone, make_accounts, recorded
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ

CLOUDLIKE = [{"MERGE_STRATEGY": "move", "CARRIER_MOVES": "1"}]
*PEOPLE, WHISPERER = ("anna", "bo", "cora")
WAYS = ("listen", "barge")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("house", CLOUDLIKE, ids=["move"], indirect=True, scope="module"),
]


@pytest.fixture(scope="module", autouse=True)
def accounts(house: Product) -> None:
    make_accounts(house, *PEOPLE, WHISPERER)


def test_who_hears_whom_when_a_manager_was_moved(floor: Floor, caller: Caller) -> None:
    party = caller.party
    assert party
    party.set_tone(CALLER_HZ, LEVEL)
    caller.joined(tone_hz=MANAGER_HZ)
    caller.is_with("manager")
    dial = caller.dials()[-1]["id"]
    listens, barges = (InCall(floor, name, caller, mode) for name, mode in zip(PEOPLE, WAYS, strict=True))
    whispers = InCall(floor, WHISPERER, caller, "whisper", side="consultation")
    ears = {"caller": lambda: recorded(party), "manager": lambda: heard_by_phone(floor, dial)}
    ears |= {"listener": listens.heard, "barge": barges.heard, "whisper": whispers.heard}
    hear(
        ears,
        {
            "caller": {"manager", "barge"},
            "manager": {"caller", "barge", "whisper"},
            "listener": {"caller", "manager", "barge"},
            "barge": {"caller", "manager"},
            "whisper": {"caller", "manager", "barge"},
        },
    )
    for somebody in (listens, barges, whispers):
        somebody.stops()
    caller.is_over()
    events = floor.carrier.events(dial)
    assert events.index("answered") < events.index("moved") < events.index("left")
