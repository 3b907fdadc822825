"""The record: envelopes that nobody can change, payloads that can be erased, and the chain that proves both."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from pydantic import ValidationError

from calls import events
from calls.events import SYSTEM, Actor, CallStarted, EventBody, FactLearnt, canonical, record, record_many
from calls.models import Event, EventPayload, Seal
from calls.seals import GENESIS, link_digest, seal_events

pytestmark = pytest.mark.django_db
CALL = uuid4()


def an_event(payload: dict[str, str] | None = None) -> Event:
    return record(FactLearnt(key="name"), actor=Actor("ai", "AJ_1"), call_id=CALL, payload=payload)


def broken_links() -> list[int]:
    """Recompute the chain as an auditor does: the seals whose digest, order or payload is not what it says."""
    wrong, previous = [], GENESIS
    for seal in Seal.objects.order_by("seq").select_related("event"):
        digest = link_digest(previous, bytes(seal.event.body))
        if bytes(seal.previous) != previous or bytes(seal.digest) != digest:
            wrong.append(seal.seq)
        previous = bytes(seal.digest)
    return wrong


def test_an_envelope_s_bytes_say_all_that_its_columns_say() -> None:
    event = an_event({"value": "Ann Lee"})
    envelope = json.loads(bytes(event.body))
    assert envelope == {
        "id": str(event.id),
        "at": event.at.isoformat(),
        "actor": ["ai", "AJ_1"],
        "type": "call.fact_learnt",
        "call": str(CALL),
        "transfer": "",
        "attempt": "",
        "facts": {"key": "name"},
        "payload": bytes(event.payload_digest or b"").hex(),
    }
    assert bytes(event.body) == canonical(envelope)


def test_one_object_has_one_form_in_bytes() -> None:
    assert canonical({"b": "é", "a": [1, None]}) == '{"a":[1,null],"b":"é"}'.encode()
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


def test_a_payload_is_bound_by_a_salted_digest() -> None:
    one, two = an_event({"value": "Ann Lee"}), an_event({"value": "Ann Lee"})
    payload = EventPayload.objects.get(event=one)
    assert hashlib.sha256(bytes(payload.salt) + bytes(payload.body)).digest() == bytes(one.payload_digest or b"")
    assert one.payload_digest != two.payload_digest  # the same words twice do not show
    assert b"Ann" not in bytes(one.body)


def test_a_payload_can_be_erased_and_the_chain_still_proves_the_rest() -> None:
    an_event({"value": "Ann Lee"})
    an_event()
    seal_events()
    EventPayload.objects.all().delete()
    assert broken_links() == []


def test_an_event_without_words_has_no_payload() -> None:
    assert an_event().payload_digest is None
    assert not EventPayload.objects.exists()


@pytest.mark.parametrize("table", ["calls_event", "calls_seal"])
@pytest.mark.parametrize("doing", ["DELETE FROM {}", "UPDATE {} SET seq = seq"])
def test_postgresql_refuses_to_change_what_is_written(table: str, doing: str) -> None:
    an_event()
    seal_events()
    with pytest.raises((ProgrammingError, InternalError), match="append-only"), transaction.atomic():
        connection.cursor().execute(doing.format(table))


def test_an_event_with_a_seal_is_sealed_only_once() -> None:
    event = an_event()
    seal_events()
    with pytest.raises(IntegrityError), transaction.atomic():
        Seal.objects.create(event=event, previous=b"", digest=b"", sealed_at=event.at)


def test_seals_follow_the_order_of_the_events_and_go_on_where_they_were() -> None:
    made = [an_event().seq for _ in range(7)]
    assert [seal_events(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert list(Seal.objects.order_by("seq").values_list("event_id", flat=True)) == made
    assert broken_links() == []


def test_an_envelope_that_commits_late_is_sealed_later() -> None:
    late, early = an_event(), an_event()
    sealed_first(early)  # the other one's transaction was still open
    seal_events()
    assert list(Seal.objects.order_by("seq").values_list("event_id", flat=True)) == [early.seq, late.seq]
    assert broken_links() == []


def sealed_first(event: Event) -> None:
    digest = link_digest(GENESIS, bytes(event.body))
    Seal.objects.create(event=event, previous=GENESIS, digest=digest, sealed_at=event.at)


def tamper(statement: str, *parameters: int) -> None:
    """As somebody with the database's own rights could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger is asked
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE calls_event SET body = body || 'x'::bytea WHERE seq = %s",
        "DELETE FROM calls_seal WHERE event_id = %s",
        "UPDATE calls_seal SET digest = previous WHERE event_id = %s",
    ],
)
def test_what_was_changed_in_spite_of_all_is_found(statement: str) -> None:
    made = [an_event().seq for _ in range(5)]
    seal_events()
    assert broken_links() == []
    tamper(statement, made[2])
    assert broken_links()


def test_a_type_is_registered_once_and_takes_no_fact_that_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="registered twice"):

        class Again(EventBody):
            type = "call.started"

    with pytest.raises(ValidationError):
        CallStarted(source="phone", department_id=None, number="+12025550100")  # type: ignore[call-arg]
    assert events._types["call.started"] is CallStarted


def test_a_record_without_an_actor_is_the_house_s_own() -> None:
    assert record(CallStarted(source="phone", department_id=None), actor=SYSTEM).actor_kind == "system"


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_many_events_once_they_are_there_and_of_each_though_one_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []

    def listener(event: Event) -> None:
        heard.append(event.facts["key"])
        if event.facts["key"] == "1":
            raise ValueError

    monkeypatch.setattr(events, "_listeners", [listener])
    with transaction.atomic():
        record_many([(FactLearnt(key=str(n)), None) for n in range(3)], actor=SYSTEM)
        assert (len(connection.run_on_commit), heard) == (1, [])
    assert heard == ["0", "1", "2"]
