"""Callbacks: promised, claimed, made and closed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Call, Event
from calls.states import CallState
from calls.telephony.memory import Phone
from tests.world import Agent, Story, World
from transfers import callbacks
from transfers.models import Callback, DialRule, Manager, Transfer
from transfers.states import EndReason, TransferState

CALLER = "+12025550144"


def asks(story: Story, number: str = "", preferred: str = "tomorrow morning", key: UUID | None = None) -> str:
    """The AI asks for one; returns what it may tell the caller."""
    request = p.CallbackRequested(request_id=key or uuid4(), number=number, preferred=preferred)
    story.support.says(request)
    answer = story.support.told()[-1]
    assert (answer.kind, answer.request_id) == ("answer", request.request_id)
    return str(answer.words)


@pytest.fixture
def story(world: World) -> Story:
    made = Story(world, callback_within_min=120)
    dana = Manager.objects.get(name="Dana")
    dana.user = User.objects.create(username="dana")
    dana.save()
    return made


def claimed(story: Story) -> tuple[Callback, User]:
    asks(story)
    user = User.objects.get(username="dana")
    return callbacks.claim(callback_id=Callback.objects.get().pk, user=user), user


def test_the_promise_names_the_number_the_time_and_the_limit(story: Story) -> None:
    words = asks(story)
    assert "ends in 0 1 4 4" in words
    assert "within 2 hours" in words
    assert "tomorrow morning" in words
    callback = Callback.objects.get()
    assert (callback.number, callback.number_last4, callback.state) == (CALLER, "0144", Callback.State.OPEN)
    assert callback.due_at == story.world.at + timedelta(hours=2)
    assert callback.department == story.where


def test_the_same_request_is_one_promise(story: Story) -> None:
    key = uuid4()
    assert asks(story, key=key)
    story.support.says(p.CallbackRequested(request_id=key, preferred="tomorrow morning"))
    assert Callback.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "number"),
    [("2025550123", "+12025550123"), ("+442079460123", "+442079460123"), ("12", ""), ("911", "")],
)
def test_a_number_as_it_is_said(said: str, number: str) -> None:
    assert callbacks.callable_number(said, near="+12025550190") == number


def test_a_number_that_cannot_be_called_is_asked_for_again(story: Story) -> None:
    assert "cannot call that number" in asks(story, number="12")
    assert not Callback.objects.exists()


def test_a_browser_has_to_say_a_number(world: World, story: Story) -> None:
    story.call = world.call(story.where, kind="standard")
    story.support = Agent(world, p.Role.SUPPORT, story.call.room_name)
    assert "Which number" in asks(story)


def test_whoever_waits_in_line_may_choose_it_instead(world: World, story: Story) -> None:
    story.merged()
    for name in ("Omar",):
        Manager.objects.filter(name=name).update(active=False)
    waiting = Story(world, (), where=story.where)
    waiting.escalates()
    assert waiting.transfer.state == TransferState.QUEUED
    waiting.support.told()
    words = asks(waiting)
    assert "call you back" in words
    assert waiting.state == (TransferState.CANCELLED, EndReason.CALLBACK)
    assert Callback.objects.get().transfer == waiting.transfer
    assert not waiting.support.told()  # no second line over the AI's own


def test_a_department_may_not_offer_it(world: World) -> None:
    story = Story(world, offers_callback=False)
    assert not story.support.snapshot.offers_callback
    assert "do not call back" in asks(story)


def test_one_person_claims_it_and_the_second_is_told_who(story: Story) -> None:
    callback, _ = claimed(story)
    with pytest.raises(Refused, match="by dana"):
        callbacks.claim(callback_id=callback.pk, user=User.objects.create(username="omar"))


def test_the_claimer_s_phone_is_rung_then_the_caller_and_they_are_joined(world: World, story: Story) -> None:
    callback, user = claimed(story)
    world.caller_leaves(story.call)
    made = callbacks.call_now(callback_id=callback.pk, user=user)
    assert callbacks.call_now(callback_id=callback.pk, user=user) == made  # a double click
    world.settle()
    call = made.call
    assert (call.source, call.caller_number) == (Call.Source.CALLBACK, CALLER)
    attempt = made.attempts.get()
    assert attempt.manager.user == user
    assert [dial.to for dial in world.server.dials] == ["+12025550101"]
    agent = Agent(world, p.Role.TRANSFER, attempt.consult_room, attempt.pk)
    assert agent.snapshot.transfer
    world.answers(attempt)
    agent.decides(p.DecisionKind.ACCEPT)
    assert [dial.to for dial in world.server.dials] == ["+12025550101", CALLER]
    made.refresh_from_db()
    assert made.state == TransferState.MERGING
    support = Agent(world, p.Role.SUPPORT, call.room_name)
    assert support.snapshot.opening.startswith("Hello, this is the call back from Billing")
    agent.says(p.BridgeUp())
    made.refresh_from_db()
    assert made.state == TransferState.MERGED
    legs_left(world, call)
    callback.refresh_from_db()
    assert (callback.state, callback.tries) == (Callback.State.CLAIMED, 1)
    callbacks.finish(callback_id=callback.pk, user=user, result="reached", note="refund agreed")
    callback.refresh_from_db()
    assert (callback.state, callback.result) == (Callback.State.DONE, "reached")
    assert Event.objects.filter(type="callback.moved", facts__to_state="done").exists()


def legs_left(world: World, call: Call) -> None:
    """The caller hangs up."""
    from calls.services import legs

    identity = f"caller-{call.pk}"
    world.server.leave(call.room_name, identity)
    legs.participant_left(call.room_name, identity=identity, reason="client_initiated")
    world.settle()


def test_a_caller_who_does_not_answer_leaves_it_claimed_for_another_try(world: World, story: Story) -> None:
    callback, user = claimed(story)
    world.server.phones[CALLER] = Phone(status=480)
    made = callbacks.call_now(callback_id=callback.pk, user=user)
    world.settle()
    attempt = made.attempts.get()
    agent = Agent(world, p.Role.TRANSFER, attempt.consult_room, attempt.pk)
    world.answers(attempt)
    agent.decides(p.DecisionKind.ACCEPT)
    made.refresh_from_db()
    assert (made.state, made.end_reason) == (TransferState.FAILED, EndReason.CALLER_UNREACHED)
    assert agent.told()[-1].words == "They did not answer. Thank you, goodbye."
    made.call.refresh_from_db()
    assert made.call.state == CallState.INACTIVE
    callback.refresh_from_db()
    assert callback.state == Callback.State.CLAIMED


def test_a_caller_whose_number_the_dialling_rules_refuse_is_not_called(world: World, story: Story) -> None:
    callback, user = claimed(story)
    DialRule.objects.create(prefix="+12025550101")  # Dana's
    made = callbacks.call_now(callback_id=callback.pk, user=user)
    world.settle()
    attempt = made.attempts.get()
    agent = Agent(world, p.Role.TRANSFER, attempt.consult_room, attempt.pk)
    world.answers(attempt)
    agent.decides(p.DecisionKind.ACCEPT)
    made.refresh_from_db()
    assert (made.state, made.end_reason) == (TransferState.FAILED, EndReason.CALLER_UNREACHED)
    assert [dial.to for dial in world.server.dials] == ["+12025550101"]


def test_a_claimer_who_does_not_pick_up_may_try_again_and_no_call_stays_open(world: World, story: Story) -> None:
    """Its caller was not rung yet, so nobody hangs up."""
    callback, user = claimed(story)
    made = callbacks.call_now(callback_id=callback.pk, user=user)
    world.settle()
    world.answers(made.attempts.get(), 486)
    made.refresh_from_db()
    assert (made.state, made.end_reason) == (TransferState.FAILED, EndReason.NO_MANAGER)
    made.call.refresh_from_db()
    assert (made.call.state, made.call.end_reason) == (CallState.INACTIVE, EndReason.NO_MANAGER)
    assert made.call.room_name not in world.rooms()
    callback.refresh_from_db()
    assert callback.state == Callback.State.CLAIMED
    assert callbacks.call_now(callback_id=callback.pk, user=user) != made


def test_a_claimer_without_a_phone_on_the_roster_is_told_so(story: Story) -> None:
    asks(story)
    user = User.objects.create(username="priya")
    callback = callbacks.claim(callback_id=Callback.objects.get().pk, user=user)
    with pytest.raises(Refused, match="no phone of yours"):
        callbacks.call_now(callback_id=callback.pk, user=user)
    assert Transfer.objects.count() == 0
