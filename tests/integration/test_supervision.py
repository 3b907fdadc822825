"""Supervisors in a call: a grant's life, what listening does not touch, and who is never left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Call, Effect, Event, Leg, Owner, OwnerRole, Supervision
from calls.reconcile import Reconciler
from calls.services import legs, supervision
from calls.services.supervised import CUT_OFF, GIVEN_BACK
from calls.states import SUPERVISION_TRANSITIONS, CallerWith
from calls.states import SupervisionEnd as End
from calls.states import SupervisionMode as Mode
from calls.states import SupervisionState as State
from calls.telephony.gateway import Retryable, Track
from calls.timing import now
from tests.world import Agent, Story, World
from transfers import requests, services, supervising
from transfers.models import Attempt, Transfer
from transfers.states import EndReason, TransferState


class Desk:
    """A supervisor's browser, as the server sees it."""

    def __init__(self, world: World, story: Story, name: str = "priya") -> None:
        self.world, self.story = world, story
        self.user, _ = User.objects.get_or_create(username=name)

    def clicks(self, mode: Mode, *, consultation: bool = False, key: UUID | None = None) -> Supervision:
        return supervising.start(
            call_id=self.story.call.pk,
            user=self.user,
            mode=mode,
            consultation=consultation,
            key=key or uuid4(),
        )

    def comes(self, grant: Supervision) -> Supervision:
        """Into the room that its token names; the server says so."""
        room = supervising.room_of(grant)
        one = self.world.server.join(room, grant.identity)
        metadata = next(r.metadata for r in self.world.run(self.world.server.list_rooms()) if r.name == room)
        fact = legs.ParticipantFact(grant.identity, one.sid, "standard")
        assert legs.participant_seen(legs.RoomFact(room, "RM_x", metadata), fact)
        self.world.settle()
        return Supervision.objects.get(pk=grant.pk)

    def is_in(self, mode: Mode, **fields: Any) -> Supervision:
        return self.comes(self.clicks(mode, **fields))

    def goes(self, grant: Supervision) -> None:
        for leg in Leg.objects.filter(identity=grant.identity, left_at=None):
            self.world.server.leave(leg.room_name, grant.identity)
            legs.participant_left(leg.room_name, identity=grant.identity, reason="client_initiated")
        self.world.settle()

    def later(self, seconds: float) -> None:
        """With a web process that goes on beating, where there is one."""
        self.world.at += timedelta(seconds=seconds)
        Owner.objects.filter(role=OwnerRole.WEB).update(beat_at=self.world.at)
        supervision.tick()
        self.world.settle()


def web_is_there() -> None:
    Owner.objects.create(role=OwnerRole.WEB, host="here", pid=3, started_at=now(), beat_at=now())


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


@pytest.fixture
def priya(world: World, story: Story) -> Desk:
    return Desk(world, story)


def present(world: World, room: str) -> set[str]:
    return {one.identity for one in world.run(world.server.list_participants(room))}


def happened(kind: str) -> list[dict[str, Any]]:
    return [event.facts for event in Event.objects.filter(type=kind).order_by("seq")]


def fresh(grant: Supervision) -> Supervision:
    return Supervision.objects.get(pk=grant.pk)


# ── a grant's life ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("target", State)
def test_only_what_the_table_allows_is_done(priya: Desk, source: State, target: State) -> None:
    grant = priya.clicks(Mode.LISTEN)
    Supervision.objects.filter(pk=grant.pk).update(state=source)
    grant.state = source
    assert supervision._move(grant, target) == (target in SUPERVISION_TRANSITIONS[source])


def test_of_two_who_end_it_at_once_one_does(priya: Desk) -> None:
    grant = priya.clicks(Mode.LISTEN)
    first, second = fresh(grant), fresh(grant)
    assert supervision.end(first, End.STOPPED)
    assert not supervision.end(second, End.UNUSED)
    assert [facts["reason"] for facts in happened("supervision.ended")] == ["stopped"]


def test_a_repeated_click_is_one_grant(priya: Desk) -> None:
    key = uuid4()
    assert priya.clicks(Mode.LISTEN, key=key) == priya.clicks(Mode.LISTEN, key=key)
    supervision.stop(grant_id=Supervision.objects.get().pk, user=priya.user)
    with pytest.raises(Refused, match="You have left"):
        priya.clicks(Mode.LISTEN, key=key)


def test_who_how_and_how_long_is_in_the_record(world: World, priya: Desk) -> None:
    grant = priya.is_in(Mode.LISTEN)
    world.later(42)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    told = {"grant_id": str(grant.pk), "mode": "listen"}
    assert happened("supervision.started") == [told | {"side": "call"}]
    assert happened("supervision.joined") == [told]
    assert happened("supervision.ended") == [told | {"reason": "stopped", "seconds": 42.0}]
    actors = Event.objects.filter(type__startswith="supervision.").values_list("actor_kind", "actor_id")
    assert set(actors) == {("person", str(priya.user.pk))}


def test_another_s_grant_is_not_mine_to_stop_or_use(world: World, story: Story, priya: Desk) -> None:
    omid, grant = Desk(world, story, "omid"), priya.is_in(Mode.LISTEN)
    supervision.stop(grant_id=grant.pk, user=omid.user)
    assert fresh(grant).is_open
    assert not supervision.seen(grant_id=grant.pk, user=omid.user)
    with pytest.raises(Supervision.DoesNotExist):
        supervision.renewed(grant_id=grant.pk, user=omid.user)


def test_what_one_did_before_ends_and_several_may_listen(world: World, story: Story, priya: Desk) -> None:
    omid = Desk(world, story, "omid")
    first, other = priya.is_in(Mode.LISTEN), omid.is_in(Mode.LISTEN)
    assert {first.identity, other.identity} < present(world, story.call.room_name)
    second = priya.is_in(Mode.BARGE)
    assert fresh(first).end_reason == End.REPLACED
    assert fresh(other).is_open
    world.settle()
    assert {second.identity, other.identity} == {
        one for one in present(world, story.call.room_name) if one.startswith(("listen", "supervisor"))
    }


@pytest.mark.parametrize("before", [Mode.LISTEN, Mode.BARGE])
def test_one_voice_is_not_heard_in_two_calls(world: World, story: Story, priya: Desk, before: Mode) -> None:
    """Two windows, two calls: where they only listen they may go on."""
    beside = Desk(world, Story(world, managers=(), where=story.where))
    first = priya.is_in(before)
    second = beside.is_in(Mode.TAKE_OVER)
    assert fresh(second).is_open
    assert fresh(first).is_open == (before == Mode.LISTEN)
    with pytest.raises(Refused, match="You talk to another caller, perhaps in another window"):
        priya.clicks(Mode.BARGE)
    third = priya.clicks(Mode.LISTEN)
    assert fresh(third).is_open
    assert fresh(second).is_open


@pytest.mark.parametrize("mode", Mode)
def test_a_token_that_is_not_used_is_nothing(story: Story, priya: Desk, mode: Mode) -> None:
    story.merged()
    grant = priya.clicks(mode)
    priya.later(9)
    assert fresh(grant).state == State.OPENED
    priya.later(1)
    assert fresh(grant).end_reason == End.UNUSED
    assert story.caller_with == CallerWith.MANAGER
    assert happened("supervision.ended")[-1]["seconds"] == 0


def test_who_loses_the_connection_has_five_seconds_to_be_back(priya: Desk) -> None:
    grant = priya.is_in(Mode.LISTEN)
    priya.goes(grant)
    priya.later(4)
    priya.comes(grant)
    priya.later(10)
    assert fresh(grant).is_open
    priya.goes(grant)
    priya.later(5)
    assert fresh(grant).end_reason == End.LOST


def test_the_call_s_end_ends_it(world: World, story: Story, priya: Desk) -> None:
    grant = priya.is_in(Mode.LISTEN)
    world.caller_leaves(story.call)
    assert fresh(grant).end_reason == End.CALL_ENDED
    with pytest.raises(Refused, match="has ended"):
        priya.clicks(Mode.LISTEN)


# ── listening changes nothing ────────────────────────────────────────────────────────────────────


def rows_of(story: Story) -> dict[str, Any]:
    story.call.refresh_from_db()
    return {
        "call": Call.objects.filter(pk=story.call.pk).values().get(),
        "transfers": list(Transfer.objects.values()),
        "attempts": list(Attempt.objects.values()),
        "directives": list(story.support.job.directives.values()),
    }


@pytest.mark.parametrize("stage", ["", "consulting", "merging", "merged"])
@pytest.mark.parametrize("consultation", [False, True])
def test_no_row_of_the_call_changes_because_somebody_listens(
    world: World, story: Story, priya: Desk, stage: str, consultation: bool
) -> None:
    if consultation and not stage:
        return
    if stage:
        story.brought_to(stage)
    before = rows_of(story)
    grant = priya.is_in(Mode.LISTEN, consultation=consultation)
    assert grant.state == State.JOINED
    priya.goes(grant)
    priya.comes(grant)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    priya.goes(grant)
    world.settle()
    assert rows_of(story) == before


# ── removed by the server ────────────────────────────────────────────────────────────────────────


def test_whoever_is_there_by_an_ended_grant_is_removed(world: World, story: Story, priya: Desk) -> None:
    grant = priya.is_in(Mode.LISTEN)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    world.settle()
    assert grant.identity not in present(world, story.call.room_name)
    priya.comes(grant)  # the token is good for two minutes
    assert grant.identity not in present(world, story.call.room_name)


def test_a_listing_finds_who_no_webhook_told_of(world: World, story: Story, priya: Desk) -> None:
    Owner.objects.create(role=OwnerRole.CLOCK, host="here", pid=2)
    grant = priya.clicks(Mode.LISTEN)
    stranger = f"listen-{uuid4()}"
    for identity in (grant.identity, stranger):
        world.server.join(story.call.room_name, identity)
    reconciler = Reconciler()
    world.later(1)
    reconciler.apply(world.run(reconciler.ask(world.server)))
    world.settle()
    assert fresh(grant).state == State.JOINED
    assert stranger not in present(world, story.call.room_name)
    world.server.fail("remove_participant", Retryable("not now"))
    supervision.stop(grant_id=grant.pk, user=priya.user)
    world.settle()
    assert grant.identity in present(world, story.call.room_name)
    Effect.objects.filter(kind="remove_supervisor").update(state="failed")  # even if every retry had failed
    world.later(2)
    reconciler.apply(world.run(reconciler.ask(world.server)))
    world.settle()
    assert grant.identity not in present(world, story.call.room_name)


# ── taken over, and given back ───────────────────────────────────────────────────────────────────


def test_a_click_alone_takes_nothing_over(story: Story, priya: Desk) -> None:
    priya.clicks(Mode.TAKE_OVER)
    assert story.caller_with == CallerWith.AI
    assert story.support.told() == []


def test_taken_over_and_given_back(world: World, story: Story, priya: Desk) -> None:
    grant = priya.is_in(Mode.TAKE_OVER)
    assert story.caller_with == CallerWith.SUPERVISOR
    assert story.support.told() == [p.TakeOver(identity=grant.identity)]
    world.later(3)
    story.support.utters(p.Speaker.SUPERVISOR, "I have refunded it.", after_merge=True)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    assert story.caller_with == CallerWith.AI
    (resume,) = story.support.told()
    assert (resume.words, resume.snapshot.caller_with) == (GIVEN_BACK, p.CallerWith.AI)
    assert [(turn.speaker, turn.text) for turn in resume.snapshot.transcript] == [
        (p.Speaker.SUPERVISOR, "I have refunded it.")
    ]
    assert happened("supervision.ended")[-1]["reason"] == End.GAVE_BACK
    moved = [(facts["from_with"], facts["to_with"]) for facts in happened("call.moved")]
    assert moved == [("ai", "supervisor"), ("supervisor", "ai")]


@pytest.mark.parametrize("stage", ["connecting", "consulting", "merging"])
def test_what_is_under_way_is_cancelled_and_the_ai_says_nothing(
    world: World, story: Story, priya: Desk, stage: str
) -> None:
    story.brought_to(stage)
    agent = story.agent() if stage == "connecting" else None
    story.support.told()
    grant = priya.is_in(Mode.TAKE_OVER)
    assert story.state == (TransferState.CANCELLED, EndReason.TAKEN_OVER)
    assert story.transfer.cancelled_by == priya.user
    assert story.caller_with == CallerWith.SUPERVISOR
    assert [body.kind for body in story.support.told()] == ["take_over"]
    assert agent is None or agent.told() == []  # their phone only rang: it just stops
    world.later(6)
    assert world.rooms() == {story.call.room_name}
    supervision.stop(grant_id=grant.pk, user=priya.user)
    assert [body.words for body in story.support.told()] == [GIVEN_BACK]


def test_a_manager_who_was_being_briefed_is_told(story: Story, priya: Desk) -> None:
    agent = story.briefed()
    agent.told()
    priya.is_in(Mode.TAKE_OVER)
    assert [body.words for body in agent.told()] == [
        "A supervisor is talking to the caller now. Thank you, goodbye."
    ]


def test_a_joined_manager_is_told_and_released(world: World, story: Story, priya: Desk) -> None:
    agent = story.merged()
    agent.told(), story.support.told()
    priya.is_in(Mode.TAKE_OVER)
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert story.caller_with == CallerWith.SUPERVISOR
    (leave,) = agent.told()
    assert (leave.kind, leave.words) == ("leave", "A supervisor is talking to the caller now. Thank you, goodbye.")
    assert [body.kind for body in story.support.told()] == ["take_over"]
    world.later(6)
    assert world.rooms() == {story.call.room_name}


def test_a_manager_in_the_caller_s_own_room_is_released_from_it(
    world: World, story: Story, priya: Desk, settings: Any
) -> None:
    settings.MERGE_STRATEGY, world.server.can_move = "move", True
    story.merging()
    assert story.transfer.state == TransferState.MERGED
    priya.is_in(Mode.TAKE_OVER)
    assert story.attempt.manager_identity not in present(world, story.call.room_name)
    assert story.caller_with == CallerWith.SUPERVISOR


@pytest.mark.parametrize("how", ["leaves", "is silent"])
def test_who_goes_away_gives_the_caller_back_by_itself(world: World, story: Story, priya: Desk, how: str) -> None:
    web_is_there()
    grant = priya.is_in(Mode.TAKE_OVER)
    story.support.told()
    if how == "leaves":
        priya.goes(grant)
        priya.later(5)
    else:  # the browser was killed: LiveKit has not noticed yet
        priya.later(9)
        assert fresh(grant).is_open
        priya.later(1)
    assert fresh(grant).end_reason == End.LOST
    assert story.caller_with == CallerWith.AI
    assert [body.words for body in story.support.told()] == [CUT_OFF]
    assert grant.identity not in present(world, story.call.room_name)


def test_a_browser_that_says_it_is_there_keeps_the_caller(story: Story, priya: Desk) -> None:
    web_is_there()
    grant = priya.is_in(Mode.TAKE_OVER)
    for _ in range(10):
        assert supervision.seen(grant_id=grant.pk, user=priya.user)
        priya.later(2)
    assert story.caller_with == CallerWith.SUPERVISOR


def test_a_console_that_was_away_does_not_take_the_caller_from_them(story: Story, priya: Desk) -> None:
    """Without a web process nobody can say that they are there."""
    priya.is_in(Mode.TAKE_OVER)
    priya.later(60)
    assert story.caller_with == CallerWith.SUPERVISOR


def test_an_ai_that_dies_meanwhile_is_replaced_by_a_silent_one(world: World, story: Story, priya: Desk) -> None:
    grant = priya.is_in(Mode.TAKE_OVER)
    story.support.dies()
    story.call.refresh_from_db()
    assert story.call.wake_at
    again = Agent(world, p.Role.SUPPORT, story.call.room_name)
    told = again.snapshot
    assert (told.caller_with, told.taken_over_by, told.greet) == ("supervisor", grant.identity, False)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    assert [body.words for body in again.told()] == [GIVEN_BACK]


def test_given_back_to_an_ai_that_is_not_there_the_next_one_says_so(
    world: World, story: Story, priya: Desk
) -> None:
    grant = priya.is_in(Mode.TAKE_OVER)
    story.support.dies()
    supervision.stop(grant_id=grant.pk, user=priya.user)
    again = Agent(world, p.Role.SUPPORT, story.call.room_name)
    assert again.snapshot.opening == GIVEN_BACK
    world.later(1)
    again.utters(p.Speaker.AI, GIVEN_BACK)
    assert Agent(world, p.Role.SUPPORT, story.call.room_name).snapshot.opening == ""


def test_nobody_else_speaks_in_a_call_that_was_taken_over(world: World, story: Story, priya: Desk) -> None:
    omid = Desk(world, story, "omid")
    barged = omid.is_in(Mode.BARGE)
    priya.is_in(Mode.TAKE_OVER)
    assert fresh(barged).end_reason == End.TAKEN_OVER
    for mode in (Mode.BARGE, Mode.TAKE_OVER):
        with pytest.raises(Refused, match="priya has taken this call over"):
            omid.clicks(mode)
    omid.is_in(Mode.LISTEN)
    with pytest.raises(Refused, match="Give the caller back first"):
        priya.clicks(Mode.LISTEN)
    with pytest.raises(Refused, match="A supervisor is talking"):
        requests.request_transfer(call_id=story.call.pk, key=uuid4(), reason="x")


def test_the_manager_who_gives_the_caller_back_in_that_moment_changes_nothing(story: Story, priya: Desk) -> None:
    agent = story.merged()
    priya.is_in(Mode.TAKE_OVER)
    agent.says(p.HandedOver(to="another"))
    assert story.caller_with == CallerWith.SUPERVISOR
    assert Transfer.objects.count() == 1


# ── joined in ────────────────────────────────────────────────────────────────────────────────────


def test_who_joins_in_is_named_to_the_ai_and_to_the_line(world: World, story: Story, priya: Desk) -> None:
    agent = story.merged()
    agent.told(), story.support.told()
    grant = priya.is_in(Mode.BARGE)
    on = p.Barge(identity=grant.identity, on=True)
    assert (story.support.told(), agent.told()) == ([on], [on])
    again = Agent(world, p.Role.BRIDGE, story.attempt.consult_room, story.attempt.pk)
    assert again.snapshot.barging == (grant.identity,)
    supervision.stop(grant_id=grant.pk, user=priya.user)
    off = p.Barge(identity=grant.identity, on=False)
    assert (story.support.told(), again.told()) == ([off], [off])
    assert story.caller_with == CallerWith.MANAGER


def test_a_line_that_comes_later_knows_who_joined_in_before(story: Story, priya: Desk) -> None:
    grant = priya.is_in(Mode.BARGE)
    assert story.briefed().snapshot.barging == (grant.identity,)


def test_a_whisper_is_told_to_nobody(story: Story, priya: Desk) -> None:
    agent = story.briefed()
    agent.told(), story.support.told()
    grant = priya.is_in(Mode.WHISPER)
    assert supervising.room_of(grant) == story.attempt.consult_room
    assert (agent.told(), story.support.told()) == ([], [])


def test_the_server_sends_a_whisper_to_the_manager_alone(
    world: World, story: Story, priya: Desk, settings: Any
) -> None:
    """In the caller's own room too, where nobody else may hear it."""
    settings.MERGE_STRATEGY, world.server.can_move = "move", True
    story.merging()
    listener = Desk(world, story, "omid").is_in(Mode.LISTEN)
    grant = priya.is_in(Mode.WHISPER)
    room = world.server._rooms[story.call.room_name]
    track = Track("TR_1", "audio", "microphone", False)
    room.participants[grant.identity] = replace(room.participants[grant.identity], tracks=(track,))
    supervision.speaks(grant.identity)
    world.settle()
    assert room.unheard == {"caller-1": {"TR_1"}, listener.identity: {"TR_1"}}


@pytest.mark.parametrize("mode", [Mode.LISTEN, Mode.BARGE, Mode.TAKE_OVER])
def test_what_is_no_whisper_is_kept_from_nobody(world: World, story: Story, priya: Desk, mode: Mode) -> None:
    grant = priya.is_in(mode)
    supervision.speaks(grant.identity)
    world.settle()
    assert world.server.calls["set_subscribed"] == 0


# ── on the manager's side ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", [Mode.LISTEN, Mode.WHISPER])
def test_without_a_manager_on_the_line_there_is_no_such_side(story: Story, priya: Desk, mode: Mode) -> None:
    story.escalates()
    with pytest.raises(Refused, match="No manager"):
        priya.clicks(mode, consultation=True)


@pytest.mark.parametrize("mode", [Mode.BARGE, Mode.TAKE_OVER])
def test_only_the_caller_s_side_is_joined_or_taken_over(story: Story, priya: Desk, mode: Mode) -> None:
    story.briefed()
    with pytest.raises(Refused, match="caller's side"):
        priya.clicks(mode, consultation=True)


def test_it_stays_with_a_manager_whose_audio_is_carried(story: Story, priya: Desk) -> None:
    agent = story.merging()
    grant = priya.is_in(Mode.LISTEN, consultation=True)
    agent.says(p.BridgeUp())
    assert supervising.room_of(grant) == story.attempt.consult_room


def test_it_follows_a_manager_who_goes_over_to_the_caller(
    world: World, story: Story, priya: Desk, settings: Any
) -> None:
    settings.MERGE_STRATEGY, world.server.can_move = "move", True
    agent = story.briefed()
    grant = priya.is_in(Mode.LISTEN, consultation=True)
    agent.decides(p.DecisionKind.ACCEPT)
    assert story.transfer.state == TransferState.MERGED
    assert supervising.room_of(grant) == story.call.room_name
    priya.comes(grant)
    legs.participant_left(story.attempt.consult_room, identity=grant.identity, reason="client_initiated")
    priya.later(6)
    assert fresh(grant).is_open


@pytest.mark.parametrize("mode", [Mode.LISTEN, Mode.WHISPER])
def test_it_ends_with_the_manager(world: World, story: Story, priya: Desk, mode: Mode) -> None:
    story.briefed()
    grant = priya.is_in(mode, consultation=True)
    world.hangs_up(story.attempt)
    assert fresh(grant).end_reason == End.SIDE_OVER


def test_a_parked_caller_who_is_taken_over_is_on_hold_no_more(story: Story, priya: Desk) -> None:
    story.merged()
    services.park(transfer_id=story.transfer.pk, user=priya.user, on_hold=True)
    priya.is_in(Mode.TAKE_OVER)
    assert story.caller_with == CallerWith.SUPERVISOR
    assert story.transfer.parked_at is None
