"""The history: searched by everything it is asked for, and taken away as a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from calls.models import Call, Event, Supervision
from calls.roles import Role
from calls.services.calls import number_hmac
from calls.timing import now
from tests import rows
from tests.people import account
from transfers import history_export, history_search
from transfers.access import Lens, lens_of
from transfers.history import _rows, history_page
from transfers.history_filters import filters_of
from transfers.history_search import every
from transfers.models import Attempt, BriefingVersion, HistoryExport, Manager, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor():
    return rows.floor()


def found(lens: Lens, **query: object) -> set[Transfer]:
    filters = filters_of({name: str(value) for name, value in query.items()})
    return {Transfer(pk=row.id) for row in history_page(lens, filters).rows}


def test_each_filter_finds_its_own(floor) -> None:
    priya = account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")
    lens = lens_of(priya)
    everything = found(lens)
    assert len(everything) == 5
    cold = rows.transfer(rows.call(floor.billing), TransferState.REJECTED, kind="cold", seconds=500)
    Transfer.objects.filter(pk=cold.pk).update(
        end_reason=EndReason.NOT_APPROVED, decided_by=priya, ended_at=now(), requested_at=rows.ago(500)
    )
    Call.objects.filter(pk=floor.returned.call_id).update(
        source="callback", caller_number_hmac=number_hmac("+12025553301")
    )
    omar = Manager.objects.get(name="Omar")
    assert found(lens, manager=omar.pk) == {floor.completed, floor.returned}
    assert found(lens, manager=omar.pk, outcome="busy") == {floor.returned}
    assert found(lens, outcome="no_answer") == {floor.briefing}
    assert found(lens, manager=omar.pk, outcome="no_answer") == set()  # it was Noor who did not answer
    assert found(lens, sip=486) == {floor.returned}
    assert found(lens, kind="cold") == {cold}
    assert found(lens, kind="callback") == {floor.returned}
    assert found(lens, kind="warm") == everything
    assert found(lens, failed="approval") == {cold}
    assert found(lens, failed="ring") == {floor.returned, floor.briefing}
    assert found(lens, failed="until_dial") == found(lens, failed="join") == set()
    assert found(lens, longer=290, shorter=310) == {floor.completed}
    assert found(lens, longer=311, result="connected") == set()
    assert found(lens, caller="+1 202 555 3301") == {floor.returned}
    assert found(lens, caller="9052") == {floor.completed}
    assert found(lens, supervisor=priya.pk) == {cold}
    before = (now() - timedelta(days=2)).date()  # yesterday may have begun a moment ago
    assert found(lens, until=before) == set()
    assert found(lens, since=before, until=now().date()) == {*everything, cold}
    Attempt.objects.filter(outcome=Outcome.BUSY).update(outcome=Outcome.MERGE_FAILED, answered_at=now())
    assert found(lens, failed="join") == {floor.returned}
    assert found(lens, failed="consultation") == set()


def test_of_nothing_no_rows_are_asked_for(floor, django_assert_num_queries) -> None:
    lens = lens_of(account(Role.ADMINISTRATOR, name="root"))
    with django_assert_num_queries(0):
        assert _rows(lens, []) == []


def test_whoever_asked_decided_wrote_or_was_there_had_part_in_it(floor) -> None:
    sam = account(Role.SUPERVISOR, floor.billing, name="sam")
    lens = lens_of(account(Role.ADMINISTRATOR, name="root"))
    assert found(lens, supervisor=sam.pk) == set()
    Transfer.objects.filter(pk=floor.merged.pk).update(requested_by=sam)
    Transfer.objects.filter(pk=floor.returned.pk).update(cancelled_by=sam)
    BriefingVersion.objects.create(
        transfer=floor.briefing, nth=2, author="person", user=sam, text="Wants money back.", saved_at=now()
    )
    Supervision.objects.create(
        call=floor.completed.call, user=sam, mode="listen", request_key=uuid4(), opened_at=now(), seen_at=now()
    )
    had_part = {floor.merged, floor.returned, floor.briefing, floor.completed}
    assert found(lens, supervisor=sam.pk) == had_part


@pytest.mark.parametrize("few", [8, 0], ids=["department by department", "all at once"])
@pytest.mark.parametrize("near", [5000, 1], ids=["near by", "further back"])
def test_a_page_shows_what_its_reader_sees_however_it_is_sought(floor, few, near, monkeypatch) -> None:
    """Of one's departments by the call or by the transfer, unassigned, and one's own; nothing twice."""
    monkeypatch.setattr(history_search, "FEW", few)
    monkeypatch.setattr(history_search, "OWN_LOOKED_AT", near)
    monkeypatch.setattr(history_search, "FIRST_STRETCH", near)
    monkeypatch.setattr("transfers.history.PAGE", 2)
    ines = Manager.objects.get(name="Ines")
    elsewhere = rows.call(floor.claims)
    over = rows.transfer(rows.call(floor.claims), TransferState.FAILED, department=floor.billing)
    unassigned = rows.transfer(rows.call(None), TransferState.FAILED)
    Transfer.objects.filter(pk=over.pk).update(kind=Transfer.Kind.COLD, end_reason=EndReason.NO_MANAGER)
    for call in Call.objects.all():
        rows.say(call, "caller", "platypus", seconds=1)
    for one in (over, unassigned, rows.transfer(elsewhere, TransferState.FAILED)):
        for nth in (1, 2):  # the same twice
            rows.attempt(one, ines, AttemptState.FAILED, nth=nth, outcome=Outcome.BUSY, sip_status=486)
    people = {
        "of_one": account(Role.SUPERVISOR, floor.billing, name="of_one"),
        "of_two": account(Role.SUPERVISOR, floor.billing, floor.claims, name="of_two"),
        "both": account(Role.SUPERVISOR, floor.billing, name="both"),
        "manager": account(Role.MANAGER, name="manager"),
        "auditor": account(Role.AUDITOR, name="auditor"),
    }
    for name in ("manager", "both"):
        Manager.objects.filter(pk=ines.pk).update(user=people[name])
        lens = lens_of(people[name])
        assert unassigned in lens.transfers()
        assert_all_found(lens)
    for name in ("of_one", "of_two", "auditor"):
        lens = lens_of(people[name])
        assert over in lens.transfers()
        assert_all_found(lens)
    of_one = lens_of(people["of_one"])
    assert {unassigned, over, floor.returned} == set(found_in_order(of_one, sip=486))
    assert not found(of_one, department=floor.claims.pk, sip=486)


def assert_all_found(lens: Lens) -> None:
    seen = lens.transfers().order_by("-requested_at", "-pk")
    assert found_in_order(lens) == list(seen)
    for query, tried in (
        ({"outcome": "busy"}, {"outcome": Outcome.BUSY}),
        ({"failed": "ring"}, {"answered_at": None}),
    ):
        of_them = Attempt.objects.filter(state=AttemptState.FAILED, **tried).values("transfer")
        assert found_in_order(lens, **query) == list(seen.filter(pk__in=of_them))
    for query in every_kind_of_query():
        assert found_in_order(lens, **query) == list(every(lens, filters_of(query))), query


def every_kind_of_query() -> list[dict[str, str]]:
    """What the page may be asked, and what an export takes away of it."""
    ines = str(Manager.objects.get(name="Ines").pk)
    alone = {
        "result": "no_manager",
        "kind": "cold",
        "manager": ines,
        "sip": "486",
        "outcome": "busy",
        "longer": "1",
        "caller": "4417",
        "failed": "until_dial",
        "words": "platypus",
    }
    one = [{name: value} for name, value in alone.items()]
    two = [{"manager": ines, "outcome": "busy"}, {"manager": ines, "words": "platypus"}, {"kind": "callback"}]
    two += [{"manager": ines, "result": "no_manager"}, {"manager": ines, "failed": "until_dial"}]
    two += [{"manager": str(one.pk), "outcome": "no_answer"} for one in Manager.objects.exclude(name="Ines")]
    return [*one, *two, {"caller": "4417", "outcome": "busy"}, {"words": "platypus", "result": "no_manager"}]


def test_callbacks_are_found_by_what_their_call_is(floor) -> None:
    lens = lens_of(account(Role.SUPERVISOR, floor.billing, name="priya"))
    made = rows.call(floor.billing, source=Call.Source.CALLBACK)
    back = rows.transfer(made, TransferState.FAILED)
    assert found(lens, kind="callback") == {back}


def test_attempts_and_transfers_keep_in_step_with_what_they_are_of(floor) -> None:
    """Their copies are PostgreSQL's own: a redirect, and a call whose department comes late, carry them on."""
    one = Attempt.objects.filter(transfer=floor.returned).get()
    assert (one.requested_at, one.department) == (floor.returned.requested_at, floor.billing.pk)
    late = rows.transfer(rows.call(None), TransferState.FAILED)
    rows.attempt(late, Manager.objects.get(name="Omar"), AttemptState.FAILED, outcome=Outcome.BUSY)
    of_claims = lens_of(account(Role.SUPERVISOR, floor.claims, name="cleo"))
    assert found(of_claims, outcome="busy") == {late}
    Call.objects.filter(pk=late.call_id).update(department=floor.billing)
    assert found(of_claims, outcome="busy") == set()
    assert late not in of_claims.transfers()
    Transfer.objects.filter(pk=late.pk).update(department=floor.claims)
    assert found(of_claims, outcome="busy") == {late}
    Call.objects.filter(pk=late.call_id).update(department=floor.claims)
    moved = Attempt.objects.get(transfer=late)
    assert {moved.department, moved.call_department} == {floor.claims.pk}


def test_words_said_are_found_by_those_who_may_read_them(floor) -> None:
    lens = lens_of(account(Role.SUPERVISOR, floor.billing, name="priya"))
    assert found(lens, words="charged twice") == {floor.waiting}
    assert found(lens, words='"twice charged"') == set()
    assert found(lens, words="CHARGED or invoice") == {floor.waiting, floor.briefing}
    assert found(lens, words="invoice -old") == {floor.briefing}  # in the consultation: “Which invoice is that?”
    assert found(lens, words="invoice", outcome="busy") == set()
    assert found(lens, words="address") == set()  # said in Claims
    assert found(lens, words="'); --") == set()
    dana = account(Role.MANAGER, name="dana")
    Manager.objects.filter(name="Dana").update(user=dana)
    may_read = lens_of(dana).sight.transcript
    assert found(lens_of(dana), words="invoice") == ({floor.briefing} if may_read else set())
    blind = Lens(scope=lens.scope, sight=type(lens.sight)())
    assert found(blind, words="invoice") == set()


@pytest.mark.parametrize(
    ("first", "most"), [(2, 2), (1, 3), (1, 100)], ids=["its index", "two", "all in stretches"]
)
def test_what_is_not_in_the_newest_is_sought_further_back(floor, first, most, monkeypatch) -> None:
    """The page goes on behind each stretch, without a gap and without anything twice."""
    lens = lens_of(account(Role.ADMINISTRATOR, name="root"))
    monkeypatch.setattr(history_search, "FIRST_STRETCH", first)
    monkeypatch.setattr(history_search, "MOST_LOOKED_AT", most)
    monkeypatch.setattr("transfers.history.PAGE", 1)
    wanted = found_in_order(lens)
    for one in Transfer.objects.filter(pk__in=[one.pk for one in wanted]):
        rows.say(one.call, "caller", "platypus", seconds=1)
    assert found_in_order(lens, words="platypus") == wanted
    user = account(Role.MANAGER, name="omar")
    Manager.objects.filter(name="Omar").update(user=user)
    omar = lens_of(user)
    assert omar.sight.transcript
    assert len(found_in_order(omar)) == 2
    assert found_in_order(omar, words="platypus") == found_in_order(omar)
    root = lens_of(account(Role.ADMINISTRATOR, name="again"))
    Transfer.objects.update(decided_by=None, requested_by=None, cancelled_by=None)
    assert found(root, supervisor=10**6) == set()


def test_a_page_needs_no_more_statements_for_callers_who_were_erased(floor, django_assert_max_num_queries) -> None:
    lens = lens_of(account(Role.AUDITOR, name="audra"))
    Call.objects.update(caller_number="", caller_last4="", caller_number_hmac="", erased_at=now())
    with django_assert_max_num_queries(3):
        callers = [row.caller for row in history_page(lens, filters_of({})).rows]
    assert callers == ["Erased caller"] * 5


def found_in_order(lens: Lens, **query: object) -> list[Transfer]:
    inside, before = [], ""
    filters = filters_of({name: str(value) for name, value in query.items()})
    while True:
        page = history_page(lens, filters, before=before)
        inside += [Transfer(pk=row.id) for row in page.rows]
        before = page.older
        if not before:
            return inside


def test_the_form_makes_an_address_without_the_number(client, floor) -> None:
    client.force_login(account(Role.SUPERVISOR, floor.billing, name="priya"))
    Call.objects.filter(pk=floor.completed.call_id).update(caller_number_hmac=number_hmac("+12025559052"))
    typed = {"caller": "+1 (202) 555-9052", "department": "", "result": "connected", "words": ""}
    answer = client.post("/history/search", typed)
    assert answer.status_code == 302
    assert "555" not in answer["Location"].replace(number_hmac("+12025559052"), "")
    page = client.get(answer["Location"]).content.decode()
    assert str(floor.completed.pk) in page
    kept = {"caller": "", "same_caller": number_hmac("+12025559052"), "result": "connected"}
    assert client.post("/history/search", kept)["Location"] == answer["Location"]
    assert client.post("/history/search", {"caller": " "})["Location"] == "/history"


# ── taken away ───────────────────────────────────────────────────────────────────────────────────


def taken(client: Client, **typed: str) -> str:
    answer = client.post("/history/export", typed)
    assert answer.status_code == 200, answer.content
    return b"".join(answer).decode()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # the test's client is not ASGI's
def test_the_files_hold_what_the_page_shows_and_no_formula(client, floor, monkeypatch) -> None:
    monkeypatch.setattr(history_export, "BATCH", 2)
    client.force_login(account(Role.SUPERVISOR, floor.billing, name="priya"))
    Manager.objects.filter(name="Omar").update(name="=HYPERLINK(1)")
    told = list(csv.DictReader(io.StringIO(taken(client, form="csv", result="no_manager"))))
    (row,) = told
    assert row["transfer"] == str(floor.returned.pk)
    assert row["manager"] == "'=HYPERLINK(1)"
    assert row["tried"] == "'=HYPERLINK(1): Busy (SIP 486)"
    assert row["caller"] in ("…3301", "'+12025553301")
    lines = [json.loads(line) for line in taken(client, form="jsonl").splitlines()]
    mine = [floor.waiting, floor.briefing, floor.returned, floor.completed]  # Billing's, newest first
    assert [line["transfer"] for line in lines] == [
        str(one.pk) for one in sorted(mine, key=lambda one: one.requested_at, reverse=True)
    ]
    assert lines[-1]["attempts"][0]["manager"] == "=HYPERLINK(1)"
    newest, first = HistoryExport.objects.order_by("-asked_at")
    assert (newest.rows, newest.whole, newest.form) == (4, True, "jsonl")
    assert (first.rows, first.whole, first.filters) == (1, True, ["result"])
    event = Event.objects.filter(type="history.exported").latest("seq")
    assert event.facts == {"export_id": str(newest.pk), "form": "jsonl", "filters": []}
    progress = client.get("/history/exports").content.decode()
    assert "every 1s" not in progress
    assert ">4</span> rows" in progress


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.SUPERVISOR, 200), (Role.AUDITOR, 200), (Role.ADMINISTRATOR, 200), (Role.MANAGER, 403), (None, 403)],
)
def test_the_history_is_taken_by_those_who_may_export(role, status, client, floor) -> None:
    client.force_login(account(role, name="somebody"))
    assert client.post("/history/export", {"form": "csv"}).status_code == status
    assert client.get("/history/exports").status_code == status
    assert ("export-form" in client.get("/history").content.decode()) == (status == 200)
    assert HistoryExport.objects.exists() == (status == 200)
    assert client.get("/history/export").status_code == 405
