from __future__ import annotations

import pytest

from calls.access import Sight
from calls.models import Effect
from calls.roles import Role
from calls.timing import now
from tests import rows
from tests.people import account
from transfers import transfer_page
from transfers.models import Attempt, BriefingVersion
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


def test_a_page_says_what_was_heard_which_briefing_was_read_to_whom_and_what_was_done_again(client):
    floor = rows.floor()
    of, dana = floor.briefing, Attempt.objects.get(manager__name="Dana")
    client.force_login(account(Role.ADMINISTRATOR))
    edited = BriefingVersion.objects.create(
        transfer=of, nth=2, author="person", text="Charged twice, is angry.", saved_at=rows.ago(30)
    )
    Attempt.objects.filter(pk=dana.pk).update(briefing_started_at=rows.ago(15))
    for kind, subject, nth, state, error in (
        ("dial", dana.pk, 1, "done", ""),
        ("close_consult", dana.pk, 1, "failed", f"no answer from {of.call.caller_number}"),
        ("close_consult", dana.pk, 2, "done", ""),
        ("look", dana.pk, 5, "done", ""),
    ):
        Effect.objects.create(
            kind=kind, subject_id=subject, nth=nth, state=state, error=error, due_at=rows.ago(10)
        )
    attempts = list(of.attempts.select_related("manager").order_by("nth"))
    first, second = transfer_page.versions(of, attempts)
    assert (first.heard_by, second.briefing, second.heard_by) == ((), edited, ("Dana",))
    masked = transfer_page.repeats(of, attempts, Sight())
    assert [(one.what, one.about, one.nth, one.failed) for one in masked] == [
        ("close consult", "Dana", 1, True),
        ("close consult", "Dana", 2, False),
    ]
    assert masked[0].error == f"no answer from …{of.call.caller_number[-4:]}"
    page = client.get(f"/transfers/{of.pk}").content.decode()
    for words in (
        "<strong>read to Dana</strong>",
        "Done again, or failed",
        "no person",
        ">Hears<",
        "On hold",
        "Music",
    ):
        assert words in page, words
