"""The rehearsals' own department: made once, reached differently in each run, and led to by nobody else."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Call, Department, Event
from calls.roles import Role
from calls.states import CallState
from tests import rows
from tests.people import account
from transfers import history, requests, services
from transfers.access import lens_of
from transfers.history_filters import Filters
from transfers.models import Endpoint, Manager, Presence, Transfer, Trunk
from transfers.people import groups
from transfers.rehearsal import house
from transfers.rehearsal.errors import CannotRehearse, Stuck
from transfers.rehearsal.facts import Seen, look
from transfers.rehearsal.scenarios import SCENARIOS
from transfers.rehearsal.timeline import Marks
from transfers.rehearsal.watch import Watch
from transfers.selectors import manager_named, roster_names
from transfers.states import AttemptState, TransferState

pytestmark = pytest.mark.django_db
NUMBER = "+12025550101"


@pytest.fixture(autouse=True)
def line() -> Trunk:
    return Trunk.objects.create(name="Line", trunk_id="ST_line", sip_number="+12025550199", is_default=True)


def prepare(name: str = "accepts", address: str = NUMBER, trunk: str = "") -> house.House:
    return house.prepare(SCENARIOS[name], address=address, trunk=trunk)


def test_it_is_made_once_and_left_as_it_is() -> None:
    first = prepare()
    events = Event.objects.count()
    again = prepare()
    assert (first.department, first.manager) == (again.department, again.manager)
    assert Event.objects.count() == events
    assert first.department.policy.approval == "auto"
    assert first.introduction


def test_each_run_reaches_the_manager_in_its_own_way() -> None:
    prepare("extension")
    endpoint = prepare("no-answer", trunk="stored").manager.endpoints.get()
    assert (endpoint.address, endpoint.dtmf, endpoint.ring_time_s, endpoint.trunk.name) == (NUMBER, "", 6, "Line")
    endpoint = prepare("sip-uri", "sip:tom@pbx.example.com").manager.endpoints.get()
    assert (endpoint.kind, endpoint.trunk) == (Endpoint.Kind.SIP_URI, None)


def test_an_inline_trunk_comes_from_the_environment(settings) -> None:
    settings.SIP_TRUNK_HOSTNAME, settings.SIP_NUMBER = "sip.example.com", "+12025550198"
    for _ in range(2):
        trunk = prepare(trunk="inline").manager.endpoints.get().trunk
    assert (trunk.kind, trunk.hostname, trunk.sip_number) == ("inline", "sip.example.com", "+12025550198")
    assert not trunk.is_default


def test_without_a_line_it_says_what_to_do(settings) -> None:
    Trunk.objects.all().delete()
    settings.SIP_TRUNK_ID = settings.SIP_TRUNK_HOSTNAME = settings.CARRIER_URL = ""
    for trunk in ("", "stored", "inline"):
        with pytest.raises(CannotRehearse, match=r"SIP_TRUNK_|trunk"):
            prepare(trunk=trunk)


def test_a_number_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(CannotRehearse, match="12 cannot be called"):
        prepare(address="12")


def test_the_manager_is_there_again_whatever_the_last_run_left() -> None:
    manager = prepare().manager
    Manager.objects.filter(pk=manager.pk).update(presence=Presence.AWAY, presence_reason="not today", active=False)
    manager = prepare().manager
    assert (manager.presence, manager.active, manager.presence_reason) == (Presence.AVAILABLE, True, "")


def test_a_department_of_that_name_is_left_alone() -> None:
    theirs = rows.department("Rehearsal")
    made = prepare().department
    assert made.name != theirs.name
    assert not Department.objects.get(pk=theirs.pk).rehearsal


def test_nobody_else_is_led_there() -> None:
    billing = rows.department("Billing")
    rows.manager("Dana", billing)
    made = prepare()
    call = rows.call(billing)
    assert roster_names(call) == [("Billing", ["Dana"])]
    assert manager_named(call, made.manager.name, None) is None
    lens = lens_of(account(Role.ADMINISTRATOR))
    for every in (True, False):
        assert [group.department for group in groups(lens, every=every)] == [billing]
    asked = p.TransferRequested(request_id=uuid4(), reason="help", department=made.department.name)
    transfer = requests.request_by_agent(call, asked)
    assert transfer.department == billing


def test_a_rehearsal_is_led_to_nobody_else() -> None:
    rows.manager("Dana", rows.department("Billing"))
    made = prepare()
    call = rows.call(made.department, rehearsal=True)
    assert roster_names(call) == [(made.department.name, [made.manager.name])]
    assert manager_named(call, "Dana", None) is None


@pytest.mark.parametrize("rehearsal", [True, False])
def test_not_even_a_person_leads_one_to_the_other(rehearsal: bool) -> None:
    billing, made = rows.department("Billing"), prepare()
    here, there = (made.department, billing) if rehearsal else (billing, made.department)
    call = rows.call(here, rehearsal=rehearsal)
    user = account(Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="rehearsal"):
        requests.request_transfer(call_id=call.pk, key=uuid4(), reason="now", department=there, user=user)
    transfer = rows.transfer(call, TransferState.REQUESTED)
    with pytest.raises(Refused, match="rehearsal"):
        services.choose(transfer_id=transfer.pk, user=user, department=there)
    assert Transfer.objects.get().department != there


def test_no_test_call_goes_there(client: Client) -> None:
    prepare()
    client.force_login(account(Role.ADMINISTRATOR))
    assert "Rehearsal" not in client.get("/test-call").content.decode()


def test_it_is_asked_for_by_the_rehearsal_and_kept_out_of_history() -> None:
    made = prepare()
    call = rows.call(made.department, rehearsal=True)
    transfer = requests.request_transfer(
        call_id=call.pk, key=uuid4(), reason="test", department=made.department, actor=house.ACTOR
    )
    lens = lens_of(account(Role.ADMINISTRATOR))
    assert history.history_page(lens, Filters()).rows == []
    (row,) = history.history_page(lens, Filters(rehearsals=True)).rows
    assert (row.id, row.asked_by) == (transfer.pk, "rehearsal")
    event = Event.objects.get(type="transfer.requested")
    assert (event.actor_kind, event.actor_id, event.facts["by"]) == ("system", "rehearsal", "system")


def test_what_a_killed_rehearsal_left_is_ended() -> None:
    made = prepare()
    call, other = rows.call(made.department, rehearsal=True), rows.call(None)
    with_a_manager = rows.call(None, rehearsal=True)
    transfer = rows.transfer(call, TransferState.CONNECTING)
    house.end_earlier()
    assert Call.objects.get(pk=call.pk).state == CallState.INACTIVE
    assert Transfer.objects.get(pk=transfer.pk).wake_at is not None
    assert Call.objects.get(pk=other.pk).is_live
    assert Call.objects.get(pk=with_a_manager.pk).is_live


@pytest.mark.django_db(transaction=True)
def test_a_second_rehearsal_at_the_same_time_is_refused() -> None:
    with house.alone(), pytest.raises(CannotRehearse, match="Another rehearsal is running"), house.alone():
        pass
    with house.alone():
        pass


def test_without_a_simulator_or_a_number_the_one_object_says_what_to_do(settings, capsys) -> None:
    settings.CARRIER_URL = ""
    with pytest.raises(SystemExit) as ended:
        call_command("rehearse", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["ok"], told["scenario"]) == (1, False, "accepts")
    assert "--number" in told["problems"][0]
    with pytest.raises(CommandError, match="--number"):
        call_command("rehearse")


def test_a_carrier_that_does_not_answer_is_one_line(settings) -> None:
    settings.CARRIER_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=r"does not answer at http://127\.0\.0\.1:1"):
        call_command("rehearse")


def test_a_step_that_does_not_come_in_time_is_named() -> None:
    marks = Marks(clicked=time.time() - 7)
    watch = Watch(marks, SCENARIOS["accepts"], None, lambda at, text: None)
    with pytest.raises(Stuck, match="The caller was not put on hold"):
        watch.limit(Seen(rows.call(None)))
    marks.held = marks.dialled = time.time() - 12
    watch.limit(Seen(rows.call(None)))  # it may ring for long
    marks.dialled = time.time() - 45
    with pytest.raises(Stuck, match="the attempt did not end"):
        watch.limit(Seen(rows.call(None)))


def test_after_a_manager_who_names_another_that_one_has_time_to_be_rung_and_briefed() -> None:
    at = time.time() - 50
    marks = Marks(clicked=at, held=at, dialled=at, answered=at, briefing=at, decided=at)
    seen = Seen(rows.call(None))
    Watch(marks, SCENARIOS["names-another"], None, lambda at, text: None).limit(seen)
    with pytest.raises(Stuck, match="nothing followed"):
        Watch(marks, SCENARIOS["accepts"], None, lambda at, text: None).limit(seen)


def test_the_steps_are_told_once_by_the_rows() -> None:
    made = prepare()
    call = rows.call(made.department, rehearsal=True)
    transfer = rows.transfer(call, TransferState.CONSULTING, held_at=rows.ago(9))
    rows.attempt(transfer, made.manager, AttemptState.SUMMARIZING, answered_at=rows.ago(4))
    told: list[str] = []
    watch = Watch(Marks(), SCENARIOS["accepts"], None, lambda at, text: told.append(text))
    for _ in range(2):
        watch.note(look(call.pk))
    assert told == ["the caller is on hold", "the manager is dialled", "the manager answers"]
    assert watch.marks.answered is not None
    assert watch.marks.merged is None
