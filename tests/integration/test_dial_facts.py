"""A dial whose answer is lost, and a consultation that outlives its attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from calls import effects
from calls.models import Effect, EffectState, Leg, Owner, OwnerRole
from calls.telephony.gateway import Uncertain
from calls.telephony.memory import MemoryGateway, Phone
from calls.timing import clock_of
from calls.webhooks import announce_consult
from tests import rows
from transfers.models import Attempt, Trunk
from transfers.states import AttemptState, Outcome, TransferState

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    def __init__(self) -> None:
        self.at: datetime = timezone.now()
        self.server = MemoryGateway(clock=lambda: self.at)
        self.owner = Owner.objects.create(role=OwnerRole.WORKER, host="here", pid=1)

    def perform(self, kind: str, attempt: Attempt) -> None:
        """Do what is due of this kind, as a worker would."""
        for effect in Effect.objects.filter(kind=kind, subject_id=attempt.pk, state=EffectState.DUE):
            claimed = effects.claim(effect.pk, owner=self.owner)
            assert claimed
            asyncio.run(effects.perform(claimed, self.server))

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def world() -> Iterator[World]:
    one = World()
    with clock_of(lambda: one.at):
        yield one


@pytest.fixture
def attempt(world: World) -> Attempt:
    where = rows.department("Billing")
    who = rows.manager("Dana", where)
    trunk = Trunk.objects.create(
        name="t", kind=Trunk.Kind.INLINE, hostname="sip.example.com", sip_number="+12025550199"
    )
    who.endpoints.update(trunk=trunk)
    made: Attempt = rows.attempt(
        rows.transfer(rows.call(where), TransferState.CONNECTING),
        who,
        AttemptState.RESERVED,
        endpoint=who.endpoints.get(),
        dialed_at=None,
    )
    return made


def dial(world: World, attempt: Attempt) -> None:
    effects.ensure("dial", attempt.pk)
    world.perform("dial", attempt)
    attempt.refresh_from_db()


def test_a_dial_that_is_answered_though_the_answer_is_lost_goes_on(world: World, attempt: Attempt) -> None:
    world.server.fail("dial", Uncertain("broke off"), late=True)
    dial(world, attempt)
    assert attempt.state == AttemptState.DIALING
    world.perform("look", attempt)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.SUMMARIZING
    assert Leg.objects.get(identity=attempt.manager_identity).sip_status == "active"
    assert len(world.server.dials) == 1


def test_a_dial_that_never_arrived_is_lost_after_a_second_and_not_repeated(world: World, attempt: Attempt) -> None:
    world.server.fail("dial", Uncertain("broke off"))
    dial(world, attempt)
    world.perform("look", attempt)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DIALING
    world.later(1)
    world.perform("look", attempt)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.FAILED, Outcome.LOST)
    assert Effect.objects.filter(kind="close_consult", subject_id=attempt.pk).exists()
    assert Effect.objects.filter(kind="dial").count() == 1


@pytest.mark.parametrize(
    ("status", "outcome", "retryable"),
    [(486, Outcome.BUSY, True), (603, Outcome.DECLINED, False), (404, Outcome.INVALID_NUMBER, False)],
)
def test_a_phone_s_refusal_is_the_attempt_s_outcome(
    world: World, attempt: Attempt, status: int, outcome: Outcome, retryable: bool
) -> None:
    world.server.phones["+12025550101"] = Phone(status)
    dial(world, attempt)
    assert (attempt.state, attempt.outcome) == (AttemptState.FAILED, outcome)
    assert (attempt.sip_status, attempt.retryable) == (status, retryable)


def test_a_leg_that_comes_after_its_attempt_is_over_is_put_out(world: World, attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(state=AttemptState.FAILED, outcome=Outcome.LOST)
    effects.ensure("close_consult", attempt.pk)
    world.perform("close_consult", attempt)
    world.server.join(attempt.consult_room, attempt.manager_identity, kind="sip")
    world.later(1.1)
    announce_consult(attempt.consult_room)
    world.perform("close_consult", attempt)
    assert asyncio.run(world.server.list_rooms()) == []


def test_the_consultation_of_an_open_attempt_is_left_alone(world: World, attempt: Attempt) -> None:
    announce_consult(attempt.consult_room)
    announce_consult("consult-of-somebody-else")
    assert not Effect.objects.filter(kind="close_consult").exists()
