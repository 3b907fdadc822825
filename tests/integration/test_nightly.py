"""The rehearsal of every night: once, by whoever claims it, and how it went."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from calls import effects
from calls.health import Verdict
from calls.models import Effect, EffectState, Event, Owner, OwnerRole
from calls.telephony.gateway import Permanent
from calls.telephony.memory import MemoryGateway
from calls.timing import clock_of
from config import env
from tests.world import World
from transfers.rehearsal import nightly


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 27, 3, 29, tzinfo=UTC)


@pytest.fixture
def clock(settings: Any) -> Iterator[Clock]:
    settings.REHEARSE_AT, settings.REHEARSE_NUMBER, settings.CARRIER_URL = time(3, 30), "", ""
    made = Clock()
    with clock_of(lambda: made.at):
        yield made


def states() -> list[str]:
    return list(Effect.objects.filter(kind=nightly.KIND).order_by("due_at").values_list("state", flat=True))


@pytest.mark.django_db
def test_it_is_due_once_a_night_and_not_hours_later(clock: Clock) -> None:
    nightly.look()
    assert states() == []
    for _ in range(3):
        clock.at += timedelta(minutes=1)
        nightly.look()
    assert states() == ["due"]
    clock.at += timedelta(days=1, hours=2)
    nightly.look()
    assert states() == ["due"]
    clock.at += timedelta(hours=22)
    nightly.look()
    assert states() == ["due", "due"]


@pytest.mark.django_db
def test_without_a_time_there_is_none(clock: Clock, settings: Any) -> None:
    settings.REHEARSE_AT = None
    nightly.look()
    assert states() == []
    assert nightly.check().says == "None is asked for (REHEARSE_AT)."


def test_a_rehearsal_that_cannot_begin_is_told_by_the_status_page(world: World, settings: Any) -> None:
    """The real program, which finds no phone to ring."""
    settings.REHEARSE_AT, settings.REHEARSE_NUMBER = (world.at - timedelta(minutes=2)).time(), ""
    nightly.look()
    begun = nightly.newest()
    assert begun
    assert begun.ok is None
    world.settle()
    night = nightly.newest()
    assert night
    assert night.ok is False
    assert "Name a phone: --number." in night.problem
    nightly.look()
    world.settle()  # it is not run again
    assert Event.objects.get(type="rehearsal.ended").facts == {"ok": False}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "verdict", "says"),
    [
        (EffectState.DONE, Verdict.OK, "Passed (27 Nov, 03:30 UTC)."),
        (EffectState.FAILED, Verdict.ILL, "It failed (27 Nov, 03:30 UTC): The manager was not dialled."),
        (EffectState.CLAIMED, Verdict.OK, "Under way since 27 Nov, 03:30 UTC."),
    ],
)
def test_how_it_went_is_known_until_the_next(
    clock: Clock, settings: Any, state: EffectState, verdict: Verdict, says: str
) -> None:
    assert nightly.check().verdict == Verdict.ILL  # no phone
    settings.REHEARSE_NUMBER = "+12025550101"
    assert nightly.check().says == "The first one is at 03:30 UTC."
    clock.at += timedelta(minutes=2)
    nightly.look()
    Effect.objects.update(state=state, error="The manager was not dialled." if state == "failed" else "")
    clock.at += timedelta(days=1)
    found = nightly.check()
    assert (found.verdict, found.says) == (verdict, says)


@pytest.mark.django_db
def test_whoever_ran_it_is_gone_and_it_is_not_run_again(clock: Clock, settings: Any) -> None:
    settings.REHEARSE_NUMBER = "+12025550101"
    clock.at += timedelta(minutes=2)
    nightly.look()
    owner = Owner.objects.create(role=OwnerRole.WORKER, host="here", pid=1, beat_at=clock.at)
    assert effects.claim(Effect.objects.get().pk, owner=owner)
    clock.at += timedelta(seconds=30)
    effects.release_stale()
    assert states() == ["failed"]
    assert nightly.check().says.endswith("The process that ran it has ended.")
    assert Event.objects.get(type="rehearsal.ended").facts == {"ok": False}


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        (json.dumps({"ok": True, "problems": []}), ""),
        (json.dumps({"ok": False, "problems": ["Nobody answers.", "And more."]}), "Nobody answers."),
        ("no JSON", "It ended without a word."),
        ("", "It ended without a word."),
    ],
)
async def test_the_report_of_the_program_decides(says: str, problem: str) -> None:
    program = [sys.executable, "-c", f"print({says!r})"]
    if not problem:
        await nightly.run(MemoryGateway(), program)
        return
    with pytest.raises(Permanent, match=problem):
        await nightly.run(MemoryGateway(), program)


def test_a_time_that_is_none_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSE_AT", "half past three")
    with pytest.raises(SystemExit, match="REHEARSE_AT must be a time of day as 03:30"):
        env.time_of_day("REHEARSE_AT")
    monkeypatch.setenv("REHEARSE_AT", "03:30")
    assert env.time_of_day("REHEARSE_AT") == time(3, 30)
