"""A dial is never repeated: wherever its worker dies or is stopped, it is adopted or lost, and dialled once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from calls import effects
from calls.models import Effect, Owner, OwnerRole
from calls.telephony.gateway import Permanent
from calls.telephony.memory import MemoryGateway
from tests.world import Story, World, rings
from transfers.models import Attempt, Endpoint
from transfers.states import AttemptState, Outcome, TransferState

PICKS_UP = "+12025550177"
Dying = Callable[[str], Story]  # the moment of the worker's death, named


class Killed(BaseException):
    """The process is gone: nothing after this line happens."""


@pytest.fixture
def dying_at(world: World, monkeypatch: pytest.MonkeyPatch) -> Dying:
    return lambda moment: _dying_at(world, moment, monkeypatch)


def _dying_at(world: World, moment: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A story whose worker dies at that moment of the dial."""
    story = Story(world)
    victim = Owner.objects.create(role=OwnerRole.WORKER, host="there", pid=2, beat_at=world.at)

    async def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    async def dial(server: MemoryGateway, effect: Effect) -> None:
        if moment == "before the request":
            return
        if moment == "before the post":
            monkeypatch.setattr(server, "dial", killed)
            await effects.perform(effect, server)
        elif moment == "while it rings":
            task = asyncio.create_task(effects.perform(effect, server))
            await rings(server)
            monkeypatch.setattr(effects, "_settle", lambda *_, **__: None)
            task.cancel()
            await asyncio.wait([task])
            leg = effect.subject_id
            server.join(f"consult-{leg}", f"manager-{leg}", kind="sip", attributes={"sip.callStatus": "ringing"})
        else:
            monkeypatch.setattr(effects, "_settle", lambda *_, **__: None)
            await effects.perform(effect, server)

    if moment == "after the answer":
        Endpoint.objects.filter(manager=story.people["Dana"]).update(address=PICKS_UP)
    story.escalates_quietly()
    claimed = effects.claim(Effect.objects.get(kind="dial").pk, owner=victim)
    assert claimed
    with contextlib.suppress(Killed):
        world.run(dial(world.server, claimed))
    monkeypatch.undo()
    world.at += timedelta(seconds=2)
    return story


def clock(world: World) -> None:
    effects.release_stale()
    world.settle()


def dialled(story: Story) -> list[str]:
    return [one.to for one in story.world.server.dials]


def test_who_died_before_anything_was_asked_is_followed_by_another(world: World, dying_at: Dying) -> None:
    story = dying_at("before the request")
    clock(world)
    assert story.attempt.state == AttemptState.DIALING
    assert dialled(story) == ["+12025550101"]


def test_who_died_before_the_post_dialled_nobody_and_the_next_is_tried(world: World, dying_at: Dying) -> None:
    story = dying_at("before the post")
    first = story.attempt
    clock(world)
    assert Attempt.objects.get(pk=first.pk).state == AttemptState.DIALING
    world.at += timedelta(seconds=1)
    clock(world)
    first.refresh_from_db()
    assert first.outcome == Outcome.LOST
    assert (story.attempt.manager.name, dialled(story)) == ("Omar", ["+12025550102"])


def test_who_died_while_it_rang_is_adopted_and_dialled_once(world: World, dying_at: Dying) -> None:
    story = dying_at("while it rings")
    attempt = story.attempt
    clock(world)
    clock(world)
    assert story.attempt.state == AttemptState.RINGING
    world.server.set_attributes(attempt.consult_room, attempt.manager_identity, callStatus="active")
    world.later(1)
    assert story.transfer.state == TransferState.CONSULTING
    assert dialled(story) == ["+12025550101"]


def test_who_died_after_the_answer_is_adopted_and_dialled_once(world: World, dying_at: Dying) -> None:
    story = dying_at("after the answer")
    clock(world)
    clock(world)
    assert story.transfer.state == TransferState.CONSULTING
    assert dialled(story) == [PICKS_UP]


def test_an_adopted_leg_is_looked_after_though_the_server_fails_for_a_while(world: World, dying_at: Dying) -> None:
    story = dying_at("while it rings")
    attempt = story.attempt
    clock(world)
    story.agent()
    for _ in range(8):
        world.later(1)
    world.server.fail("list_participants", Permanent("no"), times=2)
    world.later(1)
    world.server.set_attributes(attempt.consult_room, attempt.manager_identity, callStatus="active")
    world.later(1)
    world.later(1)
    assert story.transfer.state == TransferState.CONSULTING


def test_a_worker_that_was_stopped_before_the_post_does_not_dial_late(world: World) -> None:
    """SIGSTOP between the room and the post; the attempt is lost meanwhile, and then it wakes."""
    story = Story(world, managers=("Dana",))
    story.escalates_quietly()
    first, make_room = story.attempt, world.server.create_room

    async def stopped(*args: Any, **kwargs: Any) -> Any:
        made = await make_room(*args, **kwargs)
        await effects.in_thread(lambda: Owner.objects.update(beat_at=world.at - timedelta(seconds=5)))
        await effects.in_thread(effects.release_stale)
        return made

    world.server.create_room = stopped  # type: ignore[method-assign]
    world.settle()
    first.refresh_from_db()
    assert (first.outcome, dialled(story)) == (Outcome.LOST, [])


def test_a_dial_whose_transfer_was_cancelled_before_the_post_is_not_posted(world: World) -> None:
    story = Story(world)
    story.escalates_quietly()
    make_room = world.server.create_room

    async def cancelled(*args: Any, **kwargs: Any) -> Any:
        made = await make_room(*args, **kwargs)
        await effects.in_thread(lambda: world.cancel(story.transfer.pk))
        return made

    world.server.create_room = cancelled  # type: ignore[method-assign]
    world.settle()
    assert (story.transfer.state, dialled(story)) == (TransferState.CANCELLED, [])
    assert world.rooms() == {story.call.room_name}


def test_who_answers_after_all_was_cancelled_is_hung_up(world: World) -> None:
    story = Story(world)
    story.escalates()
    attempt = story.attempt
    delete = world.server.delete_room

    async def too_early(room: str) -> None:
        """The room is closed before the leg is in it."""

    world.server.delete_room = too_early  # type: ignore[method-assign]
    world.cancel(story.transfer.pk)
    world.settle()
    world.server.delete_room = delete  # type: ignore[method-assign]
    world.answers(attempt)
    assert world.rooms() == {story.call.room_name}
    assert story.attempt.outcome == Outcome.CANCELLED
