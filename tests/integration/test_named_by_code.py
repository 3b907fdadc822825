"""An agent's code names whom it wants to be called: the roster's phones, or what TASK_DIAL_ALLOW allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from calls.agents import protocol as p
from calls.services import watch
from calls.states import CallerWith
from calls.telephony.gateway import StoredTrunk
from calls.telephony.memory import Phone
from tests.world import Agent, Story, World
from transfers.models import Attempt, Manager, Policy, Transfer, Trunk
from transfers.states import OPEN_ATTEMPT, EndReason, TransferState

OUTSIDE = "+12025550177"


def asks(story: Story, to: str, **fields: Any) -> p.Answer:
    """What the console answers to code that names this address."""
    request = p.TransferRequested(request_id=uuid4(), reason="", target=p.DialTarget(to=to, **fields))
    story.support.says(request)
    answer = next(body for body in story.support.told() if isinstance(body, p.Answer))
    assert answer.request_id == request.request_id
    return answer


def test_a_phone_of_the_roster_is_called_and_no_other(world: World) -> None:
    story = Story(world, ("Dana", "Omar"))
    answer = asks(story, "+1 202-555-0102")
    assert answer.accepted
    assert story.transfer.pk == answer.transfer_id
    assert [dial.to for dial in world.server.dials] == ["+12025550102"]
    world.answers(story.attempt, 486)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert len(world.server.dials) == 1


@pytest.mark.parametrize("to", [OUTSIDE, "sip:anybody@example.com", "+1202", "not a number"])
def test_an_address_of_nobody_is_refused_with_the_reason(world: World, to: str) -> None:
    story = Story(world)
    answer = asks(story, to)
    assert not answer.accepted
    assert answer.words.startswith("Nobody is called")
    assert not Transfer.objects.exists()
    assert story.caller_with == CallerWith.AI


@override_settings(TASK_DIAL_ALLOW=["+1202555*"])
def test_an_allowed_address_is_called_as_the_code_says(world: World) -> None:
    story = Story(world)
    theirs = world.run(
        world.server.create_outbound_trunk(name="theirs", address="sip.example.com", numbers=["+1"])
    )
    assert asks(
        story,
        OUTSIDE,
        trunk_id=theirs,
        sip_number="+12025550150",
        headers={"X-Account": "7"},
        dtmf="ww12#",
        ringing_timeout_s=12.0,
    ).accepted
    (dial,) = world.server.dials
    assert (dial.to, dial.dtmf, dial.ringing_timeout_s) == (OUTSIDE, "ww12#", 12)
    assert dial.trunk == StoredTrunk(theirs, sip_number="+12025550150", headers={"X-Account": "7"})
    assert Manager.objects.get(guest=True).name == "Outside number …0177"
    assert not asks(Story(world, (), where=story.where), "+12015550177").accepted


@override_settings(TASK_DIAL_ALLOW=["+1202555*"])
def test_one_outside_number_takes_several_callers_at_once(world: World) -> None:
    first = Story(world)
    world.server.phones[OUTSIDE] = Phone(rings=True)
    for story in (first, Story(world, (), where=first.where)):
        assert asks(story, OUTSIDE).accepted
    assert Attempt.objects.filter(state__in=OPEN_ATTEMPT, manager__guest=True).count() == 2


@override_settings(TASK_DIAL_ALLOW=["+1202555*"])
def test_an_outside_number_that_does_not_answer_is_never_away(world: World) -> None:
    first = Story(world, away_after_misses=1)
    world.server.phones[OUTSIDE] = Phone(status=480)
    for story in (first, Story(world, (), where=first.where)):
        assert asks(story, OUTSIDE).accepted
        assert story.attempt.sip_status == 480
    assert Manager.objects.filter(guest=True).count() == 1


@override_settings(TASK_DIAL_ALLOW=["+1202555*"])
def test_a_line_by_host_name_is_one_that_the_console_has(world: World) -> None:
    first = Story(world)
    assert "Phone lines" in asks(first, OUTSIDE, hostname="sip.theirs.example").words
    Trunk.objects.create(
        name="Theirs", kind=Trunk.Kind.INLINE, hostname="sip.theirs.example", sip_number="+12025550150"
    )
    assert asks(Story(world, (), where=first.where), OUTSIDE, hostname="sip.theirs.example").accepted


def test_whoever_goes_on_without_an_answer_rings_nobody(world: World) -> None:
    story = Story(world)
    request = p.TransferRequested(request_id=uuid4(), reason="", target=p.DialTarget(to="+12025550101"))
    story.support.says(request)
    story.support.says(p.TransferWithdrawn(request_id=request.request_id))
    assert story.state == (TransferState.CANCELLED, EndReason.CALLER_RETURNED)
    assert world.rooms() == {story.call.room_name}
    assert story.caller_with == CallerWith.AI


def test_code_that_waits_for_an_approval_is_told_the_end_though_the_caller_never_waited(world: World) -> None:
    story = Story(world, approval=Policy.Approval.APPROVE)
    request = p.TransferRequested(request_id=uuid4(), reason="", target=p.DialTarget(to="+12025550101"))
    story.support.says(request, p.TransferWithdrawn(request_id=request.request_id))
    assert [body.kind for body in story.support.told()] == ["answer", "resume"]


def test_a_request_of_a_model_is_answered_too(world: World) -> None:
    story = Story(world)
    story.escalates()
    story.support.told()
    story.support.says(p.TransferRequested(request_id=uuid4(), reason="again"))
    (answer,) = story.support.told()
    assert (answer.accepted, answer.transfer_id) == (False, None)


# ── somebody's own agent ─────────────────────────────────────────────────────────────────────────


def dispatched(world: World, room: str) -> list[tuple[str, str]]:
    return [(one.agent_name, one.metadata) for one in world.run(world.server.list_dispatch(room))]


def looks(world: World, story: Story) -> None:
    world.at += timedelta(seconds=3)
    watch.check(story.call.pk)
    world.settle()


class Theirs(Agent):
    @property
    def hello(self) -> p.Hello:
        return super().hello.model_copy(update={"agent_name": "their-agent"})


def test_a_lost_agent_that_is_not_ours_is_asked_for_by_its_own_name(world: World) -> None:
    story = Story(world)
    story.support.dies()
    world.at += timedelta(seconds=1)
    Theirs(world, p.Role.SUPPORT, story.call.room_name).dies()
    looks(world, story)
    assert dispatched(world, story.call.room_name) == [("their-agent", "")]


def test_and_with_the_metadata_of_its_first_dispatch_where_the_server_still_has_it(world: World) -> None:
    story = Story(world)
    world.run(world.server.create_dispatch(story.call.room_name, "their-agent", "tenant=7"))
    story.support.dies()
    looks(world, story)
    assert dispatched(world, story.call.room_name) == [("their-agent", "tenant=7")]


def test_briefings_are_ours_whoever_talks_to_the_caller(world: World, settings: Any) -> None:
    story = Story(world)
    story.support.dies()
    Theirs(world, p.Role.SUPPORT, story.call.room_name)
    story.escalates()
    assert [name for name, _ in dispatched(world, story.attempt.consult_room)] == [settings.AGENT_NAME]
