"""What follows a merge: a goodbye, a line that was cut, and what a manager asks for by key."""

from __future__ import annotations

import pytest

from calls.agents import protocol as p
from calls.models import Call
from calls.states import CallerWith
from tests.world import Story, World
from transfers.models import Attempt, Policy, Transfer
from transfers.states import AttemptState, EndReason, TransferState


def names(story: Story) -> list[str]:
    """Who was called, in order, in all transfers of the call."""
    attempts = Attempt.objects.filter(transfer__call=story.call).order_by("reserved_at", "pk")
    return [attempt.manager.name for attempt in attempts]


def test_after_a_talk_the_ai_asks_whether_there_is_anything_else(world: World) -> None:
    story = Story(world)
    story.merged()
    world.later(15)
    story.support.told()
    world.hangs_up(story.attempt)
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert story.caller_with == CallerWith.AI
    (resume,) = story.support.told()
    assert resume.asks_whether_done
    assert resume.words == "My colleague has left the call. Is there anything else I can do for you?"
    assert resume.snapshot.caller_with == p.CallerWith.AI
    story.support.says(p.CallerSaidGoodbye())
    world.later(1)
    assert world.rooms() == set()


def test_a_department_may_end_the_call_at_once(world: World) -> None:
    story = Story(world, after_hang_up=Policy.AfterHangUp.END)
    story.merged()
    world.later(15)
    world.hangs_up(story.attempt)
    story.call.refresh_from_db()
    assert story.call.end_reason == "manager_left"


@pytest.mark.parametrize(
    ("talked_s", "reason"), [(3, "client_initiated"), (60, "connection_timeout"), (60, "media_failure")]
)
def test_a_cut_line_is_called_again_once_while_the_ai_keeps_the_caller_company(
    world: World, talked_s: float, reason: str
) -> None:
    story = Story(world)
    story.merged()
    world.later(talked_s)
    story.support.told()
    world.hangs_up(story.attempt, reason)
    assert names(story) == ["Dana", "Dana"]
    assert story.caller_with == CallerWith.AI
    assert story.transfer.follows == Transfer.objects.order_by("requested_at").first()
    (resume,) = story.support.told()
    assert (resume.kind, "was cut" in resume.words, resume.asks_whether_done) == ("resume", True, False)
    again = story.agent()
    world.answers(story.attempt)
    again.decides(p.DecisionKind.ACCEPT)
    again.says(p.BridgeUp())
    assert story.caller_with == CallerWith.MANAGER
    assert [body.kind for body in story.support.told()] == ["merge"]


def test_cut_off_again_the_next_manager_is_called(world: World) -> None:
    story = Story(world)
    for _ in range(2):
        agent = story.merged() if story.caller_with == CallerWith.AI and not names(story) else story.agent()
        if story.attempt.state != AttemptState.MERGED:
            world.answers(story.attempt)
            agent.decides(p.DecisionKind.ACCEPT)
            agent.says(p.BridgeUp())
        world.hangs_up(story.attempt, "connection_timeout")
    assert names(story) == ["Dana", "Dana", "Omar"]
    assert "cut again" in story.support.told()[-1].words


def test_who_cannot_be_reached_again_is_followed_by_the_next(world: World) -> None:
    story = Story(world)
    story.merged()
    world.hangs_up(story.attempt, "connection_timeout")
    world.answers(story.attempt, 486)
    assert names(story) == ["Dana", "Dana", "Omar"]
    world.answers(story.attempt, 486)
    assert story.state == (TransferState.FAILED, EndReason.NO_MANAGER)
    assert story.caller_with == CallerWith.AI


def test_star_zero_gives_the_caller_back_with_the_whole_conversation(world: World) -> None:
    story = Story(world)
    agent = story.merged()
    story.support.utters(p.Speaker.CALLER, "And my address is wrong, too.", after_merge=True)
    story.support.told()
    agent.says(p.HandedOver(to="back"), p.HandedOver(to="another"))  # the first one counts
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert (story.caller_with, names(story)) == (CallerWith.AI, ["Dana"])
    (resume,) = story.support.told()
    assert resume.words == "You are back with me. How can I go on helping you?"
    assert "my address is wrong" in " ".join(turn.text for turn in resume.snapshot.transcript)
    assert agent.told()[-1].words == "Thank you. The caller is with the AI again. Goodbye."
    world.later(6)
    assert world.rooms() == {story.call.room_name}


def test_star_one_asks_another_manager_who_hears_all_of_it(world: World) -> None:
    story = Story(world)
    agent = story.merged()
    story.support.utters(
        p.Speaker.CALLER,
        "The second invoice of the same month was wrong as well, by forty dollars.",
        after_merge=True,
    )
    agent.says(p.HandedOver(to="another"))
    assert names(story) == ["Dana", "Omar"]
    assert story.caller_with == CallerWith.HOLD
    assert "by forty dollars" in story.transfer.briefing
    assert story.transfer.approved


def test_an_agent_that_left_is_sent_again_and_says_what_they_wait_to_hear(world: World) -> None:
    story = Story(world)
    story.merged()
    story.support.dies()
    world.later(15)
    world.hangs_up(story.attempt)
    fresh = type(story.support)(world, p.Role.SUPPORT, story.call.room_name)
    assert fresh.snapshot.opening.endswith("Is there anything else I can do for you?")
    assert fresh.snapshot.asks_whether_done
    fresh.told()
    later = type(story.support)(world, p.Role.SUPPORT, story.call.room_name)
    assert later.snapshot.opening == fresh.snapshot.opening  # nobody has said it yet


def test_when_the_caller_hangs_up_nothing_follows(world: World) -> None:
    story = Story(world)
    story.merged()
    world.caller_leaves(story.call)
    assert names(story) == ["Dana"]
    assert Call.objects.get().end_reason == "caller_left"
