"""Cold transfers: the caller is told, their carrier is asked, and what it said is what is recorded."""

from __future__ import annotations

from uuid import uuid4

import pytest

from calls.agents import protocol as p
from calls.errors import Refused
from calls.states import CallState
from calls.telephony.gateway import Permanent, Uncertain
from tests.world import Story, World
from transfers import requests
from transfers.models import Transfer
from transfers.states import EndReason, TransferState


def cold(story: Story) -> None:
    requests.request_transfer(
        call_id=story.call.pk, key=uuid4(), reason="wants Dana's mobile", kind=Transfer.Kind.COLD
    )
    story.world.settle()


def says_goodbye(story: Story) -> None:
    """The agent has spoken its line."""
    downs = list(story.support.job.directives.order_by("seq"))
    story.support.says(p.DirectiveDone(directive_id=downs[-1].pk))


def test_the_caller_is_told_first_then_their_carrier_is_asked(world: World) -> None:
    story = Story(world)
    cold(story)
    (say,) = story.support.told()
    assert (say.kind, say.interruptible) == ("say", False)
    assert world.server.transfers == []
    says_goodbye(story)
    assert world.server.transfers == [(story.call.room_name, "caller-1", "tel:+12025550101")]
    assert story.state == (TransferState.COMPLETED, EndReason.COLD_COMPLETED)
    assert (story.call.state, story.call.end_reason) == (CallState.INACTIVE, "cold_completed")


def test_an_agent_that_does_not_say_it_holds_nothing_up(world: World) -> None:
    story = Story(world)
    cold(story)
    world.later(8)
    assert story.transfer.end_reason == EndReason.COLD_COMPLETED


def test_a_carrier_that_refuses_leaves_the_caller_with_the_ai(world: World) -> None:
    story = Story(world)
    world.server.fail("transfer_sip", Permanent("no", code="refused", sip_status=403))
    cold(story)
    says_goodbye(story)
    assert story.state == (TransferState.FAILED, EndReason.ERROR)
    assert story.call.state == CallState.ACTIVE
    assert story.support.told()[-1].words.startswith("I am sorry, something went wrong")


def test_no_answer_is_recorded_as_not_confirmed(world: World) -> None:
    story = Story(world)
    world.server.fail("transfer_sip", Uncertain("lost"), late=True)
    cold(story)
    says_goodbye(story)
    assert story.state == (TransferState.COMPLETED, EndReason.COLD_UNCONFIRMED)


def test_a_caller_who_leaves_while_it_is_asked_is_no_cancelled_transfer(world: World) -> None:
    story = Story(world)
    cold(story)
    Transfer.objects.filter(pk=story.transfer.pk).update(refer_asked_at=world.at)
    world.caller_leaves(story.call)
    assert story.transfer.state == TransferState.CONNECTING
    world.later(30)
    assert story.state == (TransferState.COMPLETED, EndReason.COLD_UNCONFIRMED)


def test_it_is_not_offered_to_a_browser(world: World) -> None:
    story = Story(world)
    story.call = world.call(story.where, kind="standard")
    with pytest.raises(Refused, match="not on a telephone"):
        cold(story)
    assert not Transfer.objects.filter(call=story.call).exists()


@pytest.mark.parametrize(("allowed", "kind"), [(True, "cold"), (False, "warm")])
def test_the_ai_may_only_where_the_department_allows_it(world: World, allowed: bool, kind: str) -> None:
    story = Story(world, ai_may_refer=allowed)
    assert story.support.snapshot.may_refer == allowed
    story.support.says(p.TransferRequested(request_id=uuid4(), reason="now", cold=True))
    assert story.transfer.kind == kind


def test_a_supervisor_can_stop_it_before_the_carrier_is_asked(world: World) -> None:
    story = Story(world)
    cold(story)
    world.cancel(story.transfer.pk)
    assert story.state == (TransferState.CANCELLED, EndReason.SUPERVISOR_CANCELLED)
    world.later(10)
    assert world.server.transfers == []
