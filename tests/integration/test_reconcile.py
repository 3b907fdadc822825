"""Calls, legs and rooms are right with no webhook at all, and a listing is never believed too soon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from calls.models import AgentJob, Call, Effect, EffectState, Event, Leg, Owner, OwnerRole, Room
from calls.reconcile import Reconciler
from calls.services import legs
from calls.services.calls import open_call
from calls.states import CallState
from calls.telephony.gateway import Retryable
from calls.telephony.memory import MemoryGateway
from calls.timing import clock_of

pytestmark = pytest.mark.django_db

OURS = json.dumps({"patchbay": "test", "kind": "call", "source": "test"})


class World:
    """A server in memory, a clock that is turned by hand, and the reconciler between them."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.server = MemoryGateway(clock=lambda: self.at)
        self.reconciler = Reconciler()

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def look(self, after: float = 0) -> None:
        """One pass, so many seconds later."""
        self.later(after)
        listing = asyncio.run(self.reconciler.ask(self.server))
        self.reconciler.apply(listing)

    def make_room(self, name: str = "call-1", metadata: str = OURS) -> None:
        asyncio.run(self.server.create_room(name, metadata=metadata))

    def delete_room(self, name: str = "call-1") -> None:
        asyncio.run(self.server.delete_room(name))

    def call_with_caller(self) -> Call:
        self.make_room()
        self.server.join("call-1", "caller-1", kind="sip", attributes={"sip.callStatus": "active"})
        self.look(1)
        self.later(1)
        return Call.objects.get()


@pytest.fixture
def world() -> Iterator[World]:
    one = World()
    with clock_of(lambda: one.at):
        yield one


def state(call: Call) -> tuple[str, str]:
    call.refresh_from_db()
    return call.state, call.end_reason


def linked(call: Call) -> AgentJob:
    at = call.started_at
    return AgentJob.objects.create(
        id="AJ_1", call=call, role="support", room_name=call.room_name, started_at=at, last_seen_at=at
    )


def repairs() -> list[str]:
    """What the record says was put right, in order."""
    events = Event.objects.filter(type="reconcile.repaired").order_by("seq")
    assert all((one.actor_kind, one.actor_id) == ("system", "reconcile") for one in events)
    return [one.facts["what"] for one in events]


def test_a_listing_alone_opens_the_call(world: World) -> None:
    call = world.call_with_caller()
    assert (call.state, call.caller_identity) == (CallState.ACTIVE, "caller-1")
    leg = Leg.objects.get()
    assert (leg.kind, leg.sip_status, leg.left_at) == ("caller", "active", None)
    room = Room.objects.get()
    assert (room.kind, room.call) == (Room.Kind.CALL, call)
    assert room.participants[0]["sip"] == {"sip.callStatus": "active"}


def test_a_room_shown_as_it_was_is_not_a_change(world: World) -> None:
    world.call_with_caller()
    before = Room.objects.get().version
    world.look(2)
    assert Room.objects.get().version == before


def test_a_room_that_is_not_ours_is_left_alone(world: World) -> None:
    world.make_room("somebody-s", "")
    world.make_room("call-9", json.dumps({"patchbay": "another", "kind": "call"}))
    world.server.join("somebody-s", "x")
    world.server.join("call-9", "caller-9")
    world.look()
    world.look(20)
    assert not Call.objects.exists()
    assert set(Room.objects.values_list("name", "kind")) == {("somebody-s", "foreign"), ("call-9", "foreign")}
    assert {room.name for room in asyncio.run(world.server.list_rooms())} == {"somebody-s", "call-9"}


def test_a_call_ends_after_two_listings_five_seconds_apart(world: World) -> None:
    call = world.call_with_caller()
    world.delete_room()
    world.look()
    world.look(4)
    assert state(call) == (CallState.ACTIVE, "")
    world.look(1)
    assert state(call) == (CallState.INACTIVE, "caller_left")
    assert Leg.objects.filter(left_at=None).count() == 0
    assert Room.objects.get().gone_at


def test_a_caller_who_was_not_rung_yet_is_not_missed(world: World) -> None:
    """A callback's manager is asked first: until then there is no room, and its transfer says when it is over."""
    call = open_call("call-back", source=Call.Source.CALLBACK)
    for _ in range(3):
        world.look(6)
    assert state(call) == (CallState.ACTIVE, "")
    assert repairs() == []


def test_a_caller_who_was_called_back_is_missed_as_any(world: World) -> None:
    call = open_call("call-back", source=Call.Source.CALLBACK)
    world.make_room("call-back")
    world.server.join("call-back", "caller-1", kind="sip", attributes={"sip.callStatus": "active"})
    world.look(1)
    world.delete_room("call-back")
    world.look(1)
    world.look(6)
    assert state(call) == (CallState.INACTIVE, "caller_left")


def test_one_look_that_sees_the_caller_begins_the_wait_anew(world: World) -> None:
    call = world.call_with_caller()
    world.server.leave("call-1", "caller-1")
    world.look()
    world.server.join("call-1", "caller-1", kind="sip")
    world.look(4)
    world.server.leave("call-1", "caller-1")
    world.look(2)
    assert state(call) == (CallState.ACTIVE, "")
    world.look(5)
    assert state(call) == (CallState.INACTIVE, "caller_left")


def test_a_fact_between_two_listings_begins_the_wait_anew(world: World) -> None:
    call = world.call_with_caller()
    world.delete_room()
    world.look()
    world.later(3)
    legs.participant_seen(
        legs.RoomFact("call-1", "RM_2", OURS), legs.ParticipantFact(identity="caller-1", sid="PA_again")
    )
    world.look(3)
    assert state(call) == (CallState.ACTIVE, "")


def test_a_listing_begun_before_the_last_fact_proves_nothing(world: World) -> None:
    call = world.call_with_caller()
    world.delete_room()
    old = asyncio.run(world.reconciler.ask(world.server))
    world.later(1)
    Call.objects.update(last_fact_at=world.at)
    world.reconciler.apply(old)
    call.refresh_from_db()
    assert call.missed_listings == 0


def test_a_live_link_outlives_a_restart_of_the_server(world: World) -> None:
    call = world.call_with_caller()
    job = linked(call)
    world.delete_room()
    for _ in range(10):
        world.look(5)
    assert state(call) == (CallState.ACTIVE, "")
    world.make_room()
    world.server.join("call-1", "caller-1", kind="sip")
    world.look(1)
    assert state(call) == (CallState.ACTIVE, "")
    assert list(Leg.objects.filter(left_at=None).values_list("identity", flat=True)) == ["caller-1"]
    assert job.pk


def test_an_agent_alone_in_the_room_does_not_keep_the_call(world: World) -> None:
    call = world.call_with_caller()
    world.server.join("call-1", "support", kind="agent")
    linked(call)
    world.look()
    world.server.leave("call-1", "caller-1")
    world.look(1)
    world.look(6)
    assert state(call) == (CallState.ACTIVE, "")
    world.look(10)
    assert state(call) == (CallState.INACTIVE, "caller_left")


def test_a_failed_listing_proves_nothing(world: World) -> None:
    call = world.call_with_caller()
    world.server.fail("list_rooms", Retryable("down"), times=3)
    for _ in range(3):
        world.later(5)
        with pytest.raises(Retryable):
            asyncio.run(world.reconciler.ask(world.server))
    assert state(call) == (CallState.ACTIVE, "")
    world.server.fail("list_participants", Retryable("down"))
    with pytest.raises(Retryable):
        asyncio.run(world.reconciler.ask(world.server))


def test_a_leg_that_two_listings_miss_has_left(world: World) -> None:
    world.call_with_caller()
    world.server.join("call-1", "support", kind="agent")
    world.look()
    world.server.leave("call-1", "support")
    world.look(1)
    assert Leg.objects.get(identity="support").left_at is None
    world.look(5)
    leg = Leg.objects.get(identity="support")
    assert (leg.leave_reason, leg.left_at) == ("gone", world.at)
    assert repairs() == ["leg"]
    assert Call.objects.get().state == CallState.ACTIVE


def test_a_status_comes_by_listing_too_and_only_goes_forward(world: World) -> None:
    world.call_with_caller()
    world.server.join("call-1", "manager-1", kind="sip", attributes={"sip.callStatus": "active"})
    world.look()
    world.server.set_attributes("call-1", "manager-1", callStatus="ringing")
    world.look(2)
    assert Leg.objects.get(identity="manager-1").sip_status == "active"


def test_a_room_whose_closing_came_to_nothing_is_closed_again(world: World) -> None:
    call = world.call_with_caller()
    legs.participant_left("call-1", identity="caller-1", reason="client_initiated")
    effect = Effect.objects.get(kind="close_call_room")
    Effect.objects.filter(pk=effect.pk).update(state=EffectState.FAILED, done_at=world.at)
    world.look(5)
    assert Effect.objects.filter(kind="close_call_room").count() == 1
    world.look(6)
    again = Effect.objects.get(kind="close_call_room", nth=2)
    assert (again.subject_id, again.state) == (call.pk, EffectState.DUE)
    world.look(2)
    assert Effect.objects.filter(kind="close_call_room").count() == 2
    assert repairs() == ["call_room"]
    assert Call.objects.count() == 1


def test_many_rooms_are_looked_into_in_turn(world: World) -> None:
    for number in range(120):
        world.server.join(f"other-{number}", "x")
    world.look()
    assert world.server.calls["list_participants"] == 50
    world.look(2)
    world.look(2)
    assert Room.objects.count() == 120
    world.look(2)
    assert world.server.calls["list_participants"] == 200


def test_a_room_that_went_is_forgotten_after_an_hour(world: World) -> None:
    world.make_room("other", "")
    world.look()
    world.delete_room("other")
    world.look(2)
    assert Room.objects.get().participants == []
    world.look(3601)
    assert not Room.objects.exists()


def test_only_the_oldest_living_clock_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at = world.at
    mine = Owner.objects.create(role=OwnerRole.CLOCK, host="a", pid=2, started_at=at, beat_at=at)
    older = Owner.objects.create(
        role=OwnerRole.CLOCK, host="a", pid=1, started_at=at - timedelta(hours=1), beat_at=at
    )
    begun: list[object] = []
    monkeypatch.setattr("calls.owners.own", lambda role: mine)
    monkeypatch.setattr("calls.telephony.loop.gateway", lambda: world.server)
    monkeypatch.setattr("calls.telephony.loop.submit", lambda work: begun.append(work.close()))
    world.reconciler.tick()
    assert begun == []
    Owner.objects.filter(pk=older.pk).update(beat_at=at - timedelta(seconds=2))
    world.reconciler.tick()
    world.reconciler.tick()
    assert len(begun) == 1
    world.later(2)
    Owner.objects.filter(pk=mine.pk).update(beat_at=world.at)
    world.reconciler.tick()
    assert len(begun) == 2


@pytest.mark.django_db(transaction=True)
def test_a_pass_runs_on_its_own_and_says_what_is_wrong(world: World) -> None:
    world.make_room()
    world.server.join("call-1", "caller-1")
    asyncio.run(world.reconciler.run(world.server))
    assert (Call.objects.count(), world.reconciler.ill, world.reconciler.last_ok) == (1, "", world.at)
    world.server.fail("list_rooms", Retryable("LiveKit at x (LIVEKIT_API_URL) cannot be reached"))
    asyncio.run(world.reconciler.run(world.server))
    assert "LIVEKIT_API_URL" in world.reconciler.ill


def test_a_stray_consultation_is_announced_by_its_attempt(world: World) -> None:
    from calls.announcements import consult_room_seen

    seen: list[object] = []

    def hear(*, attempt_id: object, **_: object) -> None:
        seen.append(attempt_id)

    attempt = uuid4()
    world.make_room(f"consult-{attempt}", "")
    world.make_room("consult-of-somebody-else", "")
    consult_room_seen.connect(hear)
    world.look()
    consult_room_seen.disconnect(hear)
    assert seen == [attempt]
