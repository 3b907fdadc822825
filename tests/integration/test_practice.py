"""A rehearsal with a manager on their own phone: it teaches, counts for nothing, and calls nobody else."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Call
from calls.roles import Role
from calls.services.legs import ParticipantFact, RoomFact, participant_seen
from calls.states import CallerWith
from tests import rows
from tests.people import account
from tests.world import Agent, Story, World
from transfers import figures, history, practice, requests
from transfers.access import lens_of
from transfers.history_filters import Filters
from transfers.models import Attempt, Callback, Endpoint, Manager, Presence, Transfer
from transfers.rehearsal import house
from transfers.states import AttemptState, EndReason, TransferState


class Lesson(Story):
    """Sam is the caller, and has Dana rung, who is away; Omar of the same department is free."""

    def __init__(self, world: World, **policy: Any) -> None:
        super().__init__(world, **policy)
        self.call = world.call(None, kind="standard")
        Call.objects.filter(pk=self.call.pk).update(rehearsal=True)
        self.call.refresh_from_db()
        self.support = Agent(world, p.Role.SUPPORT, self.call.room_name)
        self.dana, self.sam = self.people["Dana"], User.objects.create(username="sam")
        Manager.objects.filter(pk=self.dana.pk).update(presence=Presence.AWAY, misses=1)
        self.before = Manager.objects.get(pk=self.dana.pk)

    def escalates(self, **fields: Any) -> Transfer:
        made = practice.ring(call_id=self.call.pk, key=uuid4(), manager=self.dana, user=self.sam)
        self.world.settle()
        return made

    def left_dana_as_she_was(self) -> None:
        after = Manager.objects.get(pk=self.dana.pk)
        for name in ("presence", "presence_until", "misses", "last_call_ended_at"):
            assert getattr(after, name) == getattr(self.before, name)
        called = Attempt.objects.filter(transfer__call=self.call).values_list("manager__name", flat=True)
        assert list(called) == ["Dana"]


def test_whoever_is_away_is_rung_hears_that_it_is_a_rehearsal_and_is_connected(world: World) -> None:
    lesson = Lesson(world, approval="approve", wrap_up_s=60)
    agent = lesson.briefed()
    snapshot = agent.snapshot.transfer
    assert snapshot
    assert snapshot.practice
    assert snapshot.briefing.startswith("This is a rehearsal, and nobody is waiting.")
    assert (snapshot.department, snapshot.redirect_targets) == ("Billing", ())
    agent.decides(p.DecisionKind.ACCEPT)
    agent.says(p.BridgeUp())
    assert lesson.caller_with == CallerWith.MANAGER
    world.later(2)
    world.hangs_up(lesson.attempt, "connection_timeout")  # where a caller would be called again
    assert lesson.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    assert lesson.caller_with == CallerWith.AI
    lesson.left_dana_as_she_was()


@pytest.mark.parametrize("kind", [p.DecisionKind.NOT_TODAY, p.DecisionKind.REDIRECT, p.DecisionKind.DECLINE])
def test_a_decision_all_the_same_changes_nothing_of_the_manager_and_calls_nobody(
    world: World, kind: p.DecisionKind
) -> None:
    lesson = Lesson(world, max_attempts=3)
    lesson.briefed().decides(kind, redirect_person="Omar", redirect_department="Billing")
    assert lesson.transfer.state == TransferState.FAILED
    lesson.left_dana_as_she_was()


def test_nobody_who_does_not_answer_is_away_by_it(world: World) -> None:
    lesson = Lesson(world, away_after_misses=1)
    lesson.escalates()
    world.answers(lesson.attempt, 480)
    assert lesson.transfer.state == TransferState.FAILED
    lesson.left_dana_as_she_was()


def test_another_manager_cannot_be_asked_for(world: World) -> None:
    lesson = Lesson(world)
    lesson.merged().says(p.HandedOver(to="another"))
    assert lesson.caller_with == CallerWith.AI
    lesson.left_dana_as_she_was()


def test_the_ai_of_a_rehearsal_calls_nobody_and_promises_nothing(world: World) -> None:
    lesson = Lesson(world)
    lesson.support.says(p.TransferRequested(request_id=uuid4(), reason="wants a person", department="Billing"))
    (answer,) = [body for body in lesson.support.told() if isinstance(body, p.Answer)]
    assert not answer.accepted
    with pytest.raises(Refused, match="rehearsal with one manager"):
        requests.request_transfer(call_id=lesson.call.pk, key=uuid4(), reason="by a click")
    lesson.support.says(p.CallbackRequested(request_id=uuid4(), number="+12025550123"))
    assert not Callback.objects.exists()


def test_it_rings_once_and_never_who_is_with_a_caller(world: World) -> None:
    lesson, key = Lesson(world), uuid4()
    ring = lambda: practice.ring(call_id=lesson.call.pk, key=key, manager=lesson.dana, user=lesson.sam)  # noqa: E731
    assert ring() == ring()
    with pytest.raises(Refused, match="rung already"):
        lesson.escalates()
    world.settle()
    with pytest.raises(Refused, match="with a caller now"):
        practice.begin(lesson.dana)
    with pytest.raises(Refused, match="This rehearsal is over"):
        practice.ring(call_id=rows.call(None).pk, key=uuid4(), manager=lesson.people["Omar"], user=lesson.sam)


def test_the_phone_is_rung_though_a_desk_comes_first(world: World) -> None:
    lesson = Lesson(world)
    Endpoint.objects.create(manager=lesson.dana, kind=Endpoint.Kind.BROWSER, position=0)
    lesson.escalates()
    endpoint = lesson.attempt.endpoint
    assert endpoint
    assert (endpoint.kind, lesson.attempt.desk) == (Endpoint.Kind.PHONE, False)


def test_it_is_in_no_report_but_in_the_history_of_rehearsals(world: World) -> None:
    lesson = Lesson(world)
    lesson.merged()
    world.caller_leaves(lesson.call)
    lens = lens_of(account(Role.SUPERVISOR, lesson.where))
    assert not history.history_page(lens, Filters()).rows
    (row,) = history.history_page(lens, Filters(rehearsals=True)).rows
    assert row.id == lesson.transfer.pk
    assert (figures._reached(lens), figures._accept(lens)) == (None, None)


# ── its page ─────────────────────────────────────────────────────────────────────────────────────

PEOPLE = {
    "owner": (Role.SUPERVISOR, "billing", 200),
    "other": (Role.SUPERVISOR, "claims", 404),
    "administrator": (Role.ADMINISTRATOR, "", 200),
    "auditor": (Role.AUDITOR, "", 403),
    "manager": (Role.MANAGER, "", 403),
}


@pytest.mark.django_db
@pytest.mark.parametrize("who", PEOPLE)
def test_whose_managers_one_may_rehearse_with(who: str) -> None:
    floor, (role, where, status) = rows.floor(), PEOPLE[who]
    user = account(role, *([getattr(floor, where)] if where else []))
    omar = Manager.objects.get(name="Omar")
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    assert browser.get(reverse("rehearse", args=[omar.pk])).status_code == status
    made = browser.post(reverse("rehearse_token", args=[omar.pk]))
    assert made.status_code == status
    call = rows.call(None, rehearsal=True, source=Call.Source.TEST)
    rung = browser.post(reverse("rehearse_ring", args=[omar.pk]), {"call": str(call.pk), "key": str(uuid4())})
    assert rung.status_code == (204 if status == 200 else status)
    assert Transfer.objects.filter(call=call, person=omar).exists() == (status == 200)


@pytest.mark.django_db
def test_the_page_says_who_cannot_be_rung_and_the_managers_row_leads_to_it() -> None:
    floor = rows.floor()
    browser = Client()
    browser.force_login(account(Role.SUPERVISOR, floor.billing))
    dana = Manager.objects.get(name="Dana")
    assert Attempt.objects.filter(manager=dana, state=AttemptState.SUMMARIZING).exists()
    page = browser.get(reverse("rehearse", args=[dana.pk])).content.decode()
    assert "Dana is with a caller now." in page
    assert "with-mic" not in page
    panel = browser.get(reverse("presence", args=[dana.pk])).content.decode()
    assert reverse("rehearse", args=[dana.pk]) in panel


@pytest.mark.django_db
def test_the_room_of_a_rehearsal_becomes_one_of_no_department() -> None:
    house.own_department()
    caller = practice.begin(rows.manager("Omar", rows.department("Billing")))
    config = jwt.decode(caller.token, options={"verify_signature": False})["roomConfig"]
    leg = participant_seen(
        RoomFact(caller.room, "RM_1", config["metadata"]), ParticipantFact(caller.identity, "PA_1", "standard")
    )
    assert leg
    assert leg.call.is_practice
    assert leg.call.source == Call.Source.TEST
