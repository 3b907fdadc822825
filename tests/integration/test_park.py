"""Hold and resume of a caller who talks to a manager."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Event
from calls.states import CallerWith
from tests.world import Story, World
from transfers import services
from transfers.display import state_display
from transfers.states import EndReason, TransferState


@pytest.fixture
def sam(db) -> User:
    return User.objects.create(username="sam")


def test_a_joined_caller_is_held_with_music_and_the_line_carries_nothing(world: World, sam: User) -> None:
    story = Story(world)
    agent = story.merged()
    story.support.told(), agent.told()
    for _ in range(2):  # a double click
        services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)
    assert story.caller_with == CallerWith.HOLD
    assert [body.kind for body in story.support.told()] == ["hold"]
    assert [(body.kind, body.on) for body in agent.told()] == [("carry", False)]
    services.park(transfer_id=story.transfer.pk, user=sam, on_hold=False)
    (merge,) = story.support.told()
    assert (merge.kind, merge.introduction) == ("merge", "")
    assert [(body.kind, body.on) for body in agent.told()] == [("carry", True)]
    assert story.caller_with == CallerWith.MANAGER
    assert [e.facts["on_hold"] for e in Event.objects.filter(type="transfer.parked").order_by("seq")] == [
        True,
        False,
    ]


def test_a_held_caller_is_never_forgotten(world: World, sam: User) -> None:
    story = Story(world, hold_limit_s=60)
    story.merged()
    services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)
    world.later(59)
    held = story.transfer
    assert held.parked_at
    shown = state_display(held.call, held, held.attempts.get())
    assert (shown.role, shown.since) == ("hold", held.parked_at)
    world.later(1)
    assert story.transfer.parked_at is None
    assert story.caller_with == CallerWith.MANAGER


def test_a_manager_who_hangs_up_meanwhile_leaves_the_caller_with_the_ai(world: World, sam: User) -> None:
    story = Story(world)
    story.merged()
    world.later(20)
    services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)
    world.hangs_up(story.attempt)
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert story.caller_with == CallerWith.AI


def test_only_a_joined_caller_can_be_held(world: World, sam: User) -> None:
    story = Story(world)
    story.escalates()
    with pytest.raises(Refused):
        services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)


def test_without_a_bridge_neither_is_sent_the_other_s_voice(world: World, sam: User, settings) -> None:
    settings.MERGE_STRATEGY, world.server.can_move = "move", True
    story = Story(world)
    story.merging()
    assert story.transfer.state == TransferState.MERGED
    room = world.server._rooms[story.call.room_name]
    services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)
    world.settle()
    assert set(room.unheard) == {"caller-1", story.attempt.manager_identity}
    assert p.CallerWith(story.transfer.call.caller_with) == p.CallerWith.HOLD


def test_nobody_else_is_asked_for_while_a_joined_caller_is_held(world: World, sam: User) -> None:
    story = Story(world)
    story.merged()
    services.park(transfer_id=story.transfer.pk, user=sam, on_hold=True)
    with pytest.raises(Refused, match="already talking to a manager"):
        story.escalates()
