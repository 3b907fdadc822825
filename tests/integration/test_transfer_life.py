"""The whole life of a warm transfer, driven by what agents, phones and people do."""

from __future__ import annotations

import pytest

from calls.agents import protocol as p
from calls.models import Event
from calls.states import CallerWith, CallState
from tests.world import Agent, Story, World
from transfers import services
from transfers.models import Attempt, Manager, Presence
from transfers.states import AttemptState, EndReason, Outcome, TransferState


def outcomes(story: Story) -> list[tuple[str, str]]:
    return [(a.manager.name, a.outcome) for a in Attempt.objects.filter(transfer=story.transfer).order_by("nth")]


def kinds(agent: Agent) -> list[str]:
    return [body.kind for body in agent.told()]


def test_a_caller_is_held_briefed_about_joined_and_let_go(world: World) -> None:
    story = Story(world)
    story.support.utters(p.Speaker.CALLER, "I was charged twice for my order.")
    story.escalates()
    assert story.state == (TransferState.CONNECTING, "")
    assert story.call.caller_with == CallerWith.HOLD
    assert kinds(story.support) == ["hold"]

    agent = Agent(world, p.Role.TRANSFER, story.attempt.consult_room, story.attempt.pk)
    assert "charged twice" in agent.snapshot.transfer.briefing  # type: ignore[union-attr]
    world.rings(story.attempt)
    assert story.attempt.state == AttemptState.RINGING
    world.answers(story.attempt)
    assert story.state == (TransferState.CONSULTING, "")

    agent.says(p.BriefingStep(step="started"), p.BriefingStep(step="spoken"), p.BriefingStep(step="asked"))
    agent.decides(p.DecisionKind.ACCEPT)
    assert story.state == (TransferState.MERGING, "")
    assert kinds(agent) == ["merge"]
    assert story.call.caller_with == CallerWith.HOLD

    agent.says(p.BridgeUp())
    assert story.state == (TransferState.MERGED, "")
    assert (story.call.state, story.call.caller_with) == (CallState.ESCALATED, CallerWith.MANAGER)
    assert kinds(story.support) == ["merge"]
    agent.says(p.Heard(speaker=p.Speaker.MANAGER))
    assert story.attempt.heard_at

    world.later(20)
    world.hangs_up(story.attempt)
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert (story.attempt.state, story.call.caller_with) == (AttemptState.ENDED, CallerWith.AI)
    assert kinds(story.support) == ["resume"]
    story.support.says(p.CallerSaidGoodbye())
    world.later(1)
    assert world.rooms() == set()
    assert [dial.to for dial in world.server.dials] == ["+12025550101"]


def test_the_caller_may_be_the_one_who_hangs_up(world: World) -> None:
    story = Story(world)
    story.merged()
    world.caller_leaves(story.call)
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert world.rooms() == set()


def test_who_does_not_answer_is_followed_by_the_next_and_then_the_ai(world: World) -> None:
    story = Story(world)
    story.escalates()
    world.answers(story.attempt, 486)
    assert story.attempt.manager.name == "Omar"
    assert story.transfer.state == TransferState.CONNECTING
    world.answers(story.attempt, 480)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert outcomes(story) == [("Dana", Outcome.BUSY), ("Omar", Outcome.NO_ANSWER)]
    assert story.call.caller_with == CallerWith.AI
    hold, resume = story.support.told()
    assert (hold.kind, resume.kind, resume.outcome) == ("hold", "resume", EndReason.NO_MANAGER)
    assert resume.words.startswith("I am sorry, nobody answered.")
    world.settle()
    assert world.rooms() == {story.call.room_name}


def test_a_phone_that_only_rings_is_given_up_after_its_time(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    story.agent()
    world.later(29)
    assert story.transfer.state == TransferState.CONNECTING
    world.later(1.1)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert world.rooms() == {story.call.room_name}


@pytest.mark.parametrize(
    ("status", "outcome"), [(404, Outcome.INVALID_NUMBER), (503, Outcome.TRUNK_ERROR), (603, Outcome.DECLINED)]
)
def test_each_refusal_of_a_phone_has_its_outcome(world: World, status: int, outcome: Outcome) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    world.answers(story.attempt, status)
    assert (story.attempt.outcome, story.attempt.sip_status) == (outcome, status)
    assert not story.transfer.is_open


def test_a_manager_s_reason_is_what_the_caller_hears(world: World) -> None:
    story = Story(world, managers=("Dana",))
    agent = story.briefed()
    agent.decides(p.DecisionKind.DECLINE, reason="the refund team has to look at it first")
    assert story.state == (TransferState.FAILED, EndReason.DECLINED)
    assert "the refund team has to look at it first" in story.transfer.words_for_caller
    assert story.support.told()[-1].words == story.transfer.words_for_caller
    leave = agent.told()[-1]
    assert (leave.kind, leave.words) == ("leave", "Thank you, I will tell the caller. Goodbye.")
    assert story.attempt.consult_room in world.rooms()  # until the last words are said
    world.later(6)
    assert world.rooms() == {story.call.room_name}


def test_not_today_keeps_a_manager_out_until_the_day_is_over(world: World) -> None:
    story = Story(world)
    story.briefed().decides(p.DecisionKind.NOT_TODAY)
    dana = Manager.objects.get(name="Dana")
    assert (dana.presence, dana.presence_reason) == (Presence.AWAY, "not today")
    assert story.attempt.manager.name == "Omar"


def test_a_redirect_goes_to_the_department_that_was_named(world: World) -> None:
    story = Story(world)
    claims = world.department("Claims")
    world.manager("Ines", claims, number="+12025550105")
    story.briefed().decides(p.DecisionKind.REDIRECT, redirect_department="claims")
    assert outcomes(story)[0] == ("Dana", Outcome.REDIRECTED)
    assert (story.attempt.manager.name, story.transfer.department, story.call.department) == (
        "Ines",
        claims,
        claims,
    )
    assert Event.objects.filter(type="call.department_changed", call_id=story.call.pk).exists()


def test_a_redirect_to_a_person_asks_only_them(world: World) -> None:
    story = Story(world, managers=("Dana", "Omar", "Noor"))
    story.briefed().decides(p.DecisionKind.REDIRECT, redirect_person="Noor")
    assert story.attempt.manager.name == "Noor"
    world.answers(story.attempt, 486)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)


@pytest.mark.parametrize(
    ("kind", "outcome"), [(p.DecisionKind.VOICEMAIL, Outcome.VOICEMAIL), (p.DecisionKind.SILENT, Outcome.SILENT)]
)
def test_a_machine_or_silence_is_passed_over(world: World, kind: p.DecisionKind, outcome: Outcome) -> None:
    story = Story(world)
    first = story.briefed()
    room = story.attempt.consult_room
    first.decides(kind, via="timer")
    assert outcomes(story)[0] == ("Dana", outcome)
    assert story.attempt.manager.name == "Omar"
    assert room not in world.rooms()


def test_the_first_decision_is_the_decision(world: World) -> None:
    story = Story(world)
    agent = story.briefed()
    agent.decides(p.DecisionKind.ACCEPT)
    agent.decides(p.DecisionKind.DECLINE)
    assert story.transfer.state == TransferState.MERGING
    agent.says(p.BridgeUp())
    assert story.transfer.state == TransferState.MERGED


def test_who_hangs_up_in_the_briefing_is_followed_by_the_next(world: World) -> None:
    story = Story(world)
    story.briefed()
    world.hangs_up(story.attempt)
    assert outcomes(story)[0] == ("Dana", Outcome.HUNG_UP)
    assert story.attempt.manager.name == "Omar"


def test_a_consultation_has_a_limit(world: World) -> None:
    story = Story(world, consultation_limit_s=60)
    agent = story.briefed()
    world.later(60)
    assert outcomes(story)[0] == ("Dana", Outcome.TIMED_OUT)
    assert agent.told()[-1].kind == "leave"


def test_a_caller_is_not_held_longer_than_the_limit(world: World) -> None:
    story = Story(world, hold_limit_s=40)
    story.briefed()
    world.later(40)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert (story.attempt.outcome, story.attempt.outcome_detail) == (Outcome.TIMED_OUT, "hold limit")
    assert story.call.caller_with == CallerWith.AI


def test_key_0_brings_the_caller_back(world: World) -> None:
    story = Story(world)
    story.escalates()
    story.support.says(p.CallerWantsBack())
    assert story.state == (TransferState.CANCELLED, EndReason.CALLER_RETURNED)
    assert story.attempt.outcome == Outcome.CANCELLED
    assert world.rooms() == {story.call.room_name}


def test_a_merge_that_does_not_come_about_gives_the_caller_back(world: World) -> None:
    story = Story(world, managers=("Dana",))
    agent = story.merging()
    world.later(10)
    assert story.attempt.outcome == Outcome.MERGE_FAILED
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert "could not connect you" in agent.told()[-1].words


def test_a_manager_who_drops_in_the_merge_is_lost(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.merging()
    world.hangs_up(story.attempt)
    assert story.attempt.outcome == Outcome.LOST
    assert story.call.caller_with == CallerWith.AI


STAGES = ("connecting", "consulting", "merging")


@pytest.mark.parametrize("stage", STAGES)
def test_a_caller_who_leaves_ends_it_and_the_manager_is_told(world: World, stage: str) -> None:
    story = Story(world)
    story.brought_to(stage)
    world.caller_leaves(story.call)
    assert story.state == (TransferState.CANCELLED, EndReason.CALLER_LEFT)
    assert story.attempt.outcome == Outcome.CANCELLED
    world.later(6)
    assert world.rooms() == set()
    assert Attempt.objects.filter(transfer=story.transfer).count() == 1


@pytest.mark.parametrize("stage", STAGES)
def test_a_supervisor_cancels_in_any_open_state(world: World, stage: str, django_user_model) -> None:  # type: ignore[no-untyped-def]
    story = Story(world)
    user = django_user_model.objects.create_user("sam")
    story.brought_to(stage)
    services.cancel(transfer_id=story.transfer.pk, user=user)
    services.cancel(transfer_id=story.transfer.pk, user=user)
    world.settle()
    assert story.state == (TransferState.CANCELLED, EndReason.SUPERVISOR_CANCELLED)
    assert story.call.caller_with == CallerWith.AI
    assert story.support.told()[-1].kind == "resume"
    world.later(6)
    assert world.rooms() == {story.call.room_name}
    assert Event.objects.filter(type="transfer.cancel_asked").count() == 1
