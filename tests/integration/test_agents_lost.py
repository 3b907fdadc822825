"""Agents that do not come, or die: another is sent, and whoever waits is not left alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from calls.agents import protocol as p
from calls.models import AgentJob, Directive, Effect
from calls.services import watch
from calls.services.links import NotOurs, direct
from calls.states import CallerWith
from calls.telephony.gateway import Dispatch, Retryable
from tests.world import Agent, Story, World
from transfers.models import Attempt
from transfers.states import AttemptState, Outcome, TransferState


def dispatches(world: World, room: str) -> list[Dispatch]:
    return list(world.run(world.server.list_dispatch(room)))


def roles(world: World, room: str) -> list[str]:
    return [json.loads(one.metadata)["role"] for one in dispatches(world, room)]


def test_an_agent_that_does_not_come_is_sent_again_for_20_seconds_and_then_lost(world: World) -> None:
    """A server of agents that is just being started again gets none of the first."""
    story = Story(world, managers=("Dana",))
    story.escalates()
    room = story.attempt.consult_room
    made = dispatches(world, room)
    for _ in range(6):
        world.later(3)
        (again,) = dispatches(world, room)
        assert again.id not in {one.id for one in made}
        assert json.loads(again.metadata).keys() == json.loads(made[0].metadata).keys()
        made.append(again)
    assert story.attempt.state == AttemptState.DIALING
    world.later(3)
    assert story.attempt.outcome == Outcome.AGENT_LOST
    assert story.call.caller_with == CallerWith.AI
    assert world.rooms() == {story.call.room_name}


def test_a_manager_who_answers_after_that_is_briefed_by_the_one_that_came(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    for _ in range(5):
        world.later(3)
    assert story.agent().snapshot.transfer
    world.answers(story.attempt)
    world.later(10)
    assert story.transfer.state == TransferState.CONSULTING


def test_reports_that_the_database_lost_do_not_stop_the_link(world: World) -> None:
    """A standby that took over may lack what was acknowledged: the agent has dropped it, and goes on."""
    story = Story(world)
    story.support.says(p.AgentState(state="listening"), p.AgentState(state="thinking"))
    AgentJob.objects.filter(pk=story.support.job_id).update(up_received=0)
    story.support.says(p.AgentState(state="speaking"))
    story.call.refresh_from_db()
    assert story.call.agent_state == "speaking"


def test_directives_that_the_database_lost_do_not_stop_the_link(world: World) -> None:
    story = Story(world)
    story.escalates()
    assert story.support.told()
    Directive.objects.all().delete()
    AgentJob.objects.filter(pk=story.support.job_id).update(down_last=0)
    story.support.comes_back()
    direct(story.support.job, "more", p.Say(text="Hello again."))
    assert [body.text for body in story.support.told()] == ["Hello again."]


def test_a_job_that_is_starting_is_left_alone_for_15_seconds(world: World) -> None:
    story = Story(world)
    story.escalates()
    room = story.attempt.consult_room
    world.server.start_job(room)
    before = dispatches(world, room)
    for _ in range(4):
        world.later(3)
    assert dispatches(world, room) == before
    world.later(3)
    assert dispatches(world, room) != before


def test_one_that_came_is_not_sent_again(world: World) -> None:
    story = Story(world)
    story.briefed()
    before = dispatches(world, story.attempt.consult_room)
    world.later(10)
    assert dispatches(world, story.attempt.consult_room) == before


def test_one_that_dies_in_the_briefing_is_replaced_at_once_though_it_stays_listed(world: World) -> None:
    story = Story(world)
    first = story.briefed()
    room = story.attempt.consult_room
    world.server.start_job(room)
    before = dispatches(world, room)
    first.dies()
    assert dispatches(world, room) != before
    second = story.agent()
    assert second.snapshot.transfer
    assert second.snapshot.transfer.attempt_state == AttemptState.SUMMARIZING
    world.later(40)
    assert story.transfer.state == TransferState.CONSULTING
    second.decides(p.DecisionKind.ACCEPT)
    assert [body.kind for body in second.told()] == ["merge"]


def test_a_manager_waits_for_a_new_agent_at_most_20_seconds(world: World) -> None:
    story = Story(world, managers=("Dana",))
    first = story.briefed()
    world.later(60)
    world.server.start_job(story.attempt.consult_room)
    first.dies()
    for _ in range(6):
        world.server.start_job(story.attempt.consult_room)
        world.later(3)
        assert story.transfer.state == TransferState.CONSULTING
    world.later(2.1)
    assert story.attempt.outcome == Outcome.AGENT_LOST


def test_sending_goes_on_when_the_server_does_not_answer(world: World) -> None:
    story = Story(world)
    story.escalates()
    world.server.fail("list_dispatch", Retryable("503"), times=2)
    world.later(3)
    world.later(1)
    world.later(2)
    assert Effect.objects.filter(kind="dispatch_transfer", args__sent=True).exists()


def test_one_that_comes_in_the_middle_of_the_merge_carries_it_on(world: World) -> None:
    story = Story(world)
    story.merging().dies()
    second = story.agent()
    assert [body.kind for body in second.told()] == ["merge"]
    second.says(p.BridgeUp())
    assert story.transfer.state == TransferState.MERGED


def test_a_lost_bridge_is_sent_again_in_its_role_and_knows_that_they_are_joined(world: World) -> None:
    story = Story(world)
    carrier = story.merged()
    room = story.attempt.consult_room
    world.server.start_job(room)
    carrier.dies()
    assert roles(world, room) == ["bridge"]
    bridge = story.agent(p.Role.BRIDGE)
    snapshot = bridge.snapshot
    assert snapshot.transfer
    assert snapshot.transfer.attempt_state == AttemptState.MERGED
    assert (snapshot.caller_with, snapshot.greet) == (p.CallerWith.MANAGER, False)
    bridge.says(p.BridgeUp())
    assert story.transfer.state == TransferState.MERGED
    bridge.dies()
    assert roles(world, room) == ["bridge"]


def test_a_bridge_is_not_given_up(world: World) -> None:
    story = Story(world)
    story.merged().dies()
    for _ in range(5):
        world.later(3)
    assert Effect.objects.filter(kind="dispatch_bridge", args__sent=True).count() >= 5
    assert story.transfer.state == TransferState.MERGED


def test_who_was_replaced_by_a_bridge_may_not_come_back(world: World) -> None:
    story = Story(world)
    carrier = story.merged()
    carrier.dies()
    world.at += timedelta(seconds=1)
    bridge = story.agent(p.Role.BRIDGE)
    with pytest.raises(NotOurs):
        carrier.comes_back()
    bridge.dies()
    with pytest.raises(NotOurs):
        carrier.comes_back()


def test_nobody_is_sent_for_a_call_that_is_over(world: World) -> None:
    story = Story(world)
    carrier = story.merged()
    world.caller_leaves(story.call)
    carrier.dies()
    world.later(10)
    assert not Effect.objects.filter(kind="dispatch_bridge").exists()


# ── the SupportAgent ─────────────────────────────────────────────────────────────────────────────


def look(world: World, story: Story) -> None:
    watch.check(story.call.pk)
    world.settle()


def test_a_support_agent_that_dies_is_replaced_and_does_not_greet_again(world: World) -> None:
    story = Story(world)
    story.support.utters(p.Speaker.AI, "Hello, this is Billing.")
    story.support.dies()
    look(world, story)
    assert "support" not in roles_of(world, story)
    world.at += timedelta(seconds=3)
    look(world, story)
    assert roles_of(world, story) == ["support"]
    new = Agent(world, p.Role.SUPPORT, story.call.room_name)
    assert new.snapshot.greet is False


def roles_of(world: World, story: Story) -> list[str]:
    return [json.loads(one.metadata)["role"] for one in dispatches(world, story.call.room_name) if one.metadata]


def test_one_who_comes_while_the_caller_is_held_knows_it_and_is_told_to_resume(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    story.support.dies()
    new = Agent(world, p.Role.SUPPORT, story.call.room_name)
    assert (new.snapshot.greet, new.snapshot.caller_with) == (False, p.CallerWith.HOLD)
    assert new.snapshot.hold
    world.answers(story.attempt, 486)
    assert [body.kind for body in new.told()] == ["resume"]


def test_after_the_merge_none_is_sent_and_one_who_comes_stays_silent(world: World) -> None:
    story = Story(world)
    story.merged()
    story.support.dies()
    world.at += timedelta(seconds=10)
    look(world, story)
    assert roles_of(world, story) == []
    new = Agent(world, p.Role.SUPPORT, story.call.room_name)
    assert (new.snapshot.greet, new.snapshot.caller_with) == (False, p.CallerWith.MANAGER)


def test_one_taken_for_dead_is_told_what_it_missed(world: World) -> None:
    story = Story(world)
    AgentJob.objects.filter(pk=story.support.job_id).update(last_seen_at=world.at - timedelta(seconds=9))
    story.support.dies()
    story.escalates()
    story.support.comes_back()
    assert story.support.job.closed_at is None
    assert [body.kind for body in story.support.told()] == ["hold"]


def test_a_starting_job_is_not_put_out_by_another_dispatch(world: World) -> None:
    where = world.department()
    call = world.call(where)
    world.server.start_job(call.room_name)
    before = dispatches(world, call.room_name)
    for _ in range(4):
        world.at += timedelta(seconds=3)
        watch.check(call.pk)
        world.settle()
    assert dispatches(world, call.room_name) == before
    world.at += timedelta(seconds=3)
    watch.check(call.pk)
    world.settle()
    assert dispatches(world, call.room_name) != before


def test_a_caller_who_joins_late_is_looked_after_too(world: World) -> None:
    call = world.call(world.department())
    call.refresh_from_db()
    assert call.wake_at == world.at + timedelta(seconds=3)


def test_an_attempt_s_jobs_are_one_part(world: World) -> None:
    story = Story(world)
    story.merged()
    bridge = story.agent(p.Role.BRIDGE)
    live = AgentJob.objects.filter(attempt_id=Attempt.objects.get().pk, closed_at=None)
    assert [job.pk for job in live] == [bridge.job_id]
