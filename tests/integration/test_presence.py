"""Whether a manager is called: by a supervisor, by their own PIN."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Call, Event
from tests.world import Agent, Story, World
from transfers import manager_presence, pin
from transfers.models import Endpoint, Manager, Presence
from transfers.states import TransferState


@pytest.fixture
def dana(world: World) -> Manager:
    story = Story(world, ("Dana",))
    made = Manager.objects.get(name="Dana")
    Manager.objects.filter(pk=made.pk).update(
        presence=Presence.AWAY, presence_reason="not today", pin=make_password("4711")
    )
    world.story = story  # type: ignore[attr-defined]
    return made


def calls(world: World, number: str) -> Agent:
    call = world.call(world.story.where, number=number)  # type: ignore[attr-defined]
    return Agent(world, p.Role.SUPPORT, call.room_name)


def presses(agent: Agent, keys: str) -> None:
    agent.says(*(p.KeyPressed(identity="caller-1", digit=key) for key in keys))


def test_their_own_phone_and_pin_make_a_manager_available_again(world: World, dana: Manager) -> None:
    agent = calls(world, "+12025550101")
    assert agent.snapshot.opening == pin.WORDS
    presses(agent, "4711#")
    dana.refresh_from_db()
    assert (dana.presence, dana.presence_reason) == (Presence.AVAILABLE, "by their own call")
    assert agent.told()[-1].text == pin.DONE
    assert Call.objects.get(room_name=agent.room).end_reason == "available_again"
    assert Event.objects.get(type="manager.presence_set").actor_kind == "manager"


def test_a_wrong_pin_may_be_tried_three_times(world: World, dana: Manager) -> None:
    agent = calls(world, "+12025550101")
    presses(agent, "1234#471*9#0#4711#")
    dana.refresh_from_db()
    assert dana.presence == Presence.AWAY
    assert [body.text for body in agent.told() if body.kind == "say"] == [pin.WRONG, pin.WRONG, pin.NO_MORE]


def test_another_phone_s_keys_mean_nothing(world: World, dana: Manager) -> None:
    agent = calls(world, "+12025550177")
    assert agent.snapshot.opening == ""
    presses(agent, "4711#")
    dana.refresh_from_db()
    assert dana.presence == Presence.AWAY
    assert Endpoint.objects.get(manager=dana).address == "+12025550101"


def test_a_supervisor_says_for_somebody_with_a_reason(world: World, dana: Manager) -> None:
    sam = User.objects.create(username="sam")
    with pytest.raises(Refused, match="Say why"):
        manager_presence.set_by_person(manager_id=dana.pk, user=sam, presence="available", reason=" ")
    manager_presence.set_by_person(manager_id=dana.pk, user=sam, presence="available", reason="back from lunch")
    dana.refresh_from_db()
    assert (dana.presence, dana.presence_reason) == (Presence.AVAILABLE, "back from lunch")
    assert Event.objects.get(type="manager.presence_set").actor_kind == "person"


def test_whoever_waits_in_line_is_rung_when_a_supervisor_brings_somebody_back(world: World) -> None:
    first = Story(world, ("Dana", "Omar"))
    Manager.objects.filter(name="Omar").update(presence=Presence.AWAY)
    first.merged()
    second = Story(world, (), where=first.where)
    second.escalates()
    assert second.transfer.state == TransferState.QUEUED
    omar = Manager.objects.get(name="Omar")
    sam = User.objects.create(username="sam")
    manager_presence.set_by_person(manager_id=omar.pk, user=sam, presence="available", reason="here now")
    world.settle()
    assert second.transfer.state == TransferState.CONNECTING
