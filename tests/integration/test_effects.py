"""Effects: claimed by one, settled by whoever still holds the claim, retried by their kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connections

from calls import effects
from calls.effects import EffectKind
from calls.models import Effect, EffectState, Owner, OwnerRole
from calls.telephony.gateway import GatewayError, Permanent, Retryable
from tests.world import World

SUBJECT = uuid4()


class Trial:
    """An effect kind whose doings are counted, and which fails as told."""

    def __init__(self) -> None:
        self.acted: list[UUID] = []
        self.settled: list[Any] = []
        self.errors: list[GatewayError] = []
        self.during: Callable[[], None] = lambda: None
        self.done: Callable[[Effect, Any], None] = lambda effect, result: self.settled.append(result)
        self.kind = EffectKind(
            "trial",
            request=lambda effect: effect.subject_id,
            act=self._act,
            done=lambda effect, result: self.done(effect, result),
            failed=lambda effect, error: self.settled.append(error),
        )

    async def _act(self, gateway: Any, request: UUID) -> str:
        self.acted.append(request)
        await effects.in_thread(self.during)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Trial:
    one = Trial()
    monkeypatch.setitem(effects._kinds, "trial", one.kind)
    monkeypatch.setattr(effects, "WRITE_AGAIN_SECONDS", (0, 0, 0))
    return one


def rows() -> list[tuple[int, str]]:
    return list(Effect.objects.filter(kind="trial").order_by("nth").values_list("nth", "state"))


def test_one_of_forty_contenders_gets_the_claim(world: World, trial: Trial) -> None:
    effect = effects.ensure("trial", SUBJECT)
    start = threading.Barrier(40)

    def contend(_: int) -> bool:
        try:
            start.wait()
            return effects.claim(effect.pk, owner=world.owner) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(contend, range(40))) == 1


def test_what_is_ensured_twice_is_done_once(world: World, trial: Trial) -> None:
    effects.ensure("trial", SUBJECT)
    effects.ensure("trial", SUBJECT)
    world.settle()
    assert (trial.acted, trial.settled, rows()) == ([SUBJECT], ["done"], [(1, EffectState.DONE)])


def test_what_is_due_later_is_not_claimed_before(world: World, trial: Trial) -> None:
    effect = effects.ensure("trial", SUBJECT, due_at=world.at + timedelta(seconds=2))
    assert effects.claim(effect.pk, owner=world.owner) is None
    assert effects.due_unclaimed() == []
    world.at += timedelta(seconds=2.6)
    assert effects.due_unclaimed() == [effect.pk]


def test_a_failure_that_may_pass_is_tried_on_a_ladder_and_then_believed(world: World, trial: Trial) -> None:
    trial.errors = [Retryable("503")] * 5
    effects.ensure("trial", SUBJECT)
    world.settle()
    for pause in (0.5, 1, 2, 4):
        world.later(pause - 0.1)
        before = len(trial.acted)
        world.later(0.1)
        assert len(trial.acted) == before + 1
    assert len(trial.acted) == 5
    assert str(trial.settled[0]) == "503"


def test_the_ladder_of_a_repeated_effect_begins_anew_each_time(world: World, trial: Trial) -> None:
    for _ in range(6):
        effects.once_more("trial", SUBJECT, pause=timedelta(0))
        world.settle()
    trial.errors = [Retryable("503")]
    effects.once_more("trial", SUBJECT, pause=timedelta(0))
    world.settle()
    world.later(0.5)
    assert trial.settled == ["done"] * 7


def test_a_failure_for_good_is_not_tried_again(world: World, trial: Trial) -> None:
    trial.errors = [Permanent("no")]
    effects.ensure("trial", SUBJECT)
    world.later(20)
    assert (len(trial.acted), rows()) == (1, [(1, EffectState.FAILED)])


def test_a_writer_that_wakes_late_does_not_settle(world: World, trial: Trial) -> None:
    def taken_over() -> None:
        Effect.objects.update(state=EffectState.DUE, owner=None, token=None)
        trial.during = lambda: None

    trial.during = taken_over
    effects.ensure("trial", SUBJECT)
    world.perform(Effect.objects.get())
    assert (trial.settled, rows()) == ([], [(1, EffectState.DUE)])
    world.settle()
    assert (trial.settled, rows()) == (["done"], [(1, EffectState.DONE)])


def test_a_claim_is_stale_when_its_owner_has_been_silent_for_a_while(world: World, trial: Trial) -> None:
    effect = effects.ensure("trial", SUBJECT)
    other = Owner.objects.create(role=OwnerRole.WORKER, host="there", pid=2, beat_at=world.at)
    assert effects.claim(effect.pk, owner=other)
    world.at += timedelta(seconds=1.4)
    effects.release_stale()
    assert rows() == [(1, EffectState.CLAIMED)]
    world.at += timedelta(seconds=0.2)
    effects.release_stale()
    assert rows() == [(1, EffectState.DUE)]


def test_a_database_that_is_away_is_waited_for(world: World, trial: Trial) -> None:
    away = [True, True]

    def write(effect: Effect, result: Any) -> None:
        if away:
            away.pop()
            raise OperationalError("the database system is starting up")
        trial.settled.append(result)

    trial.done = write
    effects.ensure("trial", SUBJECT)
    world.settle()
    assert (trial.settled, rows(), len(trial.acted)) == (["done"], [(1, EffectState.DONE)], 1)


def test_an_outcome_that_cannot_be_written_is_a_failure_and_no_claim_for_ever(world: World, trial: Trial) -> None:
    def write(effect: Effect, result: Any) -> None:
        raise ZeroDivisionError

    trial.done = write
    effects.ensure("trial", SUBJECT)
    world.settle()
    assert rows() == [(1, EffectState.FAILED)]
    assert len(trial.settled) == 1
