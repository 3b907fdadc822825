"""An agent's first word opens the call of its room, but not one that has just ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calls.agents.protocol import Hello, Role
from calls.models import AgentJob, Call
from calls.services import legs, links
from calls.timing import clock_of

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def hello(job: str = "AJ_1") -> Hello:
    return Hello(job_id=job, role=Role.SUPPORT, room="call-1")


def test_the_first_word_opens_the_call_and_its_caller_joins_the_same() -> None:
    welcome = links.open_link(hello())
    assert welcome.snapshot
    legs.participant_seen(legs.RoomFact("call-1", "RM_1"), legs.ParticipantFact("caller-1", "PA_1"))
    call = Call.objects.get()
    assert (call.pk, call.caller_identity) == (welcome.snapshot.call_id, "caller-1")


def test_a_word_after_the_end_opens_nothing() -> None:
    with clock_of(lambda: START):
        links.open_link(hello())
        legs.participant_seen(legs.RoomFact("call-1", "RM_1"), legs.ParticipantFact("caller-1", "PA_1"))
        legs.participant_left("call-1", participant_sid="PA_1", reason="client_initiated")
    with clock_of(lambda: START + timedelta(seconds=9)), pytest.raises(links.NotOurs):
        links.open_link(hello("AJ_2"))
    assert Call.objects.count() == 1
    assert not AgentJob.objects.filter(pk="AJ_2").exists()


def test_a_room_name_that_is_used_again_later_is_a_new_call() -> None:
    with clock_of(lambda: START):
        links.open_link(hello())
        legs.room_finished("call-1")
    with clock_of(lambda: START + timedelta(seconds=11)):
        links.open_link(hello("AJ_2"))
    assert Call.objects.count() == 2
