"""The admin's pages on real PostgreSQL: what is refused and why, who gets where, and what is recorded."""

from __future__ import annotations

import json
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from calls.events import SYSTEM, CallEnded, record
from calls.models import (
    AgentProfile,
    ApiKey,
    Call,
    Department,
    Event,
    EventPayload,
    Membership,
    NumberRoute,
    WebhookMessage,
    WebhookTarget,
)
from calls.roles import Role
from calls.seals import seal_events
from calls.services import api_keys
from calls.timing import now
from tests.people import account
from transfers.models import Endpoint, Manager, Policy, Shift, ShiftException, Trunk

pytestmark = pytest.mark.django_db


@pytest.fixture
def billing() -> Department:
    return Department.objects.create(name="Billing")


@pytest.fixture
def support() -> Department:
    return Department.objects.create(name="Support")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def administrator() -> Client:
    return as_(account(Role.ADMINISTRATOR))


@pytest.fixture
def supervisor(billing: Department) -> Client:
    return as_(account(Role.SUPERVISOR, billing))


def manager_of(*departments: Department, name: str = "Dana") -> Manager:
    manager = Manager.objects.create(name=name)
    manager.departments.set(departments)
    Endpoint.objects.create(manager=manager, address="+12025550101")
    return manager


def url(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def rows(prefix: str, *given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": initial}
    for nth, row in enumerate(given):
        data |= {f"{prefix}-{nth}-{name}": value for name, value in row.items()}
    return data


def manager_form(
    *departments: Department,
    endpoints: Any = (),
    shifts: Any = (),
    exceptions: Any = (),
    initial: int = 0,
    **fields: Any,
) -> dict[str, Any]:
    whole = {"name": "Dana", "priority": 1, "active": "on", "departments": [d.pk for d in departments]} | fields
    ways = rows("endpoints", *endpoints, initial=initial)
    return whole | ways | rows("shifts", *shifts) | rows("exceptions", *exceptions)


def endpoint(**fields: Any) -> dict[str, Any]:
    return {"position": 1, "kind": "phone", "address": "+12025550101", "dtmf": "", "ring_time_s": 25} | fields


def said(response: Any) -> str:
    """What the page complains about."""
    return str(response.content.decode())


# ── who gets in ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR, None])
def test_managers_and_auditors_have_no_admin(role: Role | None) -> None:
    client = as_(account(role))
    for address in (url("transfers_manager", "changelist"), url("auth_user", "changelist")):
        assert client.get(address, follow=True).status_code == 403
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_who_is_not_logged_in_is_sent_to_the_console_s_log_in() -> None:
    response = Client().get(url("transfers_manager", "changelist"))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("login"))
    assert (
        Client()
        .get(reverse("admin:login") + "?next=//evil.example/")
        .headers["Location"]
        .endswith("next=%2Fadmin%2F")
    )


PAGES = (
    "transfers_manager",
    "transfers_trunk",
    "calls_department",
    "calls_agentprofile",
    "auth_user",
    "auth_group",
)


def test_an_administrator_sees_every_page_and_a_supervisor_the_roster_only(
    administrator: Client, supervisor: Client, billing: Department
) -> None:
    manager_of(billing)
    AgentProfile.objects.create(department=billing, greeting="Hello")
    Trunk.objects.create(name="Line", trunk_id="ST_1")
    for page in PAGES:
        assert administrator.get(url(page, "changelist")).status_code == 200
        for client, model in ((administrator, page), (supervisor, page)):
            allowed = client is administrator or page == "transfers_manager"
            assert client.get(url(model, "changelist")).status_code == (200 if allowed else 403)
            if page != "auth_group":
                assert client.get(url(model, "add")).status_code == (200 if allowed else 403)
    assert "Accounts" in said(administrator.get(reverse("admin:index"), follow=True))
    assert "Accounts" not in said(supervisor.get(reverse("admin:index"), follow=True))


# ── the roster's forms ───────────────────────────────────────────────────────────────────────────


def test_a_pin_is_set_and_never_shown(supervisor: Client, billing: Department) -> None:
    form = manager_form(billing)
    assert "4 to 8 digits" in said(supervisor.post(url("transfers_manager", "add"), form | {"new_pin": "12"}))
    assert supervisor.post(url("transfers_manager", "add"), form | {"new_pin": "4711"}).status_code == 302
    manager = Manager.objects.get()
    assert check_password("4711", manager.pin)
    told = b"".join(bytes(payload.body) for payload in EventPayload.objects.all())
    assert manager.pin.encode() not in told
    page = supervisor.get(url("transfers_manager", "change", manager.pk)).content.decode()
    assert manager.pin not in page
    assert "4711" not in page
    assert supervisor.post(url("transfers_manager", "change", manager.pk), form).status_code == 302
    assert check_password("4711", Manager.objects.get().pin)


def test_a_manager_with_two_ways_and_a_shift_is_kept_and_recorded(supervisor: Client, billing: Department) -> None:
    shift = {"weekday": 0, "starts": "09:00", "ends": "17:00", "time_zone": "Europe/Berlin"}
    ways = (
        endpoint(address="+1 (202) 555-0101", dtmf="ww 1234#"),
        endpoint(position=2, kind="sip_uri", address="sip:dana@example.com"),
        endpoint(position=3, kind="browser", address=""),
    )
    off = {"day": "2026-12-25", "kind": "off", "note": "Christmas"}
    form = manager_form(billing, endpoints=ways, shifts=(shift,), exceptions=(off,))
    response = supervisor.post(url("transfers_manager", "add"), form)
    assert response.status_code == 302, said(response)
    manager = Manager.objects.get()
    kept = list(manager.endpoints.order_by("position").values_list("kind", "address", "dtmf"))
    assert kept == [
        ("phone", "+12025550101", "ww1234#"),
        ("sip_uri", "sip:dana@example.com", ""),
        ("browser", "", ""),
    ]
    assert manager.shifts.get().time_zone == "Europe/Berlin"
    assert list(manager.departments.all()) == [billing]
    events = Event.objects.filter(type="setting.saved")
    assert {event.facts["what"] for event in events} == {
        "transfers.manager",
        "transfers.endpoint",
        "transfers.shift",
        "transfers.shiftexception",
    }
    assert {event.actor_kind for event in events} == {"person"}
    facts = json.dumps([event.facts for event in events])
    assert "Dana" not in facts
    assert "555" not in facts
    told = b"".join(bytes(payload.body) for payload in EventPayload.objects.all())
    assert b"+12025550101" in told


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"address": "202 555 0101"}, "begin with + and a country code"),
        ({"address": "+1 202 555"}, "too short for its country"),
        ({"address": "dana"}, "not a phone number"),
        ({"address": "", "ring_time_s": 30}, "Enter a phone number"),
        ({"address": "+12025550101\r\nVia: x"}, "characters in it"),
        ({"kind": "sip_uri", "address": "sip:dana@example.com%0d%0aVia:x"}, "the host is neither"),
        ({"kind": "sip_uri", "address": "sip:dana@example.com\r\nVia: x"}, "line breaks"),
        ({"kind": "sip_uri", "address": "+12025550101"}, "begins with sip:"),
        ({"kind": "browser", "address": "+12025550101"}, "A browser has no address"),
        ({"address": "+19005550123"}, "not dialled: it is a premium-rate number"),
        ({"kind": "sip_uri", "address": "sip:911@pbx.example.com"}, "reaches an emergency service"),
        ({"dtmf": "12,3"}, "Use digits"),
        ({"ring_time_s": 4}, "greater than or equal to 5"),
        ({"ring_time_s": 76}, "less than or equal to 75"),
    ],
)
def test_a_way_that_cannot_work_is_refused_with_the_reason(
    supervisor: Client, billing: Department, wrong: dict[str, Any], why: str
) -> None:
    form = manager_form(billing, endpoints=(endpoint(**wrong),))
    response = supervisor.post(url("transfers_manager", "add"), form)
    assert response.status_code == 200
    assert why in said(response)
    assert not Manager.objects.exists()
    assert not Event.objects.exclude(type="account.logged_in").exists()


@pytest.mark.parametrize(
    ("shift", "why"),
    [
        ({"time_zone": "Europe/Atlantis"}, "There is no time zone of this name"),
        ({"starts": "nine"}, "Enter a valid time"),
        ({"weekday": 9}, "Select a valid choice"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(
    supervisor: Client, billing: Department, shift: dict[str, Any], why: str
) -> None:
    whole = {"weekday": 0, "starts": "09:00", "ends": "17:00", "time_zone": "UTC"} | shift
    response = supervisor.post(url("transfers_manager", "add"), manager_form(billing, shifts=(whole,)))
    assert why in said(response)
    assert not Manager.objects.exists()


@pytest.mark.parametrize(
    ("exception", "why"),
    [
        ({"kind": "off", "starts": "09:00", "ends": "10:00"}, "Off all day has no hours"),
        ({"kind": "other"}, "start and end are missing"),
        ({"kind": "extra", "starts": "09:00"}, "start and end are missing"),
        ({"time_zone": "Europe/Atlantis"}, "There is no time zone of this name"),
        ({"day": "2026-02-30"}, "Enter a valid date"),
    ],
)
def test_an_exception_that_cannot_be_is_refused(
    supervisor: Client, billing: Department, exception: dict[str, Any], why: str
) -> None:
    whole = {"day": "2026-12-25", "kind": "off", "starts": "", "ends": ""} | exception
    response = supervisor.post(url("transfers_manager", "add"), manager_form(billing, exceptions=(whole,)))
    assert why in said(response)
    assert not Manager.objects.exists()


def test_a_rehearsal_begins_at_the_manager_s_page(
    supervisor: Client, billing: Department, support: Department
) -> None:
    dana, other = manager_of(billing), manager_of(support, name="Omar")
    page = supervisor.get(url("transfers_manager", "change", dana.pk))
    assert "Rehearse with this manager" in said(page)
    answer = supervisor.get(url("transfers_manager", "to_rehearse", dana.pk))
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("rehearse", args=(dana.pk,)))
    assert supervisor.get(url("transfers_manager", "to_rehearse", other.pk)).status_code == 404


@pytest.mark.parametrize(
    ("trunk", "why"),
    [
        ({"kind": "stored", "trunk_id": ""}, "needs its id on LiveKit"),
        ({"kind": "inline", "sip_number": "+12025550199"}, "needs the host name"),
        ({"kind": "inline", "hostname": "sip.example.com"}, "needs the number that it calls from"),
        ({"kind": "inline", "hostname": "sip:example.com", "sip_number": "+12025550199"}, "No sip: in front"),
        ({"kind": "inline", "hostname": "sip.example.com", "sip_number": "0199"}, "country code"),
        ({"kind": "stored", "trunk_id": "ST_1", "headers": "Via: x"}, "written by LiveKit"),
        ({"kind": "stored", "trunk_id": "ST_1", "headers": "X-Account"}, "One header a line"),
    ],
)
def test_a_trunk_that_cannot_work_is_refused(administrator: Client, trunk: dict[str, Any], why: str) -> None:
    form = {"name": "Line", "transport": "auto", "trunk_id": "", "hostname": "", "sip_number": ""} | trunk
    response = administrator.post(url("transfers_trunk", "add"), form)
    assert why in said(response)
    assert not Trunk.objects.exists()


def test_the_new_default_trunk_replaces_the_old(administrator: Client) -> None:
    old = Trunk.objects.create(name="Old", trunk_id="ST_1", is_default=True)
    form = {
        "name": "New",
        "kind": "inline",
        "hostname": "sip.example.com",
        "sip_number": "+1 202 555 0199",
        "transport": "tls",
        "headers": "X-Account: 7",
        "is_default": "on",
    }
    response = administrator.post(url("transfers_trunk", "add"), form)
    assert response.status_code == 302, said(response)
    old.refresh_from_db()
    new = Trunk.objects.get(name="New")
    assert (old.is_default, new.is_default) == (False, True)
    assert (new.sip_number, new.headers) == ("+12025550199", {"X-Account": "7"})


# ── departments, numbers, profiles ───────────────────────────────────────────────────────────────


def department_form(**fields: Any) -> dict[str, Any]:
    policy = {
        "approval": "approve",
        "auto_after_s": 15,
        "approval_limit_s": 60,
        "at_limit": "return",
        "max_attempts": 3,
        "when_busy": "ai",
        "queue_limit_s": 300,
        "wrap_up_s": 30,
        "away_after_misses": 3,
        "after_hang_up": "ask",
        "offers_callback": "on",
        "callback_within_min": 240,
        "hold_limit_s": 180,
        "consultation_limit_s": 120,
        "hold_line": "Please hold.",
        "progress_line": "Still trying.",
    }
    empty = (rows(prefix) for prefix in ("numbers", "memberships", "opening_hours", "holidays"))
    return reduce(or_, empty, {"name": "Claims"} | rows("policy", policy)) | fields


def test_a_department_with_its_policy_numbers_and_supervisors(administrator: Client) -> None:
    priya = account(Role.SUPERVISOR, name="priya")
    monday = {"weekday": 0, "starts": "09:00", "ends": "17:00", "time_zone": "Europe/Berlin"}
    closed = {"day": "2026-12-25", "kind": "off", "note": "Christmas"}
    given = rows("numbers", {"number": "+1 202 555 0150"}) | rows("memberships", {"user": priya.pk})
    form = department_form(**given, **rows("opening_hours", monday), **rows("holidays", closed))
    response = administrator.post(url("calls_department", "add"), form)
    assert response.status_code == 302, said(response)
    claims = Department.objects.get(name="Claims")
    assert (claims.policy.approval, claims.policy.wrap_up_s) == (Policy.Approval.APPROVE, 30)
    assert claims.numbers.get().number == "+12025550150"
    assert Membership.objects.get().user == priya
    assert claims.opening_hours.get().time_zone == "Europe/Berlin"
    assert claims.holidays.get().note == "Christmas"


@pytest.mark.parametrize(
    ("number", "why"),
    [("2025550150", "country code"), ("+1202", "too short"), ("+12025550151", "already exists")],
)
def test_a_dialled_number_is_checked(administrator: Client, billing: Department, number: str, why: str) -> None:
    NumberRoute.objects.create(number="+12025550151", department=billing)
    form = department_form(**rows("numbers", {"number": number}))
    assert why in said(administrator.post(url("calls_department", "add"), form))
    assert not Department.objects.filter(name="Claims").exists()


def profile_form(**fields: Any) -> dict[str, Any]:
    return {
        "greeting": "Billing, hello.",
        "word_limit": 45,
        "introduction": "",
        "disclosure": "This call is transcribed.\n\n",
        "facts-count": 2,
        "facts-0-label": "Account number",
        "facts-0-required": "on",
        "facts-1-label": "Name",
        "facts-1-may_be_spoken": "on",
        "sections-0": "facts",
        "sections-1": "who",
        "transcribe_consultation": "on",
    } | fields


def test_saving_a_profile_publishes_a_new_version_and_keeps_the_old(
    administrator: Client, billing: Department
) -> None:
    first = AgentProfile.objects.create(department=billing, greeting="Hello", facts=[])
    page = url("calls_agentprofile", "change", first.pk)
    response = administrator.post(page, profile_form(_continue="1"))
    second = AgentProfile.objects.get(department=billing, version=2)
    assert response.headers["Location"] == url("calls_agentprofile", "change", second.pk)
    first.refresh_from_db()
    assert (first.greeting, first.version) == ("Hello", 1)
    assert second.greeting == "Billing, hello."
    assert second.facts == [
        {"key": "account_number", "label": "Account number", "required": True, "may_be_spoken": False},
        {"key": "name", "label": "Name", "required": False, "may_be_spoken": True},
    ]
    assert (second.sections, second.disclosure) == (["facts", "who"], ["This call is transcribed."])
    assert not second.transcribe_after_merge
    # the old version is only looked at
    assert administrator.get(page).status_code == 200
    assert administrator.post(page, profile_form()).status_code == 403
    assert AgentProfile.objects.count() == 2
    assert Event.objects.get(type="profile.published").facts["version"] == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"facts-1-label": "Account number"}, "Two facts have the key"),
        ({"facts-1-label": "!!!"}, "its key begins with"),
        ({"facts-1-key": "Not A Key"}, "its key begins with"),
        ({"facts-1-label": "x" * 61}, "at most 60 characters"),
        ({"sections-1": "facts"}, "Each section appears once"),
        ({"sections-1": "mood"}, "There is no section"),
        ({"word_limit": 5}, "greater than or equal to 10"),
        ({"disclosure": "x" * 501}, "500 characters"),
        ({"greeting": ""}, "This field is required"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_with_the_reason(
    administrator: Client, wrong: dict[str, Any], why: str
) -> None:
    response = administrator.post(url("calls_agentprofile", "add"), profile_form(**wrong))
    assert why in said(response)
    assert not AgentProfile.objects.exists()


# ── another department, by any address ───────────────────────────────────────────────────────────


def test_a_supervisor_cannot_see_or_change_another_department_s_manager(
    supervisor: Client, billing: Department, support: Department
) -> None:
    mine, other = manager_of(billing, name="Dana"), manager_of(support, name="Quentin")
    shift = Shift.objects.create(manager=other, weekday=0, starts="09:00", ends="17:00")
    off = ShiftException.objects.create(manager=other, day=date(2026, 12, 25))
    listed = said(supervisor.get(url("transfers_manager", "changelist")))
    assert "Dana" in listed
    assert "Quentin" not in listed
    assert "Support" not in listed
    for address in (
        url("transfers_manager", "change", other.pk),
        url("transfers_manager", "delete", other.pk),
        url("transfers_manager", "history", other.pk),
        url("transfers_manager", "changelist") + f"?department={support.pk}",
        url("transfers_manager", "changelist") + "?q=Quentin",
        url("transfers_manager", "change", other.pk) + "?_popup=1",
    ):
        assert "Quentin" not in _without_echo(said(supervisor.get(address, follow=True)))
    supervisor.post(url("transfers_manager", "change", other.pk), manager_form(billing, name="Stolen"))
    supervisor.post(url("transfers_manager", "delete", other.pk), {"post": "yes"})
    supervisor.post(
        url("transfers_manager", "changelist"),
        {"action": "delete_selected", "_selected_action": [str(other.pk)], "post": "yes"},
    )
    # rows of another's manager, posted with one's own
    for prefix, row, fields in (
        ("endpoints", other.endpoints.get(), endpoint(address="+12025550199")),
        ("shifts", shift, {"weekday": 1, "starts": "09:00", "ends": "17:00", "time_zone": "UTC"}),
        ("exceptions", off, {"day": "2026-01-01", "kind": "off"}),
    ):
        stolen = fields | {"id": row.pk, "manager": str(mine.pk)}
        form = manager_form(billing) | rows(prefix, stolen, initial=1)
        supervisor.post(url("transfers_manager", "change", mine.pk), form)
    other.refresh_from_db()
    assert not mine.endpoints.filter(address="+12025550199").exists()
    assert other.name == "Quentin"
    assert other.endpoints.get().address == "+12025550101"
    assert Shift.objects.get(manager=other).pk == shift.pk
    assert ShiftException.objects.get(manager=other).day == off.day


def _without_echo(page: str) -> str:
    """The search box says what was searched for."""
    return page.replace('value="Quentin"', "").replace("q=Quentin", "").replace("q%3DQuentin", "")


def test_a_supervisor_puts_managers_into_own_departments_only(
    supervisor: Client, billing: Department, support: Department
) -> None:
    page = said(supervisor.get(url("transfers_manager", "add")))
    assert "Billing" in page
    assert "Support" not in page
    response = supervisor.post(url("transfers_manager", "add"), manager_form(billing, support))
    assert "Select a valid choice" in said(response)
    response = supervisor.post(url("transfers_manager", "add"), manager_form())
    assert "This field is required" in said(response)
    assert not Manager.objects.exists()


def test_what_a_supervisor_does_not_see_of_a_manager_stays(
    supervisor: Client, billing: Department, support: Department
) -> None:
    shared = manager_of(billing, support)
    user = account(Role.MANAGER)
    kept = shared.endpoints.get()
    ways = (endpoint(id=kept.pk, manager=str(shared.pk), ring_time_s=40),)
    form = manager_form(billing, endpoints=ways, initial=1, user=user.pk)
    response = supervisor.post(url("transfers_manager", "change", shared.pk), form)
    assert response.status_code == 302, said(response)
    shared.refresh_from_db()
    assert set(shared.departments.all()) == {billing, support}
    assert shared.user is None  # whose account it is, an administrator says
    kept.refresh_from_db()
    assert kept.ring_time_s == 40
    assert shared.version > 1


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────


def test_an_administrator_makes_accounts_and_no_superuser(administrator: Client, billing: Department) -> None:
    group = Group.objects.get(name=Role.ADMINISTRATOR)
    form = {
        "username": "lea",
        "password1": "a-long-Secret-7",
        "password2": "a-long-Secret-7",
        "groups": [group.pk],
    }
    form |= {"usable_password": "true"} | rows("memberships")
    response = administrator.post(url("auth_user", "add"), form)
    assert response.status_code == 302, said(response)
    lea = User.objects.get(username="lea")
    assert lea.check_password("a-long-Secret-7")
    change = {"username": "lea", "is_active": "on", "is_superuser": "on", "groups": [group.pk]}
    change |= rows("memberships", {"department": billing.pk})
    response = administrator.post(url("auth_user", "change", lea.pk), change)
    assert response.status_code == 302, said(response)
    lea.refresh_from_db()
    assert not lea.is_superuser
    assert lea.departments.get() == billing
    password = {"password1": "another-Secret-8", "password2": "another-Secret-8", "usable_password": "true"}
    response = administrator.post(reverse("admin:auth_user_password_change", args=(lea.pk,)), password)
    assert response.status_code == 302, said(response)
    told = b"".join(bytes(payload.body) for payload in EventPayload.objects.all())
    assert b"Secret" not in told
    assert b"md5" not in told
    assert Event.objects.filter(facts__fields__contains=["password"]).count() == 2


def test_an_administrator_cannot_take_over_a_superuser(administrator: Client) -> None:
    root = User.objects.create_superuser("root", password="x")
    password = {"password1": "another-Secret-8", "password2": "another-Secret-8", "usable_password": "true"}
    for address, form in (
        (reverse("admin:auth_user_password_change", args=(root.pk,)), password),
        (url("auth_user", "delete", root.pk), {"post": "yes"}),
        (url("auth_user", "change", root.pk), {"username": "mine"}),
    ):
        assert administrator.post(address, form).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    administrator.post(url("auth_user", "changelist"), selected)
    assert User.objects.filter(username="root").exists()


def test_a_role_can_be_given_less_and_keeps_what_the_page_does_not_show(administrator: Client) -> None:
    account(Role.SUPERVISOR)
    group = Group.objects.get(name=Role.ADMINISTRATOR)
    kept = group.permissions.filter(codename__in=("view_full_number", "verify_audit"))
    form = {"permissions": [permission.pk for permission in kept]}
    assert administrator.post(url("auth_group", "change", group.pk), form).status_code == 302
    left = set(group.permissions.values_list("codename", flat=True))
    assert "listen_call" not in left
    assert {"view_full_number", "verify_audit", "change_trunk", "change_user"} <= left
    trunk = Permission.objects.get(codename="change_trunk")
    refused = administrator.post(url("auth_group", "change", group.pk), {"permissions": [trunk.pk]})
    assert "Select a valid choice" in said(refused)
    assert group.name == Role.ADMINISTRATOR


# ── keys of the API ──────────────────────────────────────────────────────────────────────────────


def key_form(**fields: Any) -> dict[str, Any]:
    return {"name": "CRM", "scopes": ["calls:read"], "per_minute": 300} | fields


def test_an_administrator_makes_a_key_whose_secret_is_shown_once(
    administrator: Client, supervisor: Client, billing: Department
) -> None:
    assert supervisor.post(url("calls_apikey", "add"), key_form()).status_code == 403
    response = administrator.post(url("calls_apikey", "add"), key_form(departments=[billing.pk]))
    key = ApiKey.objects.get()
    secret = response.context["secret"]
    assert "no-store" in response["Cache-Control"]
    assert secret in said(response)
    assert api_keys.recognised(secret) == key
    assert list(key.departments.all()) == [billing]
    assert key.created_by
    pages = (url("calls_apikey", "changelist"), url("calls_apikey", "change", key.pk))
    for page in (*pages, url("calls_apikey", "history", key.pk)):
        text = said(administrator.get(page))
        assert "CRM" in text
        assert secret not in text
    told = b"".join(bytes(payload.body) for payload in EventPayload.objects.all())
    assert secret.encode() not in told
    assert key.digest.encode() not in told


def test_an_administrator_revokes_a_key_and_nobody_deletes_one(administrator: Client) -> None:
    secret = administrator.post(url("calls_apikey", "add"), key_form()).context["secret"]
    key = ApiKey.objects.get()
    assert administrator.get(url("calls_apikey", "delete", key.pk)).status_code == 403
    change = administrator.post(url("calls_apikey", "change", key.pk), key_form(name="ERP"))
    assert change.status_code == 302, said(change)
    chosen = {"action": "revoke", "_selected_action": [str(key.pk)]}
    assert administrator.post(url("calls_apikey", "changelist"), chosen).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.revoked_at is None) == ("ERP", False)
    assert api_keys.recognised(secret) == key  # so that it can be told
    assert administrator.post(url("calls_apikey", "change", key.pk), key_form(name="x")).status_code == 403
    assert Event.objects.filter(type="setting.saved", facts__fields__contains=["revoked_at"]).count() == 1


def test_a_key_needs_a_scope_that_there_is(administrator: Client) -> None:
    for scopes in ([], ["calls:everything"]):
        response = administrator.post(url("calls_apikey", "add"), key_form(scopes=scopes))
        assert "secret" not in (response.context or {})
    assert not ApiKey.objects.exists()


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────


def webhook_form(**fields: Any) -> dict[str, Any]:
    return {"name": "CRM", "url": "https://example.com/hooks", "types": ["call.ended"], "enabled": "on"} | fields


def make_webhook(administrator: Client) -> tuple[WebhookTarget, str]:
    response = administrator.post(url("calls_webhooktarget", "add"), webhook_form(every_department="on"))
    return WebhookTarget.objects.get(), response.context["secret"]


def test_an_administrator_sets_up_a_webhook_whose_secret_is_shown_once(
    administrator: Client, supervisor: Client
) -> None:
    assert supervisor.post(url("calls_webhooktarget", "add"), webhook_form()).status_code == 403
    target, secret = make_webhook(administrator)
    assert secret.startswith("whsec_")
    for page in (url("calls_webhooktarget", "changelist"), url("calls_webhooktarget", "change", target.pk)):
        text = said(administrator.get(page))
        assert "CRM" in text
        assert secret not in text
    chosen = {"action": "new_secret", "_selected_action": [str(target.pk)]}
    response = administrator.post(url("calls_webhooktarget", "changelist"), chosen)
    assert response.context["secret"] not in ("", secret)
    told = b"".join(bytes(payload.body) for payload in EventPayload.objects.all())
    assert b"whsec_" not in told


@pytest.mark.parametrize("wrong", [{"url": "ftp://example.com"}, {"types": []}, {"types": ["call.everything"]}])
def test_a_webhook_that_cannot_work_is_refused(administrator: Client, wrong: dict[str, Any]) -> None:
    administrator.post(url("calls_webhooktarget", "add"), webhook_form(**wrong))
    assert not WebhookTarget.objects.exists()


def test_an_administrator_sends_again(administrator: Client) -> None:
    target, _ = make_webhook(administrator)
    listing, chosen = url("calls_webhooktarget", "changelist"), {"_selected_action": [str(target.pk)]}
    administrator.post(listing, chosen | {"action": "send_test"})
    message = WebhookMessage.objects.get()
    WebhookMessage.objects.update(state=WebhookMessage.State.GIVEN_UP, tries=10)
    messages = url("calls_webhookmessage", "changelist")
    assert "Given up" in said(administrator.get(messages))
    assert "patchbay.test" in said(administrator.get(url("calls_webhookmessage", "change", message.pk)))
    administrator.post(messages, {"action": "send_again", "_selected_action": [str(message.pk)]})
    message.refresh_from_db()
    assert (message.state, message.tries) == (WebhookMessage.State.WAITING, 0)
    record(CallEnded(from_state="active", reason="caller_left"), actor=SYSTEM, call_id=calls_of().pk)
    seal_events()
    assert "Since (UTC)" in said(administrator.post(listing, chosen | {"action": "send_since"}))
    since = chosen | {"action": "send_since", "since": "2026-01-01T00:00"}
    assert administrator.post(listing, since).status_code == 302
    assert set(WebhookMessage.objects.values_list("type", flat=True)) == {"patchbay.test", "call.ended"}


def calls_of() -> Call:
    return Call.objects.create(room_name="call-1", caller_since=now(), started_at=now(), last_fact_at=now())


def test_a_webhook_that_was_switched_off_is_told_of_on_every_page(
    administrator: Client, supervisor: Client
) -> None:
    target, _ = make_webhook(administrator)
    WebhookTarget.objects.update(enabled=False, gave_up_at=now())
    words = "was switched off on"
    assert said(administrator.get(url("calls_department", "changelist"))).count(words) == 1
    assert words not in said(supervisor.get(url("transfers_manager", "changelist")))
    form = webhook_form(every_department="on")
    assert administrator.post(url("calls_webhooktarget", "change", target.pk), form).status_code == 302
    assert words not in said(administrator.get(url("calls_department", "changelist")))
