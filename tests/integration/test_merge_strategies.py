"""Joining where the server moves a leg, and where a manager's browser comes over by itself."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from calls.agents import protocol as p
from calls.models import Leg
from calls.services import legs, links
from calls.states import CallerWith
from calls.telephony.gateway import Permanent, Retryable
from tests.world import Story, World
from transfers import abandon, merge, requests, tasks
from transfers.advance import advance
from transfers.models import Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState


@pytest.fixture
def cloud(world: World, settings: Any) -> Story:
    """A story on LiveKit Cloud."""
    settings.MERGE_STRATEGY = "move"
    world.server.can_move = True
    return Story(world, managers=("Dana",))


def said_by_server(story: Story, room: str, identity: str, sid: str) -> None:
    metadata = json.dumps({"patchbay": "test", "kind": "call" if room == story.call.room_name else "consult"})
    legs.participant_seen(legs.RoomFact(room, "RM", metadata), legs.ParticipantFact(identity, sid, "sip"))


def test_a_leg_is_moved_and_its_leaving_the_consultation_is_no_hanging_up(world: World, cloud: Story) -> None:
    agent = cloud.briefed()
    attempt = cloud.attempt
    agent.decides(p.DecisionKind.ACCEPT)
    legs.participant_left(attempt.consult_room, identity=attempt.manager_identity, reason="migration")
    legs.participant_left(attempt.consult_room, identity=attempt.manager_identity, reason="client_initiated")
    world.settle()
    assert (cloud.transfer.state, cloud.call.caller_with) == (TransferState.MERGED, CallerWith.MANAGER)
    assert agent.told()[-1].kind == "leave"
    assert cloud.support.told()[-1].strategy == "move"
    said_by_server(cloud, cloud.call.room_name, attempt.manager_identity, "PA_moved")
    world.settle()
    assert cloud.transfer.state == TransferState.MERGED
    world.later(15)
    legs.participant_left(cloud.call.room_name, identity=attempt.manager_identity, reason="client_initiated")
    world.settle()
    assert cloud.state == (TransferState.COMPLETED, EndReason.CONNECTED)


def test_a_move_that_is_refused_gives_the_caller_back_at_once(world: World, cloud: Story) -> None:
    world.server.fail("move_participant", Permanent("no", code="unimplemented"))
    agent = cloud.merging()
    assert (cloud.attempt.outcome, cloud.attempt.outcome_detail) == (Outcome.MERGE_FAILED, "unimplemented")
    assert cloud.call.caller_with == CallerWith.AI
    assert "could not connect you" in agent.told()[-1].words


def test_a_move_whose_answer_was_lost_is_not_a_failed_one(world: World, cloud: Story) -> None:
    world.server.fail("move_participant", Retryable("broke off"), late=True)
    cloud.merging()
    world.later(0.5)
    assert cloud.transfer.state == TransferState.MERGED


def test_a_browser_that_came_over_is_joined(world: World, settings: Any) -> None:
    settings.MERGE_STRATEGY = "rejoin"
    story = Story(world)
    agent = story.merging()
    assert [body.kind for body in agent.told()] == ["merge"]
    assert story.transfer.state == TransferState.MERGING
    said_by_server(story, story.call.room_name, story.attempt.manager_identity, "PA_browser")
    legs.participant_left(story.attempt.consult_room, identity=story.attempt.manager_identity)
    world.settle()
    assert story.transfer.state == TransferState.MERGED
    assert Leg.objects.get(participant_sid="PA_browser").left_at is None


def test_one_bridge_that_cannot_carry_says_so(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.merging().says(p.BridgeDown(reason="no track"))
    assert (story.attempt.outcome, story.attempt.outcome_detail) == (Outcome.MERGE_FAILED, "no track")
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)


def test_a_merge_directive_that_failed_is_a_merge_that_failed(world: World) -> None:
    story = Story(world, managers=("Dana",))
    agent = story.merging()
    directive = agent.job.directives.get(key=f"merge:{story.attempt.pk}")
    agent.says(p.DirectiveFailed(directive_id=directive.pk, error="TimeoutError"))
    assert story.attempt.outcome == Outcome.MERGE_FAILED


def test_a_line_that_breaks_after_the_merge_ends_nothing_and_is_taken_up_by_another(world: World) -> None:
    story = Story(world)
    carrier = story.merged()
    carrier.says(p.BridgeDown(reason="duplicate_identity"))
    assert (story.transfer.state, story.attempt.merge_error) == (TransferState.MERGED, "")
    assert not links.seen(carrier.job_id, carrier.epoch)  # it is told to go
    (sent,) = world.run(world.server.list_dispatch(story.attempt.consult_room))
    assert json.loads(sent.metadata)["role"] == "bridge"


@pytest.mark.parametrize(
    ("url", "forced", "strategy"),
    [
        ("wss://x.livekit.cloud", "auto", "move"),
        ("wss://livekit.cloud.example.com", "auto", "relay"),
        ("ws://127.0.0.1:7880", "auto", "relay"),
        ("ws://127.0.0.1:7880", "move", "move"),
    ],
)
def test_the_server_s_host_or_the_setting_chooses(settings: Any, url: str, forced: str, strategy: str) -> None:
    settings.LIVEKIT_URL, settings.MERGE_STRATEGY = url, forced
    assert merge.why().startswith(strategy)
    assert forced != "auto" or merge.sip_strategy() == strategy


# ── whatever fails ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", ["connecting", "consulting", "merging"])
def test_a_fault_of_ours_gives_the_caller_back(world: World, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    story = Story(world)
    story.brought_to(stage)

    def broken(transfer_id: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(abandon, "advance", broken)
    for _ in range(3):
        assert story.transfer.is_open
        abandon.advance_or_abandon(story.transfer.pk)
        world.at += abandon.TRY_AGAIN_AFTER
    monkeypatch.undo()
    world.settle()
    assert story.state == (TransferState.FAILED, EndReason.ERROR)
    assert (story.attempt.state, story.call.caller_with) == (AttemptState.FAILED, CallerWith.AI)
    assert story.support.told()[-1].kind == "resume"
    assert world.rooms() == {story.call.room_name}


def test_one_transfer_that_cannot_be_advanced_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = Story(world, managers=("Dana",))
    sick.escalates_quietly()
    reached: list[Any] = []

    def one_is_broken(transfer_id: Any) -> None:
        reached.append(transfer_id)
        if transfer_id == sick.transfer.pk:
            raise ZeroDivisionError
        advance(transfer_id)

    monkeypatch.setattr(abandon, "advance", one_is_broken)
    requests.request_transfer(call_id=world.call(sick.where).pk, key=uuid4(), reason="now")
    Transfer.objects.filter(pk=sick.transfer.pk).update(wake_at=world.at)
    tasks.wake_transfers()
    assert len(reached) == 2
