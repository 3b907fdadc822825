from __future__ import annotations

import pytest

from calls.timing import now
from tests import rows
from transfers.swimlane import swimlane

pytestmark = pytest.mark.django_db


def lanes_of(transfer):
    attempts = list(transfer.attempts.select_related("manager").order_by("nth"))
    return swimlane(transfer, attempts, at=now())


def test_every_part_has_a_lane_and_every_stretch_is_on_the_scale():
    floor = rows.floor()
    for transfer in (floor.waiting, floor.briefing, floor.merged, floor.completed, floor.returned):
        lanes = lanes_of(transfer)
        for lane in lanes.lanes:
            for segment in lane.segments:
                assert -0.001 <= segment.start <= 1.001
                assert segment.start + segment.size <= 1.001


def test_a_failed_attempt_says_why_and_a_second_manager_has_a_lane():
    lanes = {lane.name: lane.segments for lane in lanes_of(rows.floor().briefing).lanes}
    assert lanes["Noor"][0].label == "Did not answer (SIP 480)"
    assert [s.label for s in lanes["Dana"]] == ["Rings", "Hears the briefing"]
    assert [s.label for s in lanes["Caller"]] == ["With AI", "On hold"]
    assert lanes["Caller"][1].ended is None


def test_a_finished_transfer_does_not_grow():
    floor = rows.floor()
    assert lanes_of(floor.merged).growing
    assert not lanes_of(floor.completed).growing
    assert lanes_of(floor.returned).lanes[1].segments[-1].label == "Caller is back: nobody answered"
