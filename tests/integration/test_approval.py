"""A request of the AI waits for a person, as long as there is one who may say yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from calls import presence
from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Department, Event, OpenPage, Owner, OwnerRole
from calls.roles import Role
from calls.states import CallerWith
from tests.people import account
from tests.world import Story, World
from transfers import services
from transfers.models import BriefingVersion, Policy
from transfers.states import EndReason, TransferState

APPROVE: dict[str, Any] = {"approval": Policy.Approval.APPROVE, "approval_limit_s": 60}


def web(world: World) -> Owner:
    """A web process that has been there for a while."""
    made = Owner.objects.create(role=OwnerRole.WEB, host="here", pid=2, beat_at=world.at)
    Owner.objects.filter(pk=made.pk).update(started_at=world.at - timedelta(minutes=1))
    return made


def open_page(user: Any) -> None:
    presence.page_open(uuid4(), user.pk)


def pass_time(world: World, web: Owner, seconds: float) -> None:
    Owner.objects.filter(pk=web.pk).update(beat_at=world.at + timedelta(seconds=seconds))
    world.later(seconds)


def asked(story: Story) -> None:
    story.support.says(p.TransferRequested(request_id=uuid4(), reason="wants a person", department="Billing"))


def test_a_request_waits_with_the_ai_and_is_dialled_when_approved(world: World) -> None:
    story = Story(world, **APPROVE)
    user = account(Role.SUPERVISOR, story.where)
    asked(story)
    assert (story.transfer.state, story.call.caller_with) == (TransferState.REQUESTED, CallerWith.AI)
    services.approve(transfer_id=story.transfer.pk, user=user)
    services.approve(transfer_id=story.transfer.pk, user=user)
    world.settle()
    assert story.transfer.state == TransferState.CONNECTING
    assert len(world.server.dials) == 1
    assert Event.objects.filter(type="transfer.decided").count() == 1


def test_a_refusal_s_reason_is_what_the_ai_says(world: World) -> None:
    story = Story(world, **APPROVE)
    user = account(Role.SUPERVISOR, story.where)
    asked(story)
    services.decline(transfer_id=story.transfer.pk, user=user, reason="Ask for the order number first.")
    world.settle()
    assert story.state == (TransferState.REJECTED, EndReason.NOT_APPROVED)
    *_, resume = story.support.told()
    assert "Ask for the order number first" in resume.words


def test_the_second_of_two_supervisors_is_told_who_was_first(world: World) -> None:
    story = Story(world, **APPROVE)
    first, second = (account(Role.SUPERVISOR, story.where, name=name) for name in ("sam", "kim"))
    asked(story)
    services.decline(transfer_id=story.transfer.pk, user=first, reason="")
    with pytest.raises(Refused):
        services.approve(transfer_id=story.transfer.pk, user=second)
    world.settle()
    with pytest.raises(Refused, match=r"sam was first"):
        services.approve(transfer_id=story.transfer.pk, user=second)
    assert world.server.dials == []


def test_what_a_person_edited_is_what_is_spoken_and_no_draft_replaces_it(world: World) -> None:
    story = Story(world, **APPROVE)
    user = account(Role.SUPERVISOR, story.where)
    asked(story)
    services.edit_briefing(transfer_id=story.transfer.pk, user=user, text=" Charged   twice, very upset. ")
    story.support.says(p.BriefingDrafted(transfer_id=story.transfer.pk, text="The AI's own words."))
    assert story.transfer.briefing == "Charged twice, very upset."
    authors = list(BriefingVersion.objects.values_list("author", flat=True))
    assert authors == ["extraction", "person"]
    services.approve(transfer_id=story.transfer.pk, user=user)
    world.settle()
    agent = story.agent()
    assert agent.snapshot.transfer
    assert agent.snapshot.transfer.briefing == "Charged twice, very upset."
    services.edit_briefing(transfer_id=story.transfer.pk, user=user, text="Shorter.")
    assert [d.text for d in agent.told() if d.kind == "brief"] == ["Shorter."]


def test_a_model_s_draft_says_nothing_that_may_not_be_said_and_not_too_much(world: World) -> None:
    story = Story(world, **APPROVE)
    story.support.says(p.FactLearned(key="callback", value="after 1715"))
    asked(story)
    story.support.says(p.BriefingDrafted(transfer_id=story.transfer.pk, text=f"Call after 1715. {'very ' * 60}"))
    assert story.transfer.briefing.startswith("Call …. very")
    assert len(story.transfer.briefing.split()) == 45


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (APPROVE, TransferState.REJECTED),
        (APPROVE | {"at_limit": Policy.AtLimit.DIAL}, TransferState.CONNECTING),
        ({"approval": Policy.Approval.AUTO_AFTER, "auto_after_s": 60}, TransferState.CONNECTING),
    ],
)
def test_at_the_limit_the_policy_s_outcome_applies(world: World, policy: Any, state: TransferState) -> None:
    story, there = Story(world, **policy), web(world)
    user = account(Role.SUPERVISOR, story.where)
    open_page(user)
    asked(story)
    for _ in range(14):
        open_page(user)
        pass_time(world, there, 4)
    assert story.transfer.state == TransferState.REQUESTED
    open_page(user)
    pass_time(world, there, 4)
    assert story.transfer.state == state


def test_with_no_supervisor_there_the_outcome_applies_at_once(world: World) -> None:
    story = Story(world, **APPROVE)
    web(world)
    asked(story)
    assert story.state == (TransferState.REJECTED, EndReason.NOT_APPROVED)


def supervisor_of(name: str) -> Any:
    return lambda story: account(Role.SUPERVISOR, Department.objects.get_or_create(name=name)[0])


@pytest.mark.parametrize(
    ("who", "waits"),
    [
        (supervisor_of("Billing"), True),
        (supervisor_of("Claims"), False),
        (lambda story: account(Role.ADMINISTRATOR), True),
        (lambda story: account(Role.AUDITOR), False),
        (lambda story: account(Role.MANAGER), False),
    ],
)
def test_only_who_may_approve_there_counts(world: World, who: Any, waits: bool) -> None:
    story = Story(world, **APPROVE)
    web(world)
    open_page(who(story))
    asked(story)
    assert (story.transfer.state == TransferState.REQUESTED) is waits


def test_a_page_that_is_loaded_again_is_no_absence_but_a_closed_one_is(world: World) -> None:
    story, there = Story(world, **APPROVE), web(world)
    user = account(Role.SUPERVISOR, story.where)
    open_page(user)
    asked(story)
    pass_time(world, there, 8)
    assert story.transfer.state == TransferState.REQUESTED
    open_page(user)
    pass_time(world, there, 8)
    assert story.transfer.state == TransferState.REQUESTED
    pass_time(world, there, 4)
    assert story.transfer.state == TransferState.REJECTED


def test_while_the_web_is_away_somebody_is_assumed(world: World) -> None:
    story, there = Story(world, **APPROVE), web(world)
    Owner.objects.filter(pk=there.pk).update(beat_at=world.at - timedelta(seconds=5))
    asked(story)
    assert story.transfer.state == TransferState.REQUESTED


def test_what_a_person_asks_for_nobody_has_to_approve(world: World) -> None:
    story = Story(world, **APPROVE)
    story.escalates(user=account(Role.SUPERVISOR, story.where))
    assert story.transfer.state == TransferState.CONNECTING


def test_pages_long_closed_are_forgotten(world: World) -> None:
    open_page(account(Role.SUPERVISOR))
    world.at += timedelta(seconds=61)
    presence.forget_closed()
    assert not OpenPage.objects.exists()


def test_nobody_approves_a_briefing_that_they_have_not_seen(world: World) -> None:
    story = Story(world, **APPROVE)
    first, second = (account(Role.SUPERVISOR, story.where, name=name) for name in ("sam", "kim"))
    asked(story)
    seen = story.transfer.version
    services.edit_briefing(
        transfer_id=story.transfer.pk, user=first, text="Offer them a refund.", seen_version=seen
    )
    with pytest.raises(Refused, match="changed since you saw it"):
        services.approve(transfer_id=story.transfer.pk, user=second, seen_version=seen)
    world.settle()
    assert story.transfer.state == TransferState.REQUESTED
    services.approve(transfer_id=story.transfer.pk, user=second, seen_version=story.transfer.version)
    world.settle()
    assert story.transfer.state == TransferState.CONNECTING


def test_two_people_do_not_overwrite_each_other_s_briefing(world: World) -> None:
    story = Story(world, **APPROVE)
    first, second = (account(Role.SUPERVISOR, story.where, name=name) for name in ("sam", "kim"))
    asked(story)
    seen = story.transfer.version
    services.edit_briefing(
        transfer_id=story.transfer.pk, user=first, text="Offer them a refund.", seen_version=seen
    )
    with pytest.raises(Refused, match="sam has edited the briefing"):
        services.edit_briefing(transfer_id=story.transfer.pk, user=second, text="Do not.", seen_version=seen)
    services.edit_briefing(transfer_id=story.transfer.pk, user=first, text="Or a voucher.", seen_version=seen)
    assert story.transfer.briefing == "Or a voucher."


def test_a_supervisor_may_choose_somebody_else_before_anybody_is_rung(world: World) -> None:
    story = Story(world, managers=("Dana", "Omar"), **APPROVE)
    user = account(Role.SUPERVISOR, story.where)
    asked(story)
    omar = story.people["Omar"]
    services.choose(transfer_id=story.transfer.pk, user=user, department=story.where, person=omar)
    services.choose(transfer_id=story.transfer.pk, user=user, department=story.where, person=omar)
    assert Event.objects.filter(type="transfer.target_chosen").count() == 1
    services.approve(transfer_id=story.transfer.pk, user=user)
    world.settle()
    assert story.attempt.manager == omar
    with pytest.raises(Refused, match="Ringing"):
        services.choose(transfer_id=story.transfer.pk, user=user, department=story.where)
