"""A statement that is compiled once does what the ORM does, with any arguments."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Model, Value
from django.forms.models import model_to_dict

from calls.compiled import (
    Argument,
    Exists,
    Objects,
    ObjectsFor,
    OneOf,
    Rows,
    RowsFor,
    Update,
    insert,
    insert_once,
)
from calls.models import Call, Effect, Event, Room
from calls.timing import now
from calls.versions import count_up
from tests import rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_gives_the_rows_of_these_ids_and_asks_once_for_them(django_assert_num_queries) -> None:
    billing = rows.department("Billing")
    calls = [rows.call(billing, f"+1202555010{n}", seconds=n) for n in range(3)]

    def query():
        columns = ("pk", "department__name", "started_at", "ended_at", "version", "rehearsal")
        return (
            Call.objects.order_by("started_at").annotate(said=Value("%s of 100 %")).values_list(*columns, "said")
        )

    compiled = Rows(lambda: query().filter(OneOf(F("pk"), Argument("ids"))))
    for wanted in (calls[:1], calls[1:], calls):
        ids = [call.pk for call in wanted]
        with django_assert_num_queries(1):
            found = compiled(ids=ids)
        assert found == list(query().filter(pk__in=ids))
        assert {type(value) for value in found[0]} == {type(value) for value in query()[0]}
    assert compiled(ids=[]) == []


def test_rows_differ_by_who_asks_and_are_compiled_once_for_each() -> None:
    billing, claims = rows.department("Billing"), rows.department("Claims")
    calls = [rows.call(where, "+12025550100") for where in (billing, claims)]
    made = []

    def query(where: int | None) -> Any:
        made.append(where)
        seen = Call.objects.none() if where is None else Call.objects.filter(department=where)
        return seen.filter(OneOf(F("pk"), Argument("ids")))

    found = RowsFor(lambda where: query(where).values_list("pk"))
    for _ in range(2):
        for where, its in ((billing, calls[:1]), (claims, calls[1:])):
            assert found(where.pk, ids=[call.pk for call in calls]) == [(call.pk,) for call in its]
            assert found(where.pk, ids=[]) == []
    assert found(None, ids=[call.pk for call in calls]) == []
    assert made == [billing.pk, claims.pk, None]
    whole_calls = ObjectsFor(Call, query)
    assert [one.pk for one in whole_calls.all(claims.pk, ids=[call.pk for call in calls])] == [calls[1].pk]
    assert whole_calls.all(None, ids=[calls[0].pk]) == []


def whole(row: Model | None) -> dict[str, Any]:
    assert row is not None
    return {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}


def test_objects_are_whole_as_the_orm_gives_them() -> None:
    call = rows.call(rows.department("Billing"), "+12025550100")
    who = [{"identity": "caller", "tracks": [], "joined_at": None}]
    for name in ("call-1", "call-2"):
        Room.objects.create(name=name, call=call, participants=who, seen_at=now())
    named = Objects(Room, lambda: Room.objects.select_for_update(of=("self",)).filter(name=Argument("name")))
    with transaction.atomic():
        for name in ("call-1", "call-2"):
            found = named.first(name=name)
            assert whole(found) == whole(Room.objects.get(name=name))
            assert found.call == call
            found.save(update_fields=("participants",))  # it is there already
        assert named.first(name="call-3") is None
    there = Exists(lambda: Room.objects.filter(name=Argument("name")))
    assert there(name="call-1")
    assert not there(name="call-3")


def test_an_update_says_how_many_rows_it_found() -> None:
    billing = rows.department("Billing")
    calls = [rows.call(billing, f"+1202555010{n}") for n in range(3)]
    other = rows.department("Claims")
    moves = Update(
        lambda: Call.objects.filter(department=Argument("was")).exclude(pk=Argument("but")),
        department=Argument("now"),
        end_reason="100 %",
    )
    assert moves(was=billing.pk, but=calls[0].pk, now=other.pk) == 2
    assert moves(was=billing.pk, but=calls[0].pk, now=other.pk) == 0
    assert {c.pk: (c.department_id, c.end_reason) for c in Call.objects.all()} == {
        calls[0].pk: (billing.pk, ""),
        calls[1].pk: (other.pk, "100 %"),
        calls[2].pk: (other.pk, "100 %"),
    }


def test_a_row_is_inserted_whole_and_its_like_once() -> None:
    keyed_by_us = Effect(kind="close_call_room", subject_id=uuid4(), due_at=now(), args={"tries": 1, "why": "%s"})
    keyed_by_the_database = Event(
        at=now(), actor_kind="system", type="call.started", facts={"a": None}, body=b"{}"
    )
    for one in (keyed_by_us, keyed_by_the_database):
        insert(one)
        assert not one._state.adding
        fresh = type(one).objects.get()
        assert model_to_dict(one) == model_to_dict(fresh)
        assert whole(one) | {"body": None} == whole(fresh) | {"body": None}
    again = Effect(kind="close_call_room", subject_id=keyed_by_us.subject_id, due_at=now())
    with transaction.atomic():
        assert not insert_once(again)
        assert Effect.objects.count() == 1  # the transaction goes on
    with pytest.raises(IntegrityError):
        insert(again)


def test_a_version_is_counted_only_of_what_it_was() -> None:
    call = rows.call(rows.department("Billing"), "+12025550100")
    before = call.version
    with pytest.raises(Call.DoesNotExist):
        count_up(call, was={"state": "inactive"}, end_reason="never")
    assert (call.version, call.end_reason) == (before, "")
    count_up(call, was={"state": call.state}, end_reason="caller_left")
    assert (call.version, call.end_reason) == (before + 1, "caller_left")
    assert whole(call) == whole(Call.objects.get())
