"""A file of managers through the administration: what it would change, what is wrong with it, having it done."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from calls.models import Department, Event, EventPayload
from calls.roles import Role
from tests import rows
from tests.people import account
from transfers.models import DialRule, Endpoint, Manager, RosterUpload, Shift, ShiftException, Trunk

pytestmark = pytest.mark.django_db
IMPORT, EXPORT = "/admin/transfers/manager/import/", "/admin/transfers/manager/export/"
HEAD = "name,departments,priority,active,ways,shifts\n"
DANA = "Dana,Billing,2,yes,phone +12025550101 ext ww1# ring 30 | browser,Mon-Fri 09:00-17:00 Europe/Berlin\n"


@pytest.fixture
def billing() -> Department:
    return rows.department("Billing")


@pytest.fixture
def claims() -> Department:
    return rows.department("Claims")


def client_of(role: Role, *departments: Department) -> Client:
    client = Client()
    client.force_login(account(role, *departments))
    return client


@pytest.fixture
def supervisor(billing: Department) -> Client:
    return client_of(Role.SUPERVISOR, billing)


@pytest.fixture
def administrator() -> Client:
    return client_of(Role.ADMINISTRATOR)


def look(client: Client, text: str, **more: str) -> Any:
    return client.post(IMPORT, {"file": SimpleUploadedFile("m.csv", text.encode(), "text/csv")} | more)


def do(client: Client, seen: Any, **more: str) -> Any:
    return client.post(IMPORT, {name: seen.context[name] for name in ("token", "seen")} | more)


def said(response: Any) -> str:
    return str(response.content.decode())


def exported(client: Client) -> str:
    return str(client.get(EXPORT).content.decode("utf-8-sig"))


def changes() -> list[str]:
    told = Event.objects.filter(type__startswith="setting.").order_by("at", "pk")
    return [f"{one.type.removeprefix('setting.')} {one.facts['what'].removeprefix('transfers.')}" for one in told]


def test_a_file_with_errors_is_corrected_looked_at_and_applied(supervisor: Client, billing: Department) -> None:
    omar = rows.manager("Omar", billing, priority=3)
    wrong = (
        HEAD
        + DANA
        + "Omar,Billing | Claims,one,maybe,phone 0301234,Mon 09:00-17:00\n\n"
        + "Lea,,1,yes,phone +19005550123,\n"
    )
    response = look(supervisor, wrong)
    assert response.status_code == 422
    problems = {(one.number, one.column): one.words for one in response.context["outcome"].problems}
    assert {key: words.partition(":")[0] for key, words in problems.items()} == {
        (3, "departments"): "“Claims” is no department of yours. Yours are",
        (3, "priority"): "Priority is a whole number from 0; 1 is called before 2.",
        (3, "active"): "Active is yes or no.",
        (3, "ways"): "This number cannot be called",
        (3, "shifts"): "“Mon 09",
        (5, "departments"): "A manager belongs to at least one department.",
        (5, "ways"): "+19005550123 is not dialled",
    }
    assert "premium-rate" in problems[5, "ways"]
    assert "Nothing was changed" in said(response)
    assert list(Manager.objects.all()) == [omar]
    assert not RosterUpload.objects.exists()

    right = HEAD + DANA + "Omar,Billing,1,,phone +12025550101,\n"
    response = look(supervisor, right)
    assert response.status_code == 200
    added, changed = response.context["outcome"].added[0], response.context["outcome"].changed[0]
    assert (added.number, added.line.name) == (2, "Dana")
    assert [(c.column, c.before, c.after) for c in changed.cells] == [("priority", "3", "1")]
    assert list(Manager.objects.all()) == [omar]  # still nothing

    assert do(supervisor, response).status_code == 302
    dana = Manager.objects.get(name="Dana")
    assert list(dana.departments.all()) == [billing]
    ways = list(
        dana.endpoints.order_by("position").values_list("position", "kind", "address", "dtmf", "ring_time_s")
    )
    assert ways == [(1, "phone", "+12025550101", "ww1#", 30), (2, "browser", "", "", 25)]
    assert [shift.weekday for shift in dana.shifts.all()] == [0, 1, 2, 3, 4]
    omar.refresh_from_db()
    assert (omar.priority, omar.version) == (1, 2)
    assert not RosterUpload.objects.exists()
    assert "not here any more" in said(do(supervisor, response))  # a second click


def test_each_change_is_an_event_with_before_and_after(supervisor: Client, billing: Department) -> None:
    omar = rows.manager("Omar", billing, priority=3)
    Shift.objects.create(manager=omar, weekday=0, starts="09:00", ends="17:00")
    text = HEAD + DANA + "Omar,Billing,3,no,browser,\n"
    do(supervisor, look(supervisor, text))
    assert changes() == [
        "saved manager",  # Dana
        "saved manager",
        "saved manager",  # Dana's departments
        "deleted endpoint",
        *["saved endpoint"] * 3,
        "deleted shift",
        *["saved shift"] * 5,
    ]
    told = [
        json.loads(bytes(payload.body))
        for payload in EventPayload.objects.filter(event__facts__what="transfers.manager")
    ]
    assert {"changes": {"active": [True, False]}} in told
    assert {event.actor_kind for event in Event.objects.filter(type__startswith="setting.")} == {"person"}
    count = Event.objects.count()
    assert look(supervisor, text).context["outcome"].changes[0].kind == "same"
    assert Event.objects.count() == count


def test_exceptions_are_beside_the_weekly_hours(supervisor: Client, billing: Department) -> None:
    omar = rows.manager("Omar", billing)
    for day, note in (("2026-12-24", "Eve"), ("2026-12-25", "")):
        ShiftException.objects.create(manager=omar, day=day, note=note)
    kept = omar.exceptions.first()
    head = "name,exceptions\n"
    text = exported(supervisor)
    assert "2026-12-24 off note Eve | 2026-12-25 off" in text
    assert look(supervisor, text).context["outcome"].changes[0].kind == "same"
    assert look(supervisor, "name,priority\nOmar,1\n").context["outcome"].changes[0].kind == "same"

    wrong = look(supervisor, head + "Omar,2026-12-24 off | 2026-12-31 other\n").context["outcome"].problems
    assert [(one.number, one.column) for one in wrong] == [(2, "exceptions")]
    right = head + "Omar,2026-12-24 off note Eve | 2026-12-31 other 09:00-12:00 Europe/Berlin\n"
    before = Event.objects.count()
    assert do(supervisor, look(supervisor, right)).status_code == 302
    found = [(str(one), one.time_zone) for one in omar.exceptions.all()]
    assert found == [("2026-12-24 off all day", ""), ("2026-12-31 other hours 09:00–12:00", "Europe/Berlin")]
    assert omar.exceptions.first() == kept
    assert changes()[-2:] == ["deleted shiftexception", "saved shiftexception"]
    assert Event.objects.count() == before + 2


def test_whoever_imports_sees_how_far_it_is(
    supervisor: Client, administrator: Client, billing: Department
) -> None:
    def how_far(client: Client, run: str) -> Any:
        answer = client.get(f"{IMPORT}progress/", {"run": run})
        return answer.json() if answer.status_code == 200 else None

    first, second = str(uuid4()), str(uuid4())
    response = look(supervisor, HEAD + DANA, run=first)
    assert how_far(supervisor, first) == {"done": 1, "of": 1, "words": "1 of 1 lines are read."}
    assert how_far(administrator, first) is None  # another's
    assert how_far(supervisor, second) is None
    assert how_far(supervisor, "*") is None
    do(supervisor, response, run=second)
    told = {"done": 9, "of": 10, "words": "All lines are read; exceptions are being written."}
    assert how_far(supervisor, second) == told


def test_an_export_is_read_again_without_a_change(
    administrator: Client, billing: Department, claims: Department
) -> None:
    dana = rows.manager("=Dana", billing, claims, priority=2)
    Trunk.objects.create(name="Front desk", trunk_id="ST_1")
    Endpoint.objects.create(
        manager=dana, position=2, kind="sip_uri", address="sip:d@example.com", trunk=Trunk.objects.get()
    )
    Shift.objects.create(manager=dana, weekday=5, starts="22:00", ends="06:00", time_zone="Asia/Kathmandu")
    rows.manager("Omar", claims, active=False)
    rows.manager("Guest", guest=True)
    text = exported(administrator)
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in table] == ["Omar", "'=Dana"]
    assert table[1]["ways"] == "phone +12025550101 | sip:d@example.com line Front desk"
    outcome = look(administrator, text).context["outcome"]
    assert [change.kind for change in outcome.changes] == ["same", "same"]
    assert Event.objects.get(type="roster.exported").facts["managers"] == 2
    renamed = text.replace("'=Dana", "Dana Ito")
    do(administrator, look(administrator, renamed))
    dana.refresh_from_db()
    assert dana.name == "Dana Ito"
    assert Manager.objects.count() == 3


def test_a_supervisor_s_file_is_of_their_departments(
    supervisor: Client, billing: Department, claims: Department
) -> None:
    shared, other = rows.manager("Shared", billing, claims), rows.manager("Quentin", claims)
    text = exported(supervisor)
    assert "Quentin" not in text
    assert "Claims" not in text
    outcome = look(supervisor, f"id,priority\n{other.pk},5\n").context["outcome"]
    assert [(one.number, one.column) for one in outcome.problems] == [(2, "id")]
    assert "No manager of your departments" in outcome.problems[0].words
    outcome = look(supervisor, "name,departments\nQuentin,Claims\n").context["outcome"]
    assert outcome.problems[0].words.startswith("“Claims” is no department of yours. Yours are: Billing.")
    do(supervisor, look(supervisor, "name,departments,priority\nShared,Billing,7\nQuentin,Billing,1\n"))
    shared.refresh_from_db()
    assert set(shared.departments.all()) == {billing, claims}  # what they do not see stays
    assert shared.priority == 7
    assert Manager.objects.filter(name="Quentin").count() == 2  # somebody else of that name, in Billing
    other.refresh_from_db()
    assert (other.priority, list(other.departments.all())) == (1, [claims])


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("name,departments\nOmar,Billing\nomar,Billing\n", (3, "", "Line 2 is about the same manager.")),
        ("name,departments\nNew,Billing\nNew,Billing\n", (3, "", "Line 2 is about the same manager.")),
        ("name,departments\nTwin,Billing\n", (2, "name", "Several managers have this name. Give the id")),
        ("name,priority\nNew,1\n", (2, "departments", "A new manager needs this column.")),
        ("name,id\n,\n", (0, "", "There are no managers in the file")),
        ("name,departments\n,Billing\n", (2, "name", "Neither name nor id")),
        (
            "name,ways\nOmar,phone +12025550101 ring 99\n",
            (2, "ways", "Ensure this value is less than or equal to 75."),
        ),
        ("name,ways\nOmar,browser +12025550101\n", (2, "ways", "A browser has no address")),
        ("name,ways\nOmar,phone +4930901820\n", (2, "ways", "+4930901820 is not dialled: no dialling rule")),
        ("name;phone\nOmar;1\n", (0, "", "The first line names the columns")),
    ],
)
def test_what_cannot_be_names_its_line_and_cell(
    supervisor: Client, billing: Department, lines: str, problem: tuple[int, str, str]
) -> None:
    DialRule.objects.create(prefix="+1")
    for name in ("Omar", "Twin", "Twin"):
        rows.manager(name, billing)
    response = look(supervisor, lines)
    assert response.status_code == 422
    found = response.context["outcome"].problems[0]
    assert (found.number, found.column) == problem[:2]
    assert found.words.startswith(problem[2])
    assert Manager.objects.count() == 3


def test_what_changed_meanwhile_is_shown_again_instead(supervisor: Client, billing: Department) -> None:
    omar = rows.manager("Omar", billing, priority=3)
    seen = look(supervisor, "name,priority\nOmar,1\n")
    Manager.objects.filter(pk=omar.pk).update(priority=4)
    again = do(supervisor, seen)
    assert again.status_code == 200
    assert "changed by somebody since you looked" in said(again)
    omar.refresh_from_db()
    assert omar.priority == 4
    assert do(supervisor, again).status_code == 302
    omar.refresh_from_db()
    assert omar.priority == 1


def test_a_way_that_stays_keeps_its_row(supervisor: Client, billing: Department) -> None:
    omar = rows.manager("Omar", billing)
    kept = omar.endpoints.get()
    Endpoint.objects.filter(pk=kept.pk).update(headers={"X-Account": "7"})
    do(supervisor, look(supervisor, "name,ways\nOmar,browser | phone +12025550101 ring 40\n"))
    kept.refresh_from_db()
    assert (kept.position, kept.ring_time_s, kept.headers) == (2, 40, {"X-Account": "7"})


def test_hundreds_of_managers_take_few_statements(
    supervisor: Client, billing: Department, django_assert_max_num_queries: Any
) -> None:
    lines = [f"Manager {n},Billing,{n % 5},yes,phone +1202555{n:04},Mon-Fri 09:00-17:00 UTC\n" for n in range(300)]
    text = HEAD + "".join(lines)
    with django_assert_max_num_queries(60):
        seen = look(supervisor, text)
    with django_assert_max_num_queries(120):
        assert do(supervisor, seen).status_code == 302
    assert (Manager.objects.count(), Shift.objects.count()) == (300, 1500)
    with django_assert_max_num_queries(60):
        outcome = look(supervisor, text.replace(",3,yes", ",9,yes")).context["outcome"]
    assert (len(outcome.changed), len(outcome.same)) == (60, 240)


def test_the_pages_are_there(supervisor: Client) -> None:
    page = said(supervisor.get(IMPORT))
    assert reverse("admin:transfers_roster_export") in page
    assert "How cells are written" in page
