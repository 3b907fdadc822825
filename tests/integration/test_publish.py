"""What a transaction changed is sent after its commit, once a row, and never holds anybody up."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
import redis
from django.conf import settings
from django.db import transaction

from calls.live import publish
from tests.patience import PATIENCE_S


@pytest.fixture
def heard():
    client = redis.Redis.from_url(settings.VALKEY_URL)
    pubsub = client.pubsub()
    pubsub.subscribe(publish.CHANNEL)
    assert pubsub.get_message(timeout=PATIENCE_S)["type"] == "subscribe"

    def frames(count: int) -> list[dict]:
        found = []
        until = time.monotonic() + PATIENCE_S
        while len(found) < count and time.monotonic() < until:
            message = pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)
            if message:
                found.append(json.loads(message["data"]))
        return found

    publish._resting_until = 0.0
    publish._unsent.clear()
    yield frames
    client.close()


@pytest.mark.django_db(transaction=True)
def test_one_frame_a_row_and_audience_with_its_newest_version(heard):
    before = dict(publish.positions(["d:7"]))
    with transaction.atomic():
        publish.changed("call", "x", 1, department_id=7, call_id="x")
        publish.changed("call", "x", 2, department_id=7, call_id="x")
    sent = heard(2)
    assert {(m["audience"], m["frame"]["version"]) for m in sent} == {("d:7", 2), ("c:x", 2)}
    assert publish.positions(["d:7"])["d:7"][1] == before["d:7"][1] + 1


def roll_back(id: str) -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        publish.changed("call", id, 1)
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_for_what_was_rolled_back(heard):
    roll_back("gone")
    with transaction.atomic():
        roll_back("gone too")
        publish.changed("call", "kept", 1)
    assert [m["frame"]["id"] for m in heard(1)] == ["kept"]


@pytest.mark.django_db(transaction=True)
def test_words_go_to_the_viewers_of_that_call_only(heard):
    publish.changed("utterance", "5", 1, department_id=7, call_id="x")
    publish.changed("partial", "caller:", 1, call_id="x", words="could you")
    sent = heard(2)
    assert [m["audience"] for m in sent] == ["c:x", "c:x"]
    assert ["words" in m["frame"] for m in sent] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_an_emptied_valkey_begins_a_new_epoch(heard):
    publish.changed("room", "1", 1)
    first = heard(1)[0]
    redis.Redis.from_url(settings.VALKEY_URL).delete(publish.EPOCH, "patchbay:live:seq:all")
    publish.changed("room", "1", 2)
    second = heard(1)[0]
    assert second["epoch"] != first["epoch"]
    assert second["seq"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_dead_valkey_costs_little_and_raises_nothing(settings, monkeypatch):
    settings.VALKEY_URL = "redis://10.255.255.1:6379/0"  # nobody answers there
    monkeypatch.setattr(publish, "_client", None)
    monkeypatch.setattr(publish, "_resting_until", 0.0)
    began = time.monotonic()
    for n in range(5):
        with transaction.atomic():
            publish.changed("call", "x", n)
    assert time.monotonic() - began < 0.5  # the first waits up to 0.1 s, the others do not try
    monkeypatch.setattr(publish, "_resting_until", 0.0)
    monkeypatch.setattr(publish, "_client", None)


@pytest.mark.django_db(transaction=True)
def test_what_a_slow_valkey_did_not_take_is_sent_when_it_does(heard, monkeypatch):
    """By itself, though nothing else changes: a page that was never told would stay as it is."""

    class Slow:
        def pipeline(self, **options):
            raise redis.TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(publish, "_client", Slow())
        publish.changed("call", "first", 1, department_id=7)
        publish.changed("partial", "caller:", 1, call_id="x", words="could you")
        publish.changed("call", "first", 2, department_id=7)  # while it rests
    sent = heard(1)
    assert [(m["audience"], m["frame"]["id"], m["frame"]["version"]) for m in sent] == [("d:7", "first", 2)]
