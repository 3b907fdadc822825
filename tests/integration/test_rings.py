"""“Ring this number”: rung once through the worker, told in words, and nobody who is in a call is rung."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from calls import effects
from calls.errors import Refused
from calls.models import Department, Effect, EffectState, Event, EventPayload, Owner, OwnerRole, Room
from calls.owners import SILENT_AFTER
from calls.roles import Role
from calls.services import legs, rooms
from calls.telephony.gateway import Permanent, RoomInfo, Uncertain
from calls.telephony.memory import Phone
from tests import rows
from tests.people import account
from tests.world import Story, World
from transfers import rings
from transfers.models import Endpoint, Ring, Trunk
from transfers.states import Outcome

NUMBER = "+12025550188"


@pytest.fixture
def billing(world: World) -> Department:
    return world.department("Billing")


@pytest.fixture
def line(billing: Department) -> Trunk:
    return Trunk.objects.get()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def rung(line: Trunk, *, number: str = NUMBER) -> Ring:
    user, _ = User.objects.get_or_create(username="ada")
    return rings.ring_number(key=uuid4(), user=user, trunk=line, number=number)


def after(world: World, ring: Ring) -> Ring:
    world.settle()
    ring.refresh_from_db()
    return ring


# ── how it goes ──────────────────────────────────────────────────────────────────────────────────


def test_a_phone_that_answers_is_hung_up_at_once(world: World, line: Trunk) -> None:
    ring = after(world, rung(line))
    assert (ring.state, ring.outcome, ring.sip_status) == (Ring.State.ENDED, rings.ANSWERED, None)
    assert "The line works" in rings.words(ring)
    (dial,) = world.server.dials
    assert (dial.to, dial.ringing_timeout_s, dial.dtmf) == (NUMBER, rings.RING_S, "")
    assert world.rooms() == set()  # and with it the phone is hung up


@pytest.mark.parametrize(
    ("status", "outcome", "told"),
    [
        (486, Outcome.BUSY, "It is busy"),
        (480, Outcome.NO_ANSWER, "nobody picked up"),
        (603, Outcome.DECLINED, "Somebody refused"),
        (404, Outcome.INVALID_NUMBER, "no such number"),
        (488, Outcome.UNREACHABLE, "could not reach it"),
        (503, Outcome.TRUNK_ERROR, "The line itself did not work"),
        (403, Outcome.TRUNK_ERROR, "user name and password"),
    ],
)
def test_what_the_carrier_says_is_told_in_words(
    world: World, line: Trunk, status: int, outcome: Outcome, told: str
) -> None:
    world.server.phones[NUMBER] = Phone(status=status)
    ring = after(world, rung(line))
    assert (ring.outcome, ring.sip_status) == (outcome, status)
    assert told in rings.words(ring)
    assert rings.status(ring) == f"SIP {status} status {status}"
    assert world.rooms() == set()


def test_a_line_that_livekit_does_not_have_is_the_line_s_fault(world: World, line: Trunk) -> None:
    Trunk.objects.update(kind=Trunk.Kind.STORED, trunk_id="ST_gone")
    line.refresh_from_db()
    ring = after(world, rung(line))
    assert (ring.outcome, rings.status(ring)) == (Outcome.TRUNK_ERROR, "requested sip trunk does not exist")


def test_an_answer_that_is_lost_is_said_to_be_and_hung_up(world: World, line: Trunk) -> None:
    world.server.fail("dial", Uncertain("broke off", code="broken"), late=True)
    ring = after(world, rung(line))
    assert ring.outcome == Outcome.LOST
    assert (len(world.server.dials), world.rooms()) == (1, set())


def test_whoever_dialled_dies_and_nobody_dials_again(world: World, line: Trunk) -> None:
    ring = rung(line)
    claimed = effects.claim(Effect.objects.get(kind="ring").pk, owner=world.owner)
    assert claimed
    world.run(world.server.create_room(ring.room))  # it came as far as this
    Owner.objects.filter(pk=world.owner.pk).update(beat_at=world.at - SILENT_AFTER * 2)
    effects.release_stale()
    world.owner = Owner.objects.create(role=OwnerRole.WORKER, host="here", pid=2)
    assert after(world, ring).outcome == Outcome.LOST
    assert (world.server.dials, world.rooms()) == ([], set())
    assert Effect.objects.get(kind="ring").state == EffectState.FAILED


def test_its_room_is_no_call(world: World, line: Trunk) -> None:
    metadata = '{"patchbay": "test", "kind": "ring"}'
    rooms.started(RoomInfo("ring-1", "RM_1", metadata), at=world.at)
    assert Room.objects.get().kind == Room.Kind.FOREIGN
    seen = legs.participant_seen(
        legs.RoomFact("ring-1", "RM_1", metadata), legs.ParticipantFact("ring-1", "PA_1", "sip")
    )
    assert seen is None


# ── whom it never rings ──────────────────────────────────────────────────────────────────────────


def test_a_manager_in_an_attempt_is_not_rung(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.briefed()
    way = Endpoint.objects.get(manager=story.people["Dana"])
    line, user = Trunk.objects.get(), User.objects.create(username="ada")
    with pytest.raises(Refused, match="Dana is being called or talks to a caller"):
        rings.ring_endpoint(key=uuid4(), user=user, endpoint=way)
    with pytest.raises(Refused, match="Dana"):
        rings.ring_number(key=uuid4(), user=user, trunk=line, number=way.address)
    assert not Ring.objects.exists()


def test_an_attempt_that_comes_between_click_and_dial_wins(world: World) -> None:
    story = Story(world, managers=("Dana",))
    way = Endpoint.objects.get(manager=story.people["Dana"])
    ring = rings.ring_endpoint(key=uuid4(), user=User.objects.create(username="ada"), endpoint=way)
    later = Effect.objects.filter(kind="ring")
    later.update(due_at=world.at + SILENT_AFTER)
    story.escalates()
    later.update(due_at=world.at)
    ring = after(world, ring)
    assert ring.outcome == Outcome.CANCELLED
    assert "was not rung" in rings.words(ring)
    assert [dial.identity for dial in world.server.dials] == [story.attempt.manager_identity]


def test_a_second_click_is_the_first_ring_and_another_waits_its_turn(world: World, line: Trunk) -> None:
    key, user = uuid4(), User.objects.create(username="ada")
    first = rings.ring_number(key=key, user=user, trunk=line, number=NUMBER)
    assert rings.ring_number(key=key, user=user, trunk=line, number=NUMBER) == first
    with pytest.raises(Refused, match="already"):
        rings.ring_number(key=uuid4(), user=user, trunk=line, number=NUMBER)
    after(world, first)
    rings.ring_number(key=uuid4(), user=user, trunk=line, number=NUMBER)


def test_the_record_has_it_and_the_number_is_forgotten(world: World, line: Trunk) -> None:
    ring = after(world, rung(line))
    asked, ended = Event.objects.filter(type__startswith="line.").order_by("pk")
    assert (asked.type, asked.actor_kind) == ("line.ring_asked", "person")
    assert ended.facts == {"ring_id": str(ring.pk), "outcome": "answered", "sip_status": None}
    assert NUMBER not in str(asked.facts)
    assert NUMBER.encode() in bytes(EventPayload.objects.get(event=asked).body)
    assert (ring.address, ring.last4) == ("", NUMBER[-4:])
    assert NUMBER not in str(list(Effect.objects.values()))


# ── the pages ────────────────────────────────────────────────────────────────────────────────────


def test_an_administrator_rings_over_a_line_and_sees_how_it_goes(world: World, line: Trunk) -> None:
    client = as_(account(Role.ADMINISTRATOR))
    page = reverse("admin:transfers_trunk_ring", args=(line.pk,))
    assert page in client.get(reverse("admin:transfers_trunk_change", args=(line.pk,))).content.decode()
    form = client.get(page)
    assert "hung up as soon as it is answered" in form.content.decode()
    key = form.context["form"].initial["key"]
    refused = client.post(page, {"key": key, "number": "12"})
    assert (refused.status_code, "begin with +" in refused.content.decode()) == (422, True)
    sent = client.post(page, {"key": key, "number": "+1 202 555 0188"})
    ring = Ring.objects.get()
    assert sent.headers["Location"] == reverse("admin:transfers_ring", args=(ring.pk,))
    watching = client.get(sent.headers["Location"])
    assert "will be rung in a moment" in watching.content.decode()
    news = f"{sent.headers['Location']}?seen=asked"
    assert news in watching.content.decode()
    assert client.get(news).status_code == 204
    world.server.phones[NUMBER] = Phone(status=486)
    world.settle()
    told = client.get(news).content.decode()
    assert "It is busy" in told
    assert "SIP 486" in told
    assert "hx-get" not in told  # there is nothing more to come


def test_a_supervisor_rings_the_managers_they_see_and_no_line(
    world: World, billing: Department, line: Trunk
) -> None:
    dana = world.manager("Dana", billing, number="+12025550101", status=200)
    ines = world.manager("Ines", rows.department("Claims"), number="+12025550102", status=200)
    priya = as_(account(Role.SUPERVISOR, billing))
    ways = {manager: Endpoint.objects.get(manager=manager) for manager in (dana, ines)}
    page = reverse("admin:transfers_endpoint_ring", args=(dana.pk, ways[dana].pk))
    assert page in priya.get(reverse("admin:transfers_manager_change", args=(dana.pk,))).content.decode()
    assert "+12025550101 is rung once" in priya.get(page).content.decode()
    sent = priya.post(page, {"key": uuid4()})
    ring = after(world, Ring.objects.get())
    assert (ring.outcome, ring.endpoint) == (rings.ANSWERED, ways[dana])
    assert "The line works" in priya.get(sent.headers["Location"]).content.decode()

    other = reverse("admin:transfers_endpoint_ring", args=(ines.pk, ways[ines].pk))
    mixed = reverse("admin:transfers_endpoint_ring", args=(dana.pk, ways[ines].pk))
    trunk = reverse("admin:transfers_trunk_ring", args=(line.pk,))
    for where, status in ((other, 404), (mixed, 404), (trunk, 403)):
        assert priya.post(where, {"key": uuid4(), "number": NUMBER}).status_code == status
    omar = as_(account(Role.SUPERVISOR, billing, name="omar"))
    assert omar.get(sent.headers["Location"]).status_code == 403  # somebody else's
    assert as_(account(Role.ADMINISTRATOR)).get(sent.headers["Location"]).status_code == 200
    for role in (Role.AUDITOR, Role.MANAGER):
        assert as_(account(role)).post(page, {"key": uuid4()}, follow=True).status_code == 403
    assert Ring.objects.count() == 1


def test_a_refusal_is_told_on_the_page(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.briefed()
    way = Endpoint.objects.get(manager=story.people["Dana"])
    page = reverse("admin:transfers_endpoint_ring", args=(way.manager_id, way.pk))
    refused: Any = as_(account(Role.ADMINISTRATOR)).post(page, {"key": uuid4()})
    assert refused.status_code == 422
    assert "talks to a caller now" in refused.content.decode()


def test_a_gateway_that_is_away_is_told(world: World, line: Trunk) -> None:
    world.server.down = Permanent("LiveKit at x:1 (LIVEKIT_API_URL) refuses", code="unauthenticated")
    ring = rung(line)
    world.perform(Effect.objects.get(kind="ring"))
    ring.refresh_from_db()
    assert (ring.outcome, ring.detail) == (Outcome.TRUNK_ERROR, "LiveKit at x:1 (LIVEKIT_API_URL) refuses")
    world.server.down = None
