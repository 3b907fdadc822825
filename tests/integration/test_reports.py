"""What reports say: figures that are right, of each viewer's departments, that lead to what is behind them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.test import Client

from calls.models import Department
from calls.roles import Role
from calls.timing import clock_of
from tests import rows
from tests.bench.figures import percentile as exact
from tests.measured import NOON, past
from tests.people import account
from transfers.access import lens_of
from transfers.figures import to_person
from transfers.models import Transfer
from transfers.reports.histogram import ERROR, percentile
from transfers.reports.measure import measure
from transfers.reports.reached import REACHED
from transfers.reports.read import read
from transfers.reports.wanted import OLDEST, wanted_of
from transfers.states import EndReason, TransferState

TODAY = NOON.date()


@pytest.mark.django_db
def test_figures_are_those_of_the_transfers_themselves() -> None:
    made = past([rows.department(name) for name in ("Billing", "Claims")], 60)
    measure()
    found = read(wanted_of({"range": "30"}, TODAY), None)
    assert found.end_reasons == Counter(one.end_reason for one in made)
    assert found.total.reached == sum(one.end_reason in REACHED for one in made)
    assert sum(day.n for day in found.periods.values()) == sum(who.n for who in found.asked.values()) == len(made)
    spans = [1000 * (one.merged_at - one.requested_at).total_seconds() for one in made if one.merged_at]
    assert sum(day.total() for day in found.to_person.values()) == len(spans)
    for per_cent in (50, 90, 99):
        told, true = percentile(found.phases["to_person"], per_cent), exact(spans, per_cent)
        assert told == pytest.approx(true, rel=ERROR, abs=1), per_cent


@pytest.mark.django_db
def test_of_one_hour_the_rows_say_what_the_sums_say() -> None:
    departments = [rows.department(name) for name in ("Billing", "Claims")]
    past(departments, 30, hour=9)
    measure()
    year = {"range": "custom", "since": "2026-01-01"}
    for chosen, query in ((None, {"range": "30"}), ([departments[0].pk], {"range": "30"}), (None, year)):
        whole, hour, other = (
            read(wanted_of(query | more, TODAY), chosen) for more in ({}, {"hour": "9"}, {"hour": "10"})
        )
        assert whole.total.n == hour.total.n > 0
        assert (whole.phases, whole.managers) == (hour.phases, hour.managers)
        assert (whole.periods, whole.to_person) == (hour.periods, hour.to_person)
        assert (other.total.n, other.phases, other.managers) == (0, {}, {})


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ({}, date(2026, 11, 18), TODAY),
        ({"range": "today"}, TODAY, TODAY),
        ({"range": "90"}, date(2026, 8, 27), TODAY),
        ({"range": "nonsense", "hour": "24", "department": "x"}, date(2026, 11, 18), TODAY),
        ({"range": "custom", "since": "2026-02-01", "until": "2026-02-28"}, date(2026, 2, 1), date(2026, 2, 28)),
        ({"range": "custom", "since": "2026-12-24"}, TODAY, TODAY),
        ({"range": "custom", "since": "0001-01-01", "until": "0001-02-01"}, OLDEST, OLDEST),
        ({"range": "custom", "since": "2026-02-04"}, date(2026, 2, 2), date(2026, 11, 29)),
        ({"range": "custom", "since": "2020-01-01"}, date(2025, 11, 24), date(2026, 11, 29)),
    ],
)
def test_the_days_of_a_range(query: dict[str, str], since: date, until: date) -> None:
    wanted = wanted_of(query, TODAY)
    assert (wanted.since, wanted.until, wanted.hour, wanted.department) == (since, until, None, None)
    assert wanted.shortened == (query.get("since") == "2020-01-01")
    periods = wanted.periods()
    days = [one.first + timedelta(days=n) for one in periods for n in range((one.last - one.first).days + 1)]
    assert days == [since + timedelta(days=n) for n in range(wanted.days)], "each day is in one period"
    assert len(periods) == (wanted.days if wanted.days < 93 else wanted.days / 7)
    if not wanted.shortened:
        again = dict(part.split("=") for part in wanted.query.split("&"))
        assert wanted_of(again, TODAY) == wanted, "its own address asks for the same"


# ── pages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(db: None) -> Iterator[tuple[Department, Department]]:
    billing, claims = rows.department("Billing"), rows.department("=Claims")
    past([billing], 12)
    past([claims], 9, seed=8)
    measure()
    with clock_of(lambda: NOON):
        yield billing, claims


def as_user(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def file_of(browser: Client, key: str, query: str = "range=30") -> list[list[str]]:
    answer = browser.get(f"/reports/{key}.csv?{query}")
    assert answer.status_code == 200
    return list(csv.reader(StringIO(answer.content.decode())))


def test_everybody_sees_the_figures_of_their_departments(house: tuple[Department, Department]) -> None:
    billing, claims = house
    counts = Counter(name or "" for name in Transfer.objects.values_list("department__name", flat=True))
    mine = {"Billing": counts["Billing"], "Unassigned": counts[""]}
    supervisor, auditor = as_user(account(Role.SUPERVISOR, billing)), as_user(account(Role.AUDITOR))
    for browser, seen in ((supervisor, mine), (auditor, mine | {"'=Claims": counts["=Claims"]})):
        _, *table = file_of(browser, "departments")
        assert {row[0]: int(row[1]) for row in table} == seen
        page = browser.get("/reports?range=30").content.decode()
        assert ("=Claims" in page) == (browser is auditor)
    assert file_of(supervisor, "departments", f"range=30&department={claims.pk}")[1:] == []


def test_figures_lead_to_the_transfers_behind_them(house: tuple[Department, Department]) -> None:
    browser = as_user(account(Role.AUDITOR))
    reason = EndReason(Transfer.objects.values_list("end_reason", flat=True)[0])
    link = f"/history?since=2026-10-26&amp;until=2026-11-24&amp;result={reason}"
    assert link in browser.get("/reports?range=30").content.decode()
    behind = browser.get(link.replace("&amp;", "&")).content.decode()
    (told,) = (row for row in file_of(browser, "results") if row[0] == str(reason.label))
    assert behind.count('id="row-') == int(told[1])
    assert "/history?since" not in browser.get("/reports?range=30&hour=9").content.decode()


def test_who_sees_no_calls_sees_no_reports(house: tuple[Department, Department]) -> None:
    for role in (Role.MANAGER, None):
        browser = as_user(account(role))
        assert browser.get("/reports").status_code == browser.get("/reports/phases.csv").status_code == 403
    auditor = as_user(account(Role.AUDITOR))
    assert auditor.get("/reports/nonsense.csv").status_code == 404
    empty = auditor.get("/reports?range=custom&since=2026-01-01&until=2026-01-02").content.decode()
    assert "No transfer in these days" in empty
    assert Client().get("/reports").status_code == 302


@pytest.mark.django_db
def test_the_wallboard_tells_how_long_the_last_hours_callers_waited_for_a_person() -> None:
    billing, claims = (rows.department(name) for name in ("Billing", "Claims"))
    user = account(Role.SUPERVISOR, billing)
    lens = lens_of(user)
    assert to_person(lens) is None
    for where, waited, joined_ago in ((billing, 10, 60), (billing, 20, 3500), (billing, 40, 600)):
        _reached(where, waited, joined_ago)
    _reached(billing, 900, 3700)  # too long ago
    _reached(claims, 900, 60)  # somebody else's
    found = to_person(lens)
    assert found
    assert (found.n, found.p50, found.p90, found.p99) == (3, 20, 40, 40)
    assert "<dd>20<small> / 40 s</small></dd>" in as_user(user).get("/live/summary").content.decode()


def _reached(where: Department, waited: float, joined_ago: float) -> None:
    call = rows.call(where, seconds=9000)
    joined = rows.ago(joined_ago)
    asked = joined - timedelta(seconds=waited)
    rows.transfer(call, TransferState.MERGED, requested_at=asked, held_at=asked, merged_at=joined)
