"""LiveKit's webhooks: only its own are believed, each once, in whatever order they come."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client
from livekit import api

from calls import webhook_app
from calls.models import Call, Event, Leg, Room, WebhookDelivery
from calls.states import CallState

pytestmark = pytest.mark.django_db

NUMBERS = count(1)
OURS = json.dumps({"patchbay": "test", "kind": "call", "source": "test"})
THEIRS = json.dumps({"patchbay": "another", "kind": "call"})


def signed(body: bytes, *, key: str = "", secret: str = "", life: timedelta = timedelta(minutes=5)) -> str:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = api.AccessToken(key or settings.LIVEKIT_API_KEY, secret or settings.LIVEKIT_API_SECRET)
    return token.with_sha256(digest).with_ttl(life).to_jwt()


def event(kind: str, *, room: str = "call-1", sid: str = "RM_1", metadata: str = OURS, **more: Any) -> bytes:
    body = {
        "event": kind,
        "id": f"EV_{next(NUMBERS)}",
        "createdAt": str(int(time.time())),
        "room": {"name": room, "sid": sid, "metadata": metadata, "creationTime": str(int(time.time()))},
        **more,
    }
    return json.dumps(body).encode()


def who(identity: str = "caller-1", sid: str = "PA_1", **more: Any) -> dict[str, Any]:
    return {"participant": {"identity": identity, "sid": sid, "state": "ACTIVE", **more}}


def post(body: bytes, token: str | None = None) -> int:
    answer = Client(enforce_csrf_checks=True).post(
        "/webhooks/livekit",
        data=body,
        content_type="application/webhook+json",
        headers={"Authorization": signed(body) if token is None else token},
    )
    return answer.status_code


JOINED: dict[str, Any] = {
    "kind": "SIP",
    "attributes": {"sip.callStatus": "active", "sip.phoneNumber": "+12025550143"},
}
FORGED: dict[str, Callable[[bytes], str]] = {
    "nothing": lambda body: "",
    "rubbish": lambda body: "Bearer rubbish",
    "another secret": lambda body: signed(body, secret="x" * 40),
    "another key": lambda body: signed(body, key="APIother"),
    "another body": lambda body: signed(body + b" "),
    "expired": lambda body: signed(body, life=timedelta(seconds=-91)),
    "a join token": lambda body: (
        api.AccessToken(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
        .with_identity("x")
        .with_grants(api.VideoGrants(room_join=True, room="call-1"))
        .to_jwt()
    ),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_webhook_writes_nothing(forgery: str) -> None:
    body = event("participant_joined", **who(**JOINED))
    assert post(body, FORGED[forgery](body)) == 401
    for model in (WebhookDelivery, Call, Leg, Event, Room):
        assert not model.objects.exists()


def test_what_is_no_webhook_is_refused_even_when_signed() -> None:
    for body in (b"", b"{", b"[]", b"\xff", b'{"event": "room_started"}'):
        assert post(body) == 401
    assert not WebhookDelivery.objects.exists()
    assert Client().get("/webhooks/livekit").status_code == 405


def test_a_clock_that_is_a_minute_off_is_no_forgery() -> None:
    body = event("room_started")
    assert post(body, signed(body, life=timedelta(seconds=-60))) == 200


def test_a_caller_who_joins_opens_a_call_with_a_leg() -> None:
    assert post(event("room_started")) == 200
    assert post(event("participant_joined", **who(**JOINED))) == 200
    call = Call.objects.get()
    assert (call.room_name, call.room_sid, call.caller_identity) == ("call-1", "RM_1", "caller-1")
    assert call.caller_last4 == "0143"
    leg = Leg.objects.get()
    assert (leg.kind, leg.sip_status, leg.left_at) == ("caller", "active", None)
    delivery = WebhookDelivery.objects.get(type="participant_joined")
    assert (delivery.room_name, delivery.identity, delivery.participant_sid) == ("call-1", "caller-1", "PA_1")


def test_the_same_webhook_twice_is_one() -> None:
    body = event("participant_joined", **who(**JOINED))
    assert (post(body), post(body)) == (200, 200)
    assert WebhookDelivery.objects.count() == 1
    assert (Call.objects.count(), Leg.objects.count()) == (1, 1)
    assert Event.objects.filter(type="leg.joined").count() == 1


def test_a_room_that_is_not_ours_is_only_looked_at() -> None:
    for number, metadata in enumerate((THEIRS, "", "not json", "[]")):
        post(event("participant_joined", room=f"call-{number}", metadata=metadata, **who(sid=f"PA_{number}")))
    assert not Call.objects.exists()
    assert set(Room.objects.values_list("kind", flat=True)) == {Room.Kind.FOREIGN}


def test_a_caller_who_leaves_ends_the_call() -> None:
    post(event("participant_joined", **who()))
    post(event("participant_left", **who(disconnectReason="CLIENT_INITIATED")))
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.INACTIVE, "caller_left")
    assert Leg.objects.get().leave_reason == "client_initiated"
    post(event("room_finished"))
    assert Room.objects.get().gone_at


def test_leaving_before_joining_is_having_left() -> None:
    left = event("participant_left", **who())
    joined = event("participant_joined", **who())
    post(left)
    post(joined)
    assert not Call.objects.exists()
    assert Room.objects.get().participants == []


def test_nothing_late_opens_a_finished_room_again() -> None:
    late = event("participant_joined", **who(sid="PA_2"))
    track = event("track_published", **who(), track={"sid": "TR_1", "source": "MICROPHONE"})
    post(event("participant_joined", **who()))
    post(event("room_finished"))
    assert (post(late), post(track)) == (200, 200)
    assert [call.state for call in Call.objects.all()] == [CallState.INACTIVE]
    assert Leg.objects.filter(left_at=None).count() == 0


def test_a_call_that_has_ended_is_not_opened_by_who_is_still_in_its_room() -> None:
    post(event("participant_joined", **who()))
    post(event("participant_left", **who()))
    post(event("participant_joined", **who("support", "PA_9", kind="AGENT")))
    assert [call.state for call in Call.objects.all()] == [CallState.INACTIVE]


def test_who_comes_again_under_the_same_name_never_left() -> None:
    """The server says that the first connection left, as a duplicate, before it says that the second joined."""
    post(event("participant_joined", **who()))
    post(event("participant_left", **who(disconnectReason="DUPLICATE_IDENTITY")))
    post(event("participant_joined", **who(sid="PA_2")))
    call = Call.objects.get()
    assert call.state == CallState.ACTIVE
    assert {leg.participant_sid: leg.leave_reason for leg in Leg.objects.all()} == {"PA_1": "replaced", "PA_2": ""}


def test_a_server_that_shuts_down_ends_no_call() -> None:
    post(event("participant_joined", **who()))
    post(event("participant_left", **who(disconnectReason="SERVER_SHUTDOWN")))
    assert Call.objects.get().state == CallState.ACTIVE


def test_a_room_that_came_back_is_the_same_call() -> None:
    post(event("participant_joined", **who()))
    post(event("participant_joined", sid="RM_2", **who(sid="PA_2")))
    post(event("room_finished", sid="RM_1"))
    call = Call.objects.get()
    assert (call.state, call.room_sid) == (CallState.ACTIVE, "RM_2")


def test_a_room_shows_who_is_in_it_and_what_they_send() -> None:
    post(event("room_started"))
    post(event("participant_joined", **who(kind="SIP", attributes={"sip.callStatus": "active", "other": "1"})))
    post(event("track_published", metadata="", **who(), track={"sid": "TR_1", "source": "MICROPHONE"}))
    room = Room.objects.get()
    assert (room.kind, room.gone_at) == (Room.Kind.CALL, None)
    assert room.call == Call.objects.get()
    (inside,) = room.participants
    assert (inside["identity"], inside["kind"], inside["sip"]) == (
        "caller-1",
        "sip",
        {"sip.callStatus": "active"},
    )
    assert inside["tracks"] == [{"sid": "TR_1", "kind": "audio", "source": "microphone", "muted": False}]
    before = room.version
    post(event("track_unpublished", metadata="", **who(), track={"sid": "TR_1"}))
    room.refresh_from_db()
    assert room.participants[0]["tracks"] == []
    assert room.version == before + 1


def test_a_consultation_belongs_to_its_call() -> None:
    post(event("participant_joined", **who()))
    call, attempt = Call.objects.get(), uuid4()
    metadata = json.dumps({"patchbay": "test", "kind": "consult", "call": str(call.pk), "attempt": str(attempt)})
    post(
        event(
            "participant_joined",
            room=f"consult-{attempt}",
            sid="RM_2",
            metadata=metadata,
            **who(f"manager-{attempt}", "PA_2", kind="SIP", attributes={"sip.callStatus": "dialing"}),
        )
    )
    leg = Leg.objects.get(participant_sid="PA_2")
    assert (leg.kind, leg.attempt_id, leg.call, leg.sip_status) == ("manager", attempt, call, "dialing")
    room = Room.objects.get(name=f"consult-{attempt}")
    assert (room.kind, room.call, room.attempt_id) == (Room.Kind.CONSULT, call, attempt)


def test_a_fault_of_ours_keeps_the_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("calls.webhooks.legs.participant_seen", fails)
    assert post(event("participant_joined", **who())) == 200
    assert WebhookDelivery.objects.count() == 1
    assert not Call.objects.exists()


async def app_answers(body: bytes, token: str) -> int:
    """The status of the webhooks' own ASGI app."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": webhook_app.PATH,
        "headers": [(b"Authorization", token.encode())],
    }
    assert webhook_app.is_webhook(scope)
    talk = ApplicationCommunicator(webhook_app.app, scope)
    await talk.send_input({"type": "http.request", "body": body[:10], "more_body": True})
    await talk.send_input({"type": "http.request", "body": body[10:]})
    start = await talk.receive_output(5)
    assert (await talk.receive_output(5))["type"] == "http.response.body"
    return int(start["status"])


@pytest.mark.django_db(transaction=True)
async def test_beside_the_pages_the_same_is_answered() -> None:
    body = event("room_started", room="call-app")
    assert await app_answers(body, "not signed") == 401
    assert not await WebhookDelivery.objects.aexists()
    assert await app_answers(body, signed(body)) == 200
    assert await app_answers(body, signed(body)) == 200
    assert await WebhookDelivery.objects.acount() == 1
    assert await app_answers(b"x" * (webhook_app.LONGEST + 1), "") == 413


def test_only_webhooks_go_that_way() -> None:
    assert not webhook_app.is_webhook({"type": "http", "method": "GET", "path": webhook_app.PATH})
    assert not webhook_app.is_webhook({"type": "http", "method": "POST", "path": "/login"})
