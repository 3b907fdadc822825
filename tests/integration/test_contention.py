"""Many at once, on real threads and connections: one open transfer a call, one open attempt a manager."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import connections

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Effect, Event, Leg
from calls.seals import seal_events
from calls.services import legs, watch
from tests.integration.test_events import broken_links
from tests.world import Story, World
from transfers import attempt_facts, requests, services, tasks
from transfers.advance import advance
from transfers.models import Attempt, Decision, Transfer
from transfers.states import OPEN_ATTEMPT, AttemptState, TransferState


def at_once(world: World, doings: Sequence[Callable[[], object]]) -> list[object]:
    """Each in a thread of its own, from one start; what each returned or raised."""
    start = threading.Barrier(len(doings))

    def one(do: Callable[[], object]) -> object:
        try:
            start.wait()
            return do()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(one, doings))


def unexpected(results: Sequence[object]) -> list[object]:
    return [r for r in results if isinstance(r, Exception) and not isinstance(r, Refused)]


def request(story: Story, key: UUID | None = None, user: User | None = None) -> Callable[[], object]:
    return lambda: requests.request_transfer(call_id=story.call.pk, key=key or uuid4(), reason="now", user=user)


def test_of_forty_who_escalate_one_call_one_succeeds(world: World) -> None:
    story = Story(world)
    results = at_once(world, [request(story) for _ in range(40)])
    assert unexpected(results) == []
    assert sum(isinstance(r, Transfer) for r in results) == 1
    assert Transfer.objects.count() == 1


def test_one_request_that_comes_twenty_times_is_one(world: World) -> None:
    story, key = Story(world), uuid4()
    results = at_once(world, [request(story, key) for _ in range(20)])
    assert {r.pk for r in results if isinstance(r, Transfer)} == {Transfer.objects.get().pk}
    assert unexpected(results) == []


def test_one_manager_is_reserved_for_one_of_twenty_calls(world: World) -> None:
    story = Story(world, managers=("Dana",))
    ids = [request_of(world, story).pk for _ in range(20)]
    results = at_once(world, [lambda id=id: advance(id) for id in ids])  # type: ignore[misc]
    assert unexpected(results) == []
    assert Attempt.objects.filter(state__in=OPEN_ATTEMPT).count() == 1
    states = list(Transfer.objects.values_list("state", flat=True))
    assert (states.count(TransferState.CONNECTING), states.count(TransferState.QUEUED)) == (1, 19)


def request_of(world: World, story: Story) -> Transfer:
    call = world.call(story.where)
    return requests.request_transfer(call_id=call.pk, key=uuid4(), reason="now")


def test_a_transfer_that_many_advance_at_once_is_advanced_once(world: World) -> None:
    story = Story(world)
    made = requests.request_transfer(call_id=story.call.pk, key=uuid4(), reason="now")
    results = at_once(world, [lambda: advance(made.pk)] * 20)
    assert unexpected(results) == []
    assert (Attempt.objects.count(), Effect.objects.filter(kind="dial").count()) == (1, 1)
    assert Event.objects.filter(type="attempt.reserved").count() == 1


def test_a_double_click_on_approve_and_decline_has_one_effect(world: World) -> None:
    story = Story(world, approval="approve")
    users = [User.objects.create_user(f"u{n}") for n in range(10)]
    made = requests.request_transfer(call_id=story.call.pk, key=uuid4(), reason="now")
    doings: list[Callable[[], object]] = []
    for user in users:
        doings.append(lambda user=user: services.approve(transfer_id=made.pk, user=user))  # type: ignore[misc]
        doings.append(lambda user=user: services.decline(transfer_id=made.pk, user=user, reason=""))  # type: ignore[misc]
    assert unexpected(at_once(world, doings)) == []
    assert Event.objects.filter(type="transfer.decided").count() == 1


def test_of_many_decisions_of_one_manager_the_first_is_kept(world: World) -> None:
    story = Story(world)
    story.briefed()
    attempt = story.attempt

    def decide(kind: p.DecisionKind) -> Callable[[], object]:
        body = p.ManagerDecision(decision=kind, via="key")
        return lambda: (
            attempt_facts.decide(Attempt.objects.select_related("transfer").get(pk=attempt.pk), body).kind
        )

    results = at_once(world, [decide(kind) for kind in list(p.DecisionKind) * 4])
    assert unexpected(results) == []
    assert set(results) == {Decision.objects.get().kind}


def test_facts_that_come_from_everywhere_at_once_do_not_block_each_other(world: World) -> None:
    """The dial's answer, the leg's status by webhook and by listing, and advance, twice over: no deadlock."""
    story = Story(world)
    story.escalates()
    attempt = story.attempt
    sid = next(
        one.sid
        for one in world.run(world.server.list_participants(attempt.consult_room))
        if one.identity == attempt.manager_identity
    )
    world.rings(attempt)
    room = legs.RoomFact(attempt.consult_room, "RM_2", "")
    active = legs.ParticipantFact(attempt.manager_identity, sid, "sip", attributes={"sip.callStatus": "active"})

    def fresh() -> Attempt:
        return Attempt.objects.select_related("transfer__call").get(pk=attempt.pk)

    doings: list[Callable[[], object]] = [
        lambda: attempt_facts.answered(fresh()),
        lambda: legs.participant_seen(room, active),
        lambda: advance(attempt.transfer_id),
        lambda: attempt_facts.stamp(fresh(), "briefing_started_at"),
        tasks.wake_transfers,
        lambda: legs.participant_left(attempt.consult_room, participant_sid=sid, reason="client_initiated"),
    ] * 4
    assert unexpected(at_once(world, doings)) == []
    world.settle()
    assert Leg.objects.get(identity=attempt.manager_identity).left_at
    assert Event.objects.filter(type="attempt.moved", facts__to_state=AttemptState.SUMMARIZING).count() == 1


def test_two_clocks_send_one_agent(world: World) -> None:
    call = world.call(world.department())
    world.at += watch.LOOK_AGAIN
    at_once(world, [lambda: watch.check(call.pk)] * 10)
    assert Effect.objects.filter(kind="dispatch_support").count() == 1


def test_two_sealers_seal_each_event_once_and_in_order(world: World) -> None:
    story = Story(world, managers=())
    for _ in range(10):
        request_of(world, story)
    at_once(world, [lambda: seal_events(limit=7)] * 12)
    while seal_events():
        pass
    assert broken_links() == []
    assert Event.objects.filter(seal=None).count() == 0
