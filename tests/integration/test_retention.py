"""Erasing: what was said, names and numbers are gone from every table; the events stay and the chain verifies."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from calls.agents import protocol as p
from calls.audit import chain
from calls.errors import Refused
from calls.events import SYSTEM, Actor, FactLearnt, record
from calls.models import AgentJob, Call, CallFact, Department, Directive, Event, Leg, WebhookDelivery
from calls.roles import Role
from calls.seals import seal_events
from calls.services import links, retention
from calls.services.calls import number_hmac
from calls.states import CallState
from calls.timing import now
from tests import rows
from tests.people import account
from transfers.models import Callback, Transfer
from transfers.states import AttemptState, EndReason, TransferState

pytestmark = pytest.mark.django_db
NUMBER = "+12025550144"
SECRET = "zebra crossing"  # said in the call, and nowhere else


def a_call(department: Department | None, *, days: int = 0) -> Call:
    """An ended call in which the secret was said to everybody who writes things down."""
    at = now() - timedelta(days=days)
    call = rows.call(
        department,
        NUMBER,
        state=CallState.INACTIVE,
        started_at=at,
        ended_at=at,
        caller_number_hmac=number_hmac(NUMBER),
        caller_identity=f"sip_{NUMBER}",
    )
    rows.say(call, "caller", SECRET, seconds=5)
    CallFact.objects.create(call=call, key="name", value=SECRET, learned_at=at)
    Leg.objects.create(
        call=call, kind="caller", identity=f"sip_{NUMBER}", participant_sid=str(uuid4()), joined_at=at
    )
    job = AgentJob.objects.create(id=str(uuid4()), call=call, role="support", started_at=at, last_seen_at=at)
    for seq, key in enumerate(("say", "coach:1"), 1):
        Directive.objects.create(
            job=job, seq=seq, key=key, body={"kind": key.partition(":")[0], "text": SECRET}, created_at=at
        )
    WebhookDelivery.objects.create(
        id=str(uuid4()),
        type="participant_joined",
        room_name=call.room_name,
        created_at=at,
        received_at=at,
        body=f'{{"phone": "{NUMBER}"}}'.encode(),
    )
    transfer = rows.transfer(
        call, TransferState.COMPLETED, reason=SECRET, briefing=SECRET, end_reason=EndReason.CONNECTED, ended_at=at
    )
    rows.attempt(transfer, rows.manager(f"Dana {uuid4()}"), AttemptState.ENDED, note=SECRET)
    Callback.objects.create(
        request_key=uuid4(), call=call, transfer=transfer, number=NUMBER, note=SECRET, asked_at=at, due_at=at
    )
    record(
        FactLearnt(key="name"),
        actor=Actor("ai"),
        call_id=call.pk,
        transfer_id=transfer.pk,
        payload={"value": SECRET},
    )
    seal_events()
    return call


def anywhere(text: str) -> list[str]:
    """The tables in which a row still holds it, in whatever column."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("calls_", "transfers_")):
                hexed = text.encode().hex()
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s OR t::text LIKE %s',
                    [f"%{text}%", f"%{hexed}%"],
                )
                if cursor.fetchone()[0]:
                    found.append(table)
    return found


def test_nothing_of_it_is_in_any_table_and_the_chain_verifies() -> None:
    call = a_call(rows.department("Billing"))
    assert len(anywhere(SECRET)) >= 6
    assert len(anywhere(NUMBER)) >= 4
    assert retention.erase_call(call.pk, why="request", actor=SYSTEM)
    assert (anywhere(SECRET), anywhere(NUMBER), anywhere(number_hmac(NUMBER))) == ([], [], [])
    seal_events()
    verdict = chain.verify()
    assert (verdict.ok, verdict.erased) == (True, 1)
    assert Event.objects.get(type="content.erased").facts == {"why": "request"}
    assert not retention.erase_call(call.pk, why="request", actor=SYSTEM)  # once


def test_an_agent_that_tells_late_what_it_did_is_still_understood() -> None:
    call = a_call(None)
    retention.erase_call(call.pk, why="request", actor=SYSTEM)
    directive = Directive.objects.get(job__call=call, key="coach:1")
    done = p.DirectiveDone(directive_id=directive.pk)
    links.apply_up(directive.job_id, directive.job.epoch, p.Up(seq=1, at=now(), body=done))
    directive.refresh_from_db()
    assert directive.done_at


def test_only_what_its_department_says_and_only_when_it_is_time(settings) -> None:  # type: ignore[no-untyped-def]
    settings.RETENTION_DAYS = 30
    short, ever, usual = (rows.department(name) for name in ("Short", "Ever", "Usual"))
    Department.objects.filter(pk=short.pk).update(retention_days=7)
    Department.objects.filter(pk=ever.pk).update(retention_days=0)
    made = {
        (name, days): a_call(where, days=days)
        for name, where in (("short", short), ("ever", ever), ("usual", usual), ("nobody's", None))
        for days in (6, 8, 31)
    }
    retention.tick()
    gone = {key for key, call in made.items() if Call.objects.get(pk=call.pk).erased_at}
    assert gone == {("short", 8), ("short", 31), ("usual", 31), ("nobody's", 31)}


def test_without_a_setting_everything_is_kept() -> None:
    a_call(None, days=4000)
    retention.tick()
    assert not Call.objects.filter(erased_at__isnull=False).exists()


def test_a_person_who_asks_has_all_their_calls_erased() -> None:
    mine, other = a_call(None), a_call(None)
    Call.objects.filter(pk=other.pk).update(caller_number_hmac=number_hmac("+12025550199"))
    out = StringIO()
    call_command("erase_caller", "+1 202 555 0144", "--yes", stdout=out)
    assert "1 calls were erased" in out.getvalue()
    assert Call.objects.get(pk=mine.pk).erased_at
    assert not Call.objects.get(pk=other.pk).erased_at


def test_not_while_they_are_calling() -> None:
    call = a_call(None)
    Call.objects.filter(pk=call.pk).update(state=CallState.ACTIVE, ended_at=None)
    with pytest.raises(Refused, match="still going on"):
        retention.erase_call(call.pk, why="request", actor=SYSTEM)
    with pytest.raises(CommandError, match="right now"):
        call_command("erase_caller", NUMBER, "--yes")
    assert anywhere(SECRET)


def test_pages_say_that_it_was_erased(client: Client) -> None:
    call = a_call(rows.department("Billing"))
    retention.erase_call(call.pk, why="request", actor=SYSTEM)
    client.force_login(account(Role.AUDITOR))
    page = client.get(f"/transfers/{Transfer.objects.get(call=call).pk}").content.decode()
    assert "Erased caller" in page
    assert "names and numbers were erased on" in page
    assert client.get(f"/calls/{call.pk}").status_code == 200
