"""The roster's pages in the administration: the week with its gaps, who would be called, and whose they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from calls.models import Department
from calls.roles import Role
from calls.timing import clock_of
from config.admin_site import navigation
from tests import rows
from tests.people import account
from transfers.hours import Change
from transfers.models import DialRule, Holiday, Manager, OpeningHours, Shift, ShiftException
from transfers.week import PREFETCHED, Row, week_of

pytestmark = pytest.mark.django_db
BERLIN = "Europe/Berlin"
MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with clock_of(lambda: NOW):
        yield


@pytest.fixture
def billing() -> Department:
    return rows.department("Billing")


@pytest.fixture
def claims() -> Department:
    return rows.department("Claims")


def client_of(role: Role | None, *departments: Department) -> Client:
    client = Client()
    client.force_login(account(role, *departments))
    return client


def said(response: Any) -> str:
    return str(response.content.decode())


def on(manager: Manager, weekday: int, starts: str, ends: str, zone: str = BERLIN) -> None:
    Shift.objects.create(manager=manager, weekday=weekday, starts=starts, ends=ends, time_zone=zone)


def words(row: Row) -> list[str]:
    """A day's hours, Monday first."""
    return [", ".join(bar.words for bar in bars) for bars in row.days]


def week(day: date = MONDAY, zone: str = BERLIN) -> Any:
    found = week_of(list(Department.objects.prefetch_related(*PREFETCHED)), day, ZoneInfo(zone))
    return found.departments[0]


# ── the week ─────────────────────────────────────────────────────────────────────────────────────


def test_a_week_shows_shifts_exceptions_and_the_hours_that_have_nobody(billing: Department) -> None:
    for weekday in range(2):
        OpeningHours.objects.create(
            department=billing, weekday=weekday, starts="08:00", ends="18:00", time_zone=BERLIN
        )
    dana, lea = rows.manager("Dana", billing), rows.manager("Lea", billing, priority=2)
    rows.manager("Gone", billing, active=False)
    on(dana, 0, "08:00", "12:00")
    on(lea, 0, "11:00", "17:00")
    on(lea, 1, "22:00", "06:00")
    ShiftException.objects.create(
        manager=dana, day=date(2026, 11, 24), kind=Change.EXTRA, starts=time(8), ends=time(18), time_zone=BERLIN
    )
    found = week()
    assert words(found.opened) == ["08:00–18:00", "08:00–18:00", "", "", "", "", ""]
    assert [row.name for row in found.managers] == ["Dana", "Lea"]
    assert words(found.managers[0])[:3] == ["08:00–12:00", "08:00–18:00", ""]
    assert words(found.managers[1])[:3] == ["11:00–17:00", "22:00–24:00", "00:00–06:00"]
    assert words(found.gaps) == ["17:00–18:00", "", "", "", "", "", ""]
    bar = found.managers[0].days[0][0]
    assert (bar.left, bar.width) == (33.33, 16.67)
    Holiday.objects.create(department=billing, day=MONDAY)
    assert words(week().opened)[0] == ""
    assert week().gaps.is_empty


def test_another_zone_moves_the_hours_and_a_day_may_have_25(billing: Department) -> None:
    dana = rows.manager("Dana", billing)
    on(dana, 6, "00:00", "00:00")
    assert words(week(date(2026, 10, 25)).managers[0])[6] == "all day"
    assert words(week(date(2026, 11, 22), "Asia/Kathmandu").managers[0])[6] == "04:45–24:00"
    assert words(week(date(2026, 10, 25)).opened) == ["all day"] * 7


def test_the_page_says_in_words_what_the_bars_show(billing: Department) -> None:
    dana = rows.manager("Dana", billing)
    on(dana, 0, "08:00", "12:00")
    client = client_of(Role.SUPERVISOR, billing)
    page = said(client.get(reverse("admin:transfers_roster_week")))
    assert f"times of {BERLIN}" in page  # the zone of most shifts
    assert "Some of its opening hours have nobody on" in page
    assert page.count('<th scope="col"') == 8
    assert 'aria-current="date"' in page
    assert "08:00–12:00" in page
    later = client.get(reverse("admin:transfers_roster_week") + "?week=2026-12-02&zone=Asia/Tokyo")
    assert later.context["week"].days[0] == date(2026, 11, 30)
    assert later.context["links"]["before"] == "?week=2026-11-23&zone=Asia%2FTokyo"
    assert "16:00–20:00" in said(later)
    wrong = said(client.get(reverse("admin:transfers_roster_week") + "?week=soon&zone=Mars&department=x"))
    assert "There is no time zone of this name" in wrong


def test_the_side_bar_marks_the_page_that_is_open_and_no_other(billing: Department) -> None:
    root = account(Role.ADMINISTRATOR, name="root")
    for route, name in (("transfers_roster_week", "Week"), ("transfers_manager_add", "Managers")):
        request = RequestFactory().get(reverse(f"admin:{route}"))
        request.user = root
        items = [item for group in navigation(request) for item in group["items"]]
        assert [item["title"] for item in items if item["active"]] == [name]


def test_who_would_be_called_is_said_in_the_administration_too(billing: Department) -> None:
    rows.manager("Dana", billing)
    rows.manager("Omar", billing, active=False)
    admin = client_of(Role.ADMINISTRATOR)
    page = said(admin.get(reverse("admin:transfers_roster_who", args=(billing.pk,))))
    assert "Rings Dana for 25 s" in page
    assert "not active" in page
    department = said(admin.get(reverse("admin:calls_department_change", args=(billing.pk,))))
    assert reverse("admin:transfers_roster_who", args=(billing.pk,)) in department


# ── whose they are ───────────────────────────────────────────────────────────────────────────────


def addresses(department: Department) -> list[str]:
    """All that the roster adds to the administration and that shows managers."""
    week = reverse("admin:transfers_roster_week")
    return [
        week,
        f"{week}?department={department.pk}",
        reverse("admin:transfers_roster_who", args=(department.pk,)),
        reverse("admin:transfers_roster_import"),
        reverse("admin:transfers_roster_export"),
    ]


@pytest.mark.parametrize("nth", range(5))
def test_a_supervisor_sees_nothing_of_another_department_by_any_address(
    billing: Department, claims: Department, nth: int
) -> None:
    rows.manager("Quentin", claims)
    rows.manager("Dana", billing)
    client = client_of(Role.SUPERVISOR, billing)
    response = client.get(addresses(claims)[nth])
    assert response.status_code in (200, 404)
    page = said(response)
    assert "Quentin" not in page
    assert "Claims" not in page
    assert "Quentin" in said(client_of(Role.ADMINISTRATOR).get(addresses(claims)[nth])) or nth == 3


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR, None])
def test_others_see_none_of_it(billing: Department, role: Role | None) -> None:
    client = client_of(role, billing)
    for address in addresses(billing):
        assert client.get(address, follow=True).status_code == 403
    file = SimpleUploadedFile("m.csv", b"name,departments\nEve,Billing\n", "text/csv")
    assert client.post(reverse("admin:transfers_roster_import"), {"file": file}, follow=True).status_code == 403
    assert not Manager.objects.exists()


def test_the_dialling_rules_are_the_administrators_(billing: Department) -> None:
    rules = reverse("admin:transfers_dialrule_changelist")
    assert client_of(Role.SUPERVISOR, billing).get(rules).status_code == 403
    admin = client_of(Role.ADMINISTRATOR)
    form = {"prefix": "+1 202", "per_hour": "30", "note": "Washington"}
    assert admin.post(reverse("admin:transfers_dialrule_add"), form).status_code == 302
    assert (DialRule.objects.get().prefix, DialRule.objects.get().per_hour) == ("+1202", 30)
    assert "country code" in said(admin.post(reverse("admin:transfers_dialrule_add"), {"prefix": "0049"}))
    assert "+1202" in said(admin.get(rules))
