"""Facts come late, twice and out of order, and a database goes away: nothing is moved back, nothing is stuck."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from psycopg import connect
from psycopg.conninfo import make_conninfo

from calls import clock
from calls.agents import protocol as p
from calls.models import Leg
from calls.services import legs
from calls.states import CallerWith, CallState
from tests.world import Story, World
from transfers import attempt_facts, requests, tasks
from transfers.models import Attempt
from transfers.states import AttemptState, EndReason, Outcome, TransferState


def late_facts(world: World, story: Story, attempt: Attempt) -> None:
    """Everything that could still arrive of an attempt, all at once."""
    attempt = Attempt.objects.select_related("transfer__call", "manager").get(pk=attempt.pk)
    attempt_facts.ringing(attempt)
    attempt_facts.answered(attempt)
    attempt_facts.unanswered(attempt, outcome=Outcome.BUSY, sip_status=486, retryable=True)
    attempt_facts.agent_lost(attempt)
    attempt_facts.merge_failed(attempt, "late")
    for status in ("ringing", "dialing", "active", "hangup", "nonsense"):
        for leg in Leg.objects.filter(identity=attempt.manager_identity):
            legs.leg_status(leg, status)
    legs.participant_left(attempt.consult_room, identity="nobody-knows", reason="client_initiated")
    world.settle()


@pytest.mark.parametrize("stage", ["merging", "merged"])
def test_late_word_of_a_phone_that_was_answered_changes_nothing(world: World, stage: str) -> None:
    story = Story(world)
    story.brought_to(stage)
    if stage == "merging":
        attempt = Attempt.objects.select_related("transfer__call", "manager").get()
        attempt_facts.ringing(attempt)
        attempt_facts.unanswered(attempt, outcome=Outcome.BUSY, sip_status=486, retryable=True)
        world.settle()
    else:
        late_facts(world, story, story.attempt)
    assert story.transfer.state == stage
    assert (story.attempt.outcome, story.attempt.sip_status) == ("", None)


@pytest.mark.parametrize("stage", ["connecting", "consulting", "merging"])
def test_late_word_of_what_was_cancelled_changes_nothing(world: World, stage: str) -> None:
    story = Story(world)
    story.brought_to(stage)
    attempt = story.attempt
    story.support.says(p.CallerWantsBack())
    late_facts(world, story, attempt)
    world.later(60)
    late_facts(world, story, attempt)
    assert story.state == (TransferState.CANCELLED, EndReason.CALLER_RETURNED)
    assert (story.attempt.state, story.attempt.outcome) == (AttemptState.FAILED, Outcome.CANCELLED)
    assert story.call.caller_with == CallerWith.AI
    assert world.rooms() == {story.call.room_name}


def test_a_bridge_that_comes_up_after_the_caller_went_back_joins_nobody(world: World) -> None:
    story = Story(world)
    agent = story.merging()
    story.support.says(p.CallerWantsBack())
    agent.says(p.BridgeUp(), p.Heard(speaker=p.Speaker.MANAGER), p.BriefingStep(step="asked"))
    assert (story.transfer.state, story.call.caller_with) == (TransferState.CANCELLED, CallerWith.AI)
    assert agent.told()[-1].kind == "leave"


def test_a_decision_that_comes_after_the_limit_decides_nothing(world: World) -> None:
    story = Story(world, managers=("Dana",), consultation_limit_s=30)
    agent = story.briefed()
    world.later(30)
    agent.decides(p.DecisionKind.ACCEPT)
    assert (story.state, story.attempt.outcome) == (
        (TransferState.FAILED, EndReason.NO_MANAGER),
        Outcome.TIMED_OUT,
    )
    assert story.call.caller_with == CallerWith.AI


def test_a_call_room_that_is_finished_in_mid_transfer_ends_it_all(world: World) -> None:
    story = Story(world)
    story.briefed()
    legs.room_finished(story.call.room_name)
    world.settle()
    world.later(6)
    assert story.state == (TransferState.CANCELLED, EndReason.CALLER_LEFT)
    assert story.call.state == CallState.INACTIVE
    assert world.rooms() == set()


def test_a_consultation_that_is_finished_in_mid_transfer_is_a_manager_who_left(world: World) -> None:
    story = Story(world)
    story.briefed()
    legs.room_finished(story.attempt.consult_room)
    world.settle()
    assert Attempt.objects.get(nth=1).outcome == Outcome.HUNG_UP
    assert story.transfer.state == TransferState.CONNECTING


def test_a_caller_who_is_back_with_the_ai_may_ask_again(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    world.answers(story.attempt, 486)
    first = story.transfer
    assert not first.is_open
    world.at += timedelta(seconds=1)
    second = story.escalates()
    assert second.pk != first.pk
    assert story.transfer.state == TransferState.CONNECTING
    assert [body.kind for body in story.support.told()] == ["hold", "resume", "hold"]


def test_the_clock_goes_on_after_its_database_connection_broke(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_parts", [tasks.wake_transfers])  # nothing that speaks to a LiveKit
    story = Story(world)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with connect(_address(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    clock.turn(world.owner)  # this one fails, part by part
    made = requests.request_transfer(call_id=story.call.pk, key=uuid4(), reason="now")
    clock.turn(world.owner)
    made.refresh_from_db()
    assert made.state == TransferState.CONNECTING


def _address() -> str:
    wanted = ("dbname", "user", "password", "host", "port")
    known = connection.get_connection_params()
    return make_conninfo("", **{name: known[name] for name in wanted if known.get(name)})
