"""An agent's first word opens the call of its room, but not one that has just ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from calls.agents import protocol as p
from calls.agents.protocol import Hello, Role
from calls.models import AgentJob, Call, NumberRoute
from calls.services import legs, links
from calls.timing import clock_of
from tests import rows

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


def test_a_call_that_its_agent_opens_is_of_the_department_that_the_room_names() -> None:
    billing = rows.department("Billing")
    metadata = {"patchbay": "test", "kind": "call", "source": "test", "department": "Billing", "rehearsal": "1"}
    first = hello().model_copy(update={"room_sid": "RM_1", "room_metadata": json.dumps(metadata)})
    welcome = links.open_link(first)
    call = Call.objects.get()
    assert (call.department, call.source, call.rehearsal) == (billing, Call.Source.TEST, True)
    assert call.room_sid == "RM_1"
    assert welcome.snapshot
    assert welcome.snapshot.profile.greeting == "Hello, this is Billing."


def test_the_agent_tells_who_calls_and_learns_for_whom_it_speaks() -> None:
    billing = rows.department("Billing")
    NumberRoute.objects.create(number="+12025550190", department=billing)
    links.open_link(hello())
    seen = p.CallerHere(
        identity="caller-1",
        sid="PA_1",
        participant_kind="sip",
        attributes={"sip.phoneNumber": "+12025550144", "sip.trunkPhoneNumber": "+12025550190"},
    )
    assert links.apply_up("AJ_1", 1, p.Up(seq=1, at=START, body=seen)) == 1
    call = Call.objects.get()
    assert (call.department, call.caller_last4, call.caller_identity) == (billing, "0144", "caller-1")
    (told,) = links.pending("AJ_1", 0)
    assert isinstance(told.body, p.Know)
    assert told.body.snapshot.profile.department == "Billing"
    assert told.body.snapshot.caller_identity == "caller-1"
