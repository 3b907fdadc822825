"""Webhooks that go out, to a real server that verifies them: nothing is lost, whatever it does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from standardwebhooks import Webhook

from calls.events import SYSTEM, CallStarted, record
from calls.health import Verdict
from calls.models import Call, Department, Event, EventPayload, WebhookCursor, WebhookMessage, WebhookTarget
from calls.outgoing import catalogue, health, messages, sender, signing
from calls.seals import seal_events
from calls.services import webhook_targets
from tests import rows
from tests.keys import Program, key
from tests.product import until
from tests.receiver import Receiver, clock_of_receivers
from tests.world import Story, World
from transfers import manager_presence
from transfers.models import Policy

EVERYTHING = [name for name, _ in catalogue.choices()]
State = WebhookMessage.State


@pytest.fixture
def receiver(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    clock_of_receivers(monkeypatch, lambda: world.at)
    made = Receiver()
    made.start()
    yield made
    made.stop()


def target(receiver: Receiver, *departments: Department, **fields: Any) -> WebhookTarget:
    defaults: dict[str, Any] = {
        "name": "CRM",
        "url": receiver.url,
        "types": EVERYTHING,
        "every_department": not departments,
    }
    made = WebhookTarget(**(defaults | fields))
    made.full_clean(exclude=("created_at",))
    receiver.secret = webhook_targets.make(made, actor=SYSTEM)
    made.departments.set(departments)
    return made


def turn(world: World) -> None:
    """What the clock does, until nothing more is due."""
    seal_events()
    while messages.fan_out():
        pass
    while claimed := messages.claim_due(50):
        for message in claimed:
            world.run(sender.send(message))


def owed() -> set[str]:
    """The ids of every event that somebody is to be told of, from the record itself."""
    return {f"msg_{event.id}" for event in Event.objects.all() if catalogue.outgoing_of(event)}


def states() -> list[str]:
    return list(WebhookMessage.objects.order_by("created_at", "pk").values_list("state", flat=True))


def log() -> list[tuple[int | None, str]]:
    tries = WebhookMessage.objects.get().log
    return list(tries.values_list("status", "error"))


def started(call: Call) -> Event:
    return record(CallStarted(source="phone", department_id=call.department_id), actor=SYSTEM, call_id=call.pk)


@pytest.fixture
def call(world: World) -> Call:
    return rows.call(rows.department("Billing"))


# ── what arrives ─────────────────────────────────────────────────────────────────────────────────


def test_a_whole_transfer_is_told_signed_and_in_ids_only(world: World, receiver: Receiver) -> None:
    target(receiver)
    story = Story(world, approval=Policy.Approval.AUTO)
    story.merged()
    story.world.caller_leaves(story.call)
    turn(world)
    assert receiver.refused == []
    assert receiver.ids == owed()
    ordered = [kind for kind in receiver.types if kind.startswith("transfer.")]
    assert ordered[0] == "transfer.requested"
    assert ordered.count("transfer.ended") == 1
    assert {"call.started", "call.moved", "call.ended", "attempt.ended"} <= set(receiver.types)
    ended = next(said for _, said in receiver.got if said["type"] == "transfer.ended")
    assert ended["data"]["transfer_id"] == str(story.transfer.pk)
    assert ended["data"]["end_reason"] == "connected"
    assert (
        datetime.fromisoformat(ended["timestamp"])
        == Event.objects.get(type="transfer.moved", facts__to_state="completed").at
    )
    everything = json.dumps([said for _, said in receiver.got])
    for secret in ("charged twice", "Dana", "0144"):
        assert secret not in everything


def test_words_are_sent_where_the_setting_says_so_and_not_after_they_are_erased(
    world: World, receiver: Receiver
) -> None:
    made = target(receiver, with_content=True, types=["transfer.requested"])
    Story(world).escalates()
    turn(world)
    assert [said["data"]["content"] for _, said in receiver.got] == [{"reason": "charged twice"}]
    EventPayload.objects.all().delete()
    messages.send_all_since(made, world.at - timedelta(hours=1))
    turn(world)
    assert receiver.got[-1][1]["data"]["content"] == {}


def test_a_target_is_told_of_its_departments_and_its_types(world: World, receiver: Receiver) -> None:
    billing, claims = rows.department("Billing"), rows.department("Claims")
    target(receiver, billing, types=["call.started", "presence.changed"])
    wanted = [started(rows.call(billing)), started(rows.call(None))]
    started(rows.call(claims))
    started(rows.call(billing, rehearsal=True))
    for who in (rows.manager("Dana", billing, claims), rows.manager("Ines", claims)):
        manager_presence.set_for(manager_id=who.pk, actor=SYSTEM, presence="away", reason="lunch")
    turn(world)
    dana = Event.objects.filter(type="manager.presence_set").order_by("seq")[0]
    assert receiver.ids == {f"msg_{event.id}" for event in (*wanted, dana)}


def test_a_target_is_told_of_what_happens_from_its_making_on(world: World, receiver: Receiver, call: Call) -> None:
    started(call)
    seal_events()
    target(receiver)
    later = started(call)
    turn(world)
    assert receiver.ids == {f"msg_{later.id}"}


def test_an_event_whose_transaction_commits_late_is_told_of_too(
    world: World, receiver: Receiver, call: Call
) -> None:
    """Its number is lower than that of events which were told of already."""
    target(receiver)
    written, commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                started(call)
                written.set()
                commit.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(30)
    early = started(call)
    turn(world)
    assert receiver.ids == {f"msg_{early.id}"}
    commit.set()
    thread.join(30)
    late = Event.objects.exclude(pk=early.pk).get(type="call.started")
    assert late.seq < early.seq
    turn(world)
    assert receiver.ids == owed() == {f"msg_{early.id}", f"msg_{late.id}"}


# ── outages ──────────────────────────────────────────────────────────────────────────────────────


def test_a_receiver_loses_no_event_across_its_own_outage(world: World, receiver: Receiver) -> None:
    made = target(receiver)
    story = Story(world)
    turn(world)
    before = set(receiver.ids)
    receiver.stop()  # connections are refused
    story.merged()
    turn(world)
    world.at += timedelta(minutes=20)
    turn(world)
    receiver.start()
    receiver.answers = 500  # it is up, and ill
    world.caller_leaves(story.call)
    for hours in (1, 4, 9):
        world.at += timedelta(hours=hours)
        turn(world)
    made.refresh_from_db()
    assert made.failing_since
    assert receiver.ids == before
    receiver.answers = 200
    world.at += timedelta(days=1)  # the next try of one of them; the others follow at once
    turn(world)
    made.refresh_from_db()
    assert receiver.ids == owed()
    assert made.failing_since is None
    assert set(states()) == {State.SENT}


def test_a_replay_sends_all_again_with_the_same_ids(world: World, receiver: Receiver) -> None:
    made = target(receiver)
    Story(world).merged()
    turn(world)
    first, since = sorted(one for one, _ in receiver.got), world.at - timedelta(hours=1)
    WebhookMessage.objects.filter(type="call.started").delete()  # kept for 30 days only: made anew
    assert messages.send_all_since(made, since) == len(first)
    turn(world)
    assert sorted(one for one, _ in receiver.got) == sorted(first * 2)
    assert messages.send_all_since(made, world.at + timedelta(seconds=1)) == 0


def test_a_replay_tells_of_what_happened_while_a_target_was_off(
    world: World, receiver: Receiver, call: Call
) -> None:
    made = target(receiver)
    WebhookTarget.objects.update(enabled=False)
    missed = started(call)
    turn(world)
    WebhookTarget.objects.update(enabled=True)
    turn(world)
    assert receiver.got == []
    assert messages.send_all_since(made, world.at) == 1
    turn(world)
    assert receiver.ids == {f"msg_{missed.id}"}


def test_the_pauses_are_those_of_the_standard_and_then_it_is_given_up(
    world: World, receiver: Receiver, call: Call
) -> None:
    target(receiver)
    receiver.answers = 503
    started(call)
    turn(world)
    for pause in messages.PAUSES:
        before = WebhookMessage.objects.get().log.count()
        world.at += pause * 0.99
        turn(world)
        assert WebhookMessage.objects.get().log.count() == before
        world.at += pause * (messages.JITTER + 0.02)
        turn(world)
        assert WebhookMessage.objects.get().log.count() == before + 1
    assert states() == [State.GIVEN_UP]
    assert log() == [(503, "")] * 10
    assert timedelta(days=3) < sum(messages.PAUSES, timedelta()) < timedelta(days=3.5)


def test_a_target_to_which_nothing_arrives_for_days_is_switched_off_and_comes_back(
    world: World, receiver: Receiver, call: Call
) -> None:
    made = target(receiver)
    receiver.answers = 500
    started(call)
    turn(world)
    world.at += messages.OFF_AFTER + timedelta(hours=1)
    second = started(call)
    turn(world)
    made.refresh_from_db()
    assert (made.enabled, made.gave_up_at) == (False, world.at)
    assert Event.objects.get(type="webhook.given_up").facts["status"] == 500
    receiver.answers = 200
    turn(world)
    assert receiver.got == []
    made.enabled = True
    webhook_targets.save(made, actor=SYSTEM)
    world.at += timedelta(minutes=6)
    turn(world)
    assert f"msg_{second.id}" in receiver.ids
    made.refresh_from_db()
    assert (made.gave_up_at, made.failing_since) == (None, None)


def test_a_receiver_that_says_that_it_is_gone_is_left_alone(world: World, receiver: Receiver, call: Call) -> None:
    made = target(receiver)
    receiver.answers = 410
    started(call)
    turn(world)
    made.refresh_from_db()
    assert not made.enabled


def test_a_receiver_may_say_when_to_come_again(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver)
    receiver.answers, receiver.headers = 429, {"Retry-After": "3600"}
    started(call)
    turn(world)
    assert WebhookMessage.objects.get().due_at == world.at + timedelta(hours=1)


def test_a_redirect_is_not_followed(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver)
    receiver.answers, receiver.headers = 302, {"Location": receiver.url}
    started(call)
    turn(world)
    assert (receiver.asked, log()) == (1, [(302, "")])


def test_who_does_not_answer_is_waited_for_a_while_only(
    world: World, receiver: Receiver, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target(receiver, url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        started(call)
        turn(world)
    assert log() == [(None, "no answer in 0 s")]
    assert states() == [State.WAITING]


# ── processes ────────────────────────────────────────────────────────────────────────────────────


def test_what_a_killed_process_was_sending_is_sent_again(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver)
    event = started(call)
    seal_events()
    messages.fan_out()
    (held,) = messages.claim_due(1)
    world.at += messages.STALE_AFTER - timedelta(seconds=1)
    messages.release_stale()
    turn(world)
    assert receiver.got == []
    world.at += timedelta(seconds=2)
    messages.release_stale()
    turn(world)
    assert receiver.ids == {f"msg_{event.id}"}
    messages.settle(held, status=500, error="", took_ms=1)  # it was only slow: the other one's outcome counts
    assert states() == [State.SENT]


def test_two_clocks_make_and_send_each_message_once(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver)
    started(call)
    seal_events()
    with transaction.atomic():
        WebhookCursor.objects.select_for_update().get()
        found: list[int] = []

        def other() -> None:
            try:
                found.append(messages.fan_out())
            finally:
                connection.close()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert found == [0]
    assert (messages.fan_out(), messages.fan_out()) == (1, 0)
    assert [len(messages.claim_due(9)), len(messages.claim_due(9))] == [1, 0]


def test_one_target_s_backlog_does_not_keep_another_waiting(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver, name="slow")
    target(receiver, name="quick")
    for _ in range(20):
        started(call)
    seal_events()
    messages.fan_out()
    claimed = messages.claim_due(sender.AT_ONCE)
    assert sorted(message.target.name for message in claimed) == ["quick"] * 4 + ["slow"] * 4
    assert messages.claim_due(sender.AT_ONCE) == []


def test_the_clock_s_part_makes_and_sends_and_waits_for_nobody(
    world: World, receiver: Receiver, call: Call
) -> None:
    sender.tick()  # nobody wants to be told of anything yet
    target(receiver)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target(receiver, name="silent", url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        receiver.secret = signing.secret_of(WebhookTarget.objects.get(name="CRM"))
        started(call)
        seal_events()
        sender.tick()
        until(lambda: receiver.got, 10, "the one that answers has got it")
        assert WebhookMessage.objects.get(target__name="silent").state == State.SENDING
    until(lambda: all(future.done() for future in sender._under_way), 20, "both are written down")
    assert sorted(states()) == [State.SENT, State.WAITING]


def test_old_messages_are_forgotten_and_the_record_is_not(world: World, receiver: Receiver, call: Call) -> None:
    target(receiver)
    started(call)
    turn(world)
    world.at += messages.KEPT_FOR + timedelta(seconds=1)
    receiver.answers = 500
    started(call)
    turn(world)
    messages.forget_old()
    assert states() == [State.WAITING]
    assert Event.objects.filter(type="call.started").count() == 2


# ── secrets and addresses ────────────────────────────────────────────────────────────────────────


def test_after_a_new_secret_both_hold_for_a_day(world: World, receiver: Receiver, call: Call) -> None:
    made = target(receiver)
    old = receiver.secret
    new = webhook_targets.new_secret(made, actor=SYSTEM)
    assert old != new
    event = started(call)
    seal_events()
    messages.fan_out()
    message = WebhookMessage.objects.select_related("target", "event").get(event=event)
    letter = signing.letter(message, at=world.at)
    for secret in (old, new):
        assert Webhook(secret).verify(letter.body, letter.headers)["type"] == "call.started"
    receiver.secret = old
    world.at += signing.OLD_SECRET_HOLDS
    turn(world)
    assert (receiver.got, len(receiver.refused)) == ([], 1)


def test_a_private_address_is_refused_before_anything_is_sent(
    world: World, receiver: Receiver, call: Call, settings: Any
) -> None:
    target(receiver, url=receiver.url.replace("127.0.0.1", "localhost"))  # a name, looked up when it is sent
    settings.PRIVATE_WEBHOOKS = False
    started(call)
    turn(world)
    assert receiver.asked == 0
    assert log() == [(None, "a private address, which is not allowed")]


def test_a_receiver_asks_for_what_it_missed(world: World, receiver: Receiver, call: Call) -> None:
    made = target(receiver)
    event = started(call)
    turn(world)
    program = Program(key(every_department=True, scopes=("webhooks:replay",))[1])
    since = (world.at - timedelta(minutes=5)).isoformat()
    asked = [program.post(f"webhooks/{made.pk}/replay", {"since": since}, key="once") for _ in range(2)]
    assert [answer.json() for answer in asked] == [{"messages": 1}] * 2
    turn(world)
    assert [one for one, _ in receiver.got] == [f"msg_{event.id}"] * 2
    assert call.department
    less = Program(key(call.department, scopes=("webhooks:replay",), name="less")[1])
    assert less.post(f"webhooks/{made.pk}/replay", {"since": since}).status_code == 404
    assert program.post(f"webhooks/{made.pk}/replay", {"since": "2026-11-24T12:00:00"}).status_code == 422


def test_doctor_and_the_banner_know_whose_webhook_is_silent(world: World, receiver: Receiver, call: Call) -> None:
    made = target(receiver)
    assert health.targets_reached().says == "Events go to 1 address."
    receiver.answers = 500
    started(call)
    turn(world)
    world.at += health.TROUBLED_AFTER + timedelta(seconds=1)
    check = health.targets_reached()
    assert (check.verdict, check.says) == (Verdict.UNSURE, "Nothing arrives at “CRM”.")
    made.refresh_from_db()
    assert "Nothing has arrived at the webhook “CRM” since 24 Nov, 12:00 UTC." in health.trouble_of(made)


def test_a_test_message_arrives(world: World, receiver: Receiver) -> None:
    messages.send_test(target(receiver))
    turn(world)
    assert receiver.types == ["patchbay.test"]
