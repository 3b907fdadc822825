"""Dialling rules in force: before every dial, in the administration, and for whom a program names."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from calls.errors import Refused
from tests.world import Story, World
from transfers import dial_rules, rings
from transfers.models import Attempt, Dialled, DialRule, Endpoint, Ring, Trunk
from transfers.states import AttemptState, Outcome

DANA, OMAR = "+12025550101", "+12025550102"


def outcomes() -> list[tuple[str, str, str]]:
    rows = Attempt.objects.order_by("pk").values_list("manager__name", "outcome", "outcome_detail")
    return list(rows)


def test_a_number_that_no_rule_allows_any_more_is_passed_over_and_never_dialled(world: World) -> None:
    story = Story(world)
    DialRule.objects.create(prefix=OMAR)
    story.escalates()
    assert outcomes()[0] == ("Dana", Outcome.NOT_ALLOWED, "no dialling rule allows it")
    assert story.attempt.manager == story.people["Omar"]
    assert story.attempt.state == AttemptState.DIALING
    assert [dial.to for dial in world.server.dials] == [OMAR]


def test_a_limit_is_for_any_hour_and_counts_every_kind_of_dial(world: World) -> None:
    story = Story(world, managers=("Dana",))
    DialRule.objects.create(prefix="+1", per_hour=2)
    user = User.objects.create(username="ada")
    for number in ("+12025550188", "+12025550189"):
        rings.ring_number(key=uuid4(), user=user, trunk=Trunk.objects.get(), number=number)
    world.settle()
    assert set(Ring.objects.values_list("outcome", flat=True)) == {rings.ANSWERED}
    third = rings.ring_number(key=uuid4(), user=user, trunk=Trunk.objects.get(), number="+12025550187")
    story.escalates()
    third.refresh_from_db()
    assert third.outcome == Outcome.NOT_ALLOWED
    assert "dialling rules refuse it" in rings.words(third)
    assert outcomes() == [("Dana", Outcome.NOT_ALLOWED, "limit of 2 calls an hour to +1")]
    assert len(world.server.dials) == 2
    world.at += timedelta(hours=1)
    assert dial_rules.admit(DANA) is None
    assert Dialled.objects.count() == 1  # the others are out of the hour, and gone


def test_an_emergency_number_in_a_row_is_not_dialled(world: World) -> None:
    """However it got there: the form does not take it."""
    story = Story(world, managers=("Dana",))
    Endpoint.objects.update(address="sip:112@pbx.example.com", kind=Endpoint.Kind.SIP_URI)
    story.escalates()
    assert outcomes() == [("Dana", Outcome.NOT_ALLOWED, "an emergency number")]
    assert world.server.dials == []


def test_a_premium_number_is_not_tried_either(world: World) -> None:
    user = User.objects.create(username="ada")
    with pytest.raises(Refused, match="premium-rate number"):
        rings.ring_number(key=uuid4(), user=user, trunk=Trunk(), number="+19005550123")
    assert not Ring.objects.exists()
