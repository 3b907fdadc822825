"""Who is called first, and why the others are not."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from calls.models import Department
from tests import rows
from transfers.hours import Change
from transfers.models import Endpoint, Holiday, Manager, OpeningHours, Presence, Shift, ShiftException
from transfers.roster import Ranking, Tried, rank
from transfers.states import AttemptState, Outcome, TransferState

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def billing() -> Department:
    return rows.department("Billing")


def ranking(where: Department, **fields: object) -> Ranking:
    return rank(**{"department": where, "person": None, "at": NOW} | fields)  # type: ignore[arg-type]


def names(found: Ranking) -> list[str]:
    return [one.name for one in found.candidates]


def reasons(found: Ranking) -> dict[str, str]:
    return {one.name: one.why for one in found.passed_over}


def test_priority_comes_first_then_who_has_been_idle_longest(billing: Department) -> None:
    rows.manager("Ann", billing, priority=2)
    rows.manager("Ben", billing, last_call_ended_at=NOW - timedelta(minutes=5))
    rows.manager("Cleo", billing, last_call_ended_at=NOW - timedelta(minutes=50))
    rows.manager("Dora", billing)  # never called: longest of all
    assert names(ranking(billing)) == ["Dora", "Cleo", "Ben", "Ann"]


def test_everybody_else_is_passed_over_for_a_reason(billing: Department) -> None:
    until = NOW + timedelta(minutes=5)
    rows.manager("Inactive", billing, active=False)
    rows.manager("Away", billing, presence=Presence.AWAY)
    rows.manager("Wrapping", billing, presence=Presence.WRAPPING_UP, presence_until=until)
    rows.manager("Back", billing, presence=Presence.AWAY, presence_until=NOW)
    busy, tried, off, browser = (rows.manager(name, billing) for name in ("Busy", "Tried", "Off", "Browser"))
    rows.attempt(rows.transfer(rows.call(billing), TransferState.MERGED), busy, AttemptState.MERGED)
    Shift.objects.create(manager=off, weekday=NOW.weekday(), starts=time(13), ends=time(14))
    Endpoint.objects.filter(manager=browser).update(kind=Endpoint.Kind.BROWSER)
    found = ranking(billing, tried=(Tried(tried.pk, tried.endpoints.get().pk, Outcome.BUSY),))
    assert names(found) == ["Back"]
    assert reasons(found) == {
        "Inactive": "not active",
        "Away": "away",
        "Wrapping": "wrapping up",
        "Busy": "busy with another caller",
        "Tried": "already tried",
        "Off": "off shift",
        "Browser": "desk is closed",
    }


def test_a_person_who_is_asked_for_is_the_only_one(billing: Department) -> None:
    rows.manager("Ann", billing)
    ben = rows.manager("Ben", rows.department("Claims"))
    assert names(ranking(billing, person=ben)) == ["Ben"]


def test_only_the_department_s_own_are_called(billing: Department) -> None:
    rows.manager("Ann", rows.department("Claims"))
    assert ranking(billing) == Ranking((), ())


def test_the_first_number_in_order_is_dialled(billing: Department) -> None:
    ann = rows.manager("Ann", billing)
    Endpoint.objects.filter(manager=ann).update(position=3)
    Endpoint.objects.create(manager=ann, position=1, kind=Endpoint.Kind.BROWSER)
    second = Endpoint.objects.create(manager=ann, position=2, address="+12025550109", ring_time_s=40)
    (one,) = ranking(billing).candidates
    assert (one.endpoint_id, one.ring_time_s) == (second.pk, 40)


@pytest.mark.parametrize(("others", "outside"), [((), True), (("Away",), True), (("Free",), False)])
def test_it_is_outside_hours_when_somebody_is_off_and_nobody_free(
    billing: Department, others: tuple[str, ...], outside: bool
) -> None:
    off = rows.manager("Off", billing)
    Shift.objects.create(manager=off, weekday=NOW.weekday(), starts=time(13), ends=time(14))
    for name in others:
        rows.manager(name, billing, presence=Presence.AWAY if name == "Away" else Presence.AVAILABLE)
    assert ranking(billing).outside_hours is outside


def test_a_ranking_is_kept_as_it_was(billing: Department) -> None:
    ann = rows.manager("Ann", billing)
    rows.manager("Ben", billing, active=False)
    kept = ranking(billing).as_json()
    assert [(row["name"], row["passed_over"]) for row in kept] == [("Ann", ""), ("Ben", "not active")]
    assert UUID(kept[0]["manager_id"]) == ann.pk
    assert Manager.objects.count() == 2


def test_outside_the_department_s_hours_nobody_is_called(billing: Department) -> None:
    ann = rows.manager("Ann", billing)
    ben = rows.manager("Ben", billing)
    OpeningHours.objects.create(department=billing, weekday=NOW.weekday(), starts=time(9), ends=time(17))
    assert names(ranking(billing)) == ["Ann", "Ben"]
    Holiday.objects.create(department=billing, day=NOW.date(), note="Inventory")
    found = ranking(billing)
    assert found.outside_hours
    assert set(reasons(found).values()) == {"the department is closed now"}
    assert ranking(billing, person=ann).outside_hours
    assert names(ranking(billing, prefer=ben.pk)) == ["Ben"]  # who asked for the caller themselves
    assert names(ranking(billing, person=ann, only_phone=ann.endpoints.get().pk)) == ["Ann"]


def test_an_exception_changes_one_day_of_a_manager(billing: Department) -> None:
    ann = rows.manager("Ann", billing)
    Shift.objects.create(manager=ann, weekday=NOW.weekday(), starts=time(9), ends=time(17))
    off = ShiftException.objects.create(manager=ann, day=NOW.date())
    assert reasons(ranking(billing)) == {"Ann": "off shift"}
    assert names(ranking(billing, at=NOW + timedelta(days=7))) == ["Ann"]
    off.kind, off.starts, off.ends = Change.OTHER, time(11), time(13)
    off.save()
    assert names(ranking(billing)) == ["Ann"]
