"""What the reports are read from: every transfer that is over is counted once, whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from calls.events import SYSTEM
from calls.models import Call
from calls.services.retention import erase_call
from tests import rows
from tests.integration.test_observing import joined
from tests.measured import past
from tests.world import START, Story, World
from transfers.models import (
    DayTally,
    HourTally,
    ManagerTally,
    MeasuredAttempt,
    MeasuredTransfer,
    PhaseTally,
    Transfer,
)
from transfers.reports.measure import measure, rebuild
from transfers.states import EndReason

TALLIES = {
    DayTally: ("day", "department", "asked", "end_reason", "n", "held_to_limit"),
    HourTally: ("day", "hour", "department", "n", "reached", "missed"),
    PhaseTally: ("weekly", "day", "department", "phase", "bucket", "n"),
    ManagerTally: ("day", "department", "manager", "outcome", "n"),
}


def sums() -> dict[str, list[tuple]]:
    return {model.__name__: sorted(model._default_manager.values_list(*of)) for model, of in TALLIES.items()}


def test_a_transfer_is_counted_once_when_it_is_over(world: World) -> None:
    story = joined(world)
    world.later(60)
    assert measure() == 0, "they are still talking"
    world.hangs_up(story.attempt)
    assert measure() == 1
    row = MeasuredTransfer.objects.get()
    assert (row.at, row.hour, row.department) == (START, 12, story.where.pk)
    assert (row.asked, row.end_reason, row.held_to_limit) == ("ai", "connected", False)
    assert (row.approval_ms, row.hold_ms, row.to_person_ms) == (None, 17_000, 17_000)
    attempt = MeasuredAttempt.objects.get()
    assert (attempt.manager_id, attempt.outcome) == (story.people["Dana"].pk, "")
    assert (attempt.ring_ms, attempt.briefing_ms, attempt.merge_ms) == (7000, 8000, 0)
    counted = sums()
    assert counted["DayTally"] == [(START.date(), story.where.pk, "ai", "connected", 1, 0)]
    assert counted["HourTally"] == [(START.date(), 12, story.where.pk, 1, 1, 0)]
    assert counted["ManagerTally"] == [(START.date(), story.where.pk, story.people["Dana"].pk, "", 1)]
    assert len(counted["PhaseTally"]) == 2 * 2 * 5, "of the day and of its week; of the department and of all"
    Transfer.objects.update(measured=False)  # a mark that was lost counts nothing twice
    assert (measure(), measure()) == (1, 0)
    assert sums() == counted


def test_who_waits_as_long_as_may_be_is_held_to_the_limit(world: World) -> None:
    story = Story(world, ("Dana",), hold_limit_s=30)
    story.escalates()
    world.answers(story.attempt)
    world.later(31)
    assert story.transfer.end_reason == EndReason.NO_MANAGER
    measure()
    assert MeasuredTransfer.objects.get().held_to_limit
    assert DayTally.objects.get().held_to_limit == 1


def test_rehearsals_are_not_counted(world: World) -> None:
    story = joined(world)
    Call.objects.filter(pk=story.call.pk).update(rehearsal=True)
    world.hangs_up(story.attempt)
    assert (measure(), measure()) == (1, 0)
    assert not MeasuredTransfer.objects.exists()
    assert not any(sums().values())


@pytest.mark.django_db
def test_what_is_counted_bit_by_bit_is_what_a_rebuild_counts() -> None:
    made = past([rows.department(name) for name in ("Billing", "Claims")], 50)
    while measure(limit=7):
        pass
    counted = sums()
    assert sum(row[4] for row in counted["DayTally"]) == len(made)
    told = StringIO()
    call_command("reports", "--rebuild", stdout=told)
    assert f"{len(made)} transfers are looked at" in told.getvalue()
    assert f"count {len(made)} transfers; 0 that are over" in told.getvalue()
    assert sums() == counted


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_count_each_once() -> None:
    made = past([rows.department("Billing")], 30)

    def clock(_: int) -> int:
        try:
            return sum(measure(limit=3) for _ in range(20))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(clock, range(2)))
    done += sum(measure(limit=30) for _ in range(2))  # whatever was left while the other one had the lock
    assert done == len(made)
    assert sum(row[4] for row in sums()["DayTally"]) == MeasuredTransfer.objects.count() == len(made)


@pytest.mark.django_db
def test_what_is_erased_of_a_call_stays_in_the_figures() -> None:
    (one,) = past([rows.department("Billing")], 1)
    measure()
    counted = sums()
    erase_call(one.call_id, why="request", actor=SYSTEM)
    assert measure() == 0
    assert sums() == counted
    rebuild(lambda done: None)
    assert sums() == counted
