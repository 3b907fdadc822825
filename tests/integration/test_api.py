"""The HTTP API on real PostgreSQL and Valkey: who sees what, how errors look, pages, rates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from calls.api_scopes import SCOPES
from calls.events import SYSTEM
from calls.models import ApiKey, Call, Department, WebhookTarget
from calls.services import api_keys, webhook_targets
from calls.states import CallerWith
from calls.timing import now
from tests import rows
from tests.keys import Program, ids, key
from transfers.api import calls as api_calls
from transfers.models import Manager, Transfer
from transfers.states import TransferState

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> rows.Floor:
    return rows.floor()


def program(*departments: Department, **fields: Any) -> Program:
    return Program(key(*departments, **fields)[1])


def problem(answer: Any) -> tuple[int, str]:
    """A problem's status and the last part of its type; everything that a problem promises is looked at."""
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"].endswith(".")
    return answer.status_code, said["type"].rsplit(":", 1)[1]


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_is_kept_as_a_digest_only_and_recognised() -> None:
    made, secret = key()
    assert secret.startswith(made.prefix)
    assert secret not in str(list(ApiKey.objects.values()))
    assert api_keys.recognised(secret) == made
    assert api_keys.recognised(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
    assert api_keys.recognised("") is None


@pytest.mark.parametrize("given", ["", "nonsense", "pbk_12345678_nonsense"])
def test_without_a_key_that_we_know_there_is_nothing(given: str, floor: rows.Floor) -> None:
    answer = Program(given).get("calls")
    assert problem(answer) == (401, "no-key")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_log_in_is_no_key(client: Client, floor: rows.Floor, admin_user: Any) -> None:
    client.force_login(admin_user)
    assert problem(client.get("/api/v1/calls")) == (401, "no-key")


def test_a_key_that_was_revoked_or_has_expired_is_refused_and_told_which(floor: rows.Floor) -> None:
    made, secret = key()
    ApiKey.objects.filter(pk=made.pk).update(expires_at=now() - timedelta(seconds=1))
    assert problem(Program(secret).get("calls")) == (401, "key-expired")
    ApiKey.objects.filter(pk=made.pk).update(revoked_at=now())
    assert problem(Program(secret).get("calls")) == (401, "key-revoked")


def test_the_use_of_a_key_is_noted(floor: rows.Floor) -> None:
    made, secret = key()
    Program(secret).get("calls")
    made.refresh_from_db()
    assert made.last_used_at is not None


NEEDS = {
    "departments": "calls:read",
    "calls": "calls:read",
    "calls/{call}": "calls:read",
    "calls/{call}/transcript": "calls:transcript",
    "transfers": "transfers:read",
    "transfers/{transfer}": "transfers:read",
    "managers": "presence:read",
    "POST calls/{call}/transfers": "transfers:request",
    "POST transfers/{transfer}/approve": "transfers:decide",
    "POST transfers/{transfer}/decline": "transfers:decide",
    "POST transfers/{transfer}/cancel": "transfers:cancel",
    "PUT managers/{manager}/presence": "presence:write",
    "POST webhooks/{webhook}/replay": "webhooks:replay",
}
BODIES = {
    "transfers": {"reason": "wants a person"},
    "presence": {"presence": "away", "reason": "lunch"},
    "replay": {"since": "2026-11-01T00:00:00Z"},
}


def ask(who: Program, what: str, floor: rows.Floor) -> Any:
    method, _, path = what.rpartition(" ")
    names = {"call": floor.waiting.call_id, "transfer": floor.waiting.pk, "manager": dana().pk}
    where = path.format(**names, webhook=webhook(floor.billing).pk)
    return who.send(method, where, BODIES.get(path.rsplit("/", 1)[-1], {})) if method else who.get(where)


def webhook(where: Department) -> WebhookTarget:
    found = WebhookTarget.objects.first()
    if found is None:
        found = WebhookTarget(name="CRM", url="https://example.com/", types=["call.ended"])
        webhook_targets.make(found, actor=SYSTEM)
        found.departments.set([where])
    return found


def dana() -> Manager:
    return Manager.objects.get(name="Dana")


@pytest.mark.parametrize("what", NEEDS)
def test_each_way_needs_its_scope_and_no_other(what: str, floor: rows.Floor) -> None:
    enough = {NEEDS[what]} | ({"presence:read"} if what == "departments" else set())
    others = tuple(scope for scope in SCOPES if scope not in enough)
    assert problem(ask(program(floor.billing, scopes=others), what, floor)) == (403, "scope-missing")
    answer = ask(program(floor.billing, scopes=(NEEDS[what],), name="other"), what, floor)
    assert answer.status_code in (200, 201, 409), answer.content


@pytest.mark.parametrize("what", [what for what in NEEDS if "{" in what])
def test_what_belongs_to_another_department_is_not_there(what: str, floor: rows.Floor) -> None:
    assert problem(ask(program(floor.claims), what, floor)) == (404, "not-found")
    assert problem(ask(program(name="none"), what, floor)) == (404, "not-found")
    assert ask(program(name="all", every_department=True), what, floor).status_code in (200, 201, 409)


# ── what is given ────────────────────────────────────────────────────────────────────────────────


def test_a_key_sees_the_calls_of_its_departments_and_the_unassigned(floor: rows.Floor) -> None:
    found = ids(program(floor.billing).get("calls", limit=200))
    seen = {call.pk for call in Call.objects.all() if call.department_id in (floor.billing.pk, None)}
    assert set(found) == seen
    assert ids(program(name="none").get("calls")) == [Call.objects.get(department=None).pk]
    everything = ids(program(name="all", every_department=True).get("calls"))
    assert set(everything) == set(Call.objects.values_list("pk", flat=True))


def test_numbers_and_words_are_for_scopes_of_their_own(floor: rows.Floor) -> None:
    bare = program(floor.billing, scopes=("calls:read", "transfers:read"))
    whole = program(floor.billing, name="whole")
    call, transfer = f"calls/{floor.waiting.call_id}", f"transfers/{floor.waiting.pk}"
    assert bare.get(call).json()["caller"] == "…4417"
    assert whole.get(call).json()["caller"] == "+12025554417"
    assert bare.get(transfer).json()["reason"] is None
    assert whole.get(transfer).json()["reason"] == floor.waiting.reason
    said = whole.get(f"{call}/transcript").json()["items"]
    assert [row["speaker"] for row in said][:2] == ["ai", "caller"]
    for answer in (bare.get("calls"), bare.get("transfers"), bare.get(call), bare.get(transfer)):
        assert "+1202" not in answer.content.decode()


def test_a_transfer_tells_its_attempts_and_what_happens_next(floor: rows.Floor) -> None:
    said = program(floor.billing).get(f"transfers/{floor.briefing.pk}").json()
    assert [(row["manager"], row["state"], row["outcome"]) for row in said["attempts"]] == [
        ("Noor", "failed", "no_answer"),
        ("Dana", "summarizing", None),
    ]
    assert said["then"]
    assert (said["state"], said["waits_for_approval"]) == ("consulting", False)


def test_filters_of_calls_and_transfers(floor: rows.Floor) -> None:
    who = program(every_department=True)
    assert set(ids(who.get("calls", state="inactive"))) == {floor.completed.call_id}
    claims = ids(who.get("calls", department_id=floor.claims.pk))
    assert set(claims) == set(Call.objects.filter(department=floor.claims).values_list("pk", flat=True))
    recent = ids(who.get("calls", since=(now() - timedelta(seconds=50)).isoformat()))
    assert set(recent) == set(
        Call.objects.filter(started_at__gte=now() - timedelta(seconds=50)).values_list("pk", flat=True)
    )
    assert ids(who.get("transfers", call_id=floor.waiting.call_id)) == [floor.waiting.pk]
    two = who.get("transfers", state=["requested", "merged"])
    assert set(ids(two)) == {floor.waiting.pk, floor.merged.pk}


def test_a_rehearsal_is_shown_only_when_it_is_asked_for(floor: rows.Floor) -> None:
    who = program(every_department=True)
    Call.objects.filter(pk=floor.waiting.call_id).update(rehearsal=True)
    assert floor.waiting.call_id not in ids(who.get("calls"))
    assert floor.waiting.pk not in ids(who.get("transfers"))
    assert floor.waiting.call_id in ids(who.get("calls", rehearsals="true"))
    assert floor.waiting.pk in ids(who.get("transfers", rehearsals="true"))


def test_pages_follow_each_other_without_a_gap_or_a_repeat() -> None:
    where, at = rows.department("Billing"), now()
    same = [rows.call(where, started_at=at) for _ in range(3)]  # the ids decide
    earlier = [rows.call(where, started_at=at - timedelta(seconds=n)) for n in (1, 2, 3, 4)]
    who, found, before = program(where), [], None
    while True:
        answer = who.get("calls", limit=2, **({"before": before} if before else {}))
        found += ids(answer)
        before = answer.json()["next"]
        if not before:
            break
    assert found == [*(c.pk for c in reversed(same)), *(c.pk for c in earlier)]


def test_a_cursor_that_has_left_the_filter_still_leads_on(floor: rows.Floor) -> None:
    who = program(every_department=True)
    rows.transfer(rows.call(floor.claims), TransferState.REQUESTED, seconds=900)
    page = who.get("transfers", state="requested", limit=1).json()
    Transfer.objects.filter(pk=page["next"]).update(state=TransferState.CANCELLED)
    rest = who.get("transfers", state="requested", before=page["next"]).json()
    assert [row["state"] for row in rest["items"]] == ["requested"]
    assert problem(who.get("calls", before=str(uuid4()))) == (422, "no-such-page")


def test_the_roster_says_who_would_be_rung(floor: rows.Floor) -> None:
    found = {row["name"]: row for row in program(floor.billing).get("managers").json()["items"]}
    assert set(found) == {"Dana", "Omar", "Noor", "Lea"}
    assert (found["Dana"]["busy"], found["Dana"]["free"]) == (True, False)
    assert (found["Omar"]["busy"], found["Omar"]["free"]) == (False, True)
    assert (found["Lea"]["presence"], found["Lea"]["presence_reason"]) == ("away", "lunch")
    both = program(floor.billing, floor.claims, name="both")
    lea = next(row for row in both.get("managers").json()["items"] if row["name"] == "Lea")
    assert set(lea["department_ids"]) == {floor.billing.pk, floor.claims.pk}
    only = both.get("managers", department_id=floor.claims.pk).json()["items"]
    assert {row["name"] for row in only} == {"Lea", "Ines", "Karl"}


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


def test_every_error_is_a_problem(floor: rows.Floor) -> None:
    who = program(floor.billing)
    assert problem(who.get("no/such/thing")) == (404, "not-found")
    assert problem(who.get(f"calls/{uuid4()}")) == (404, "not-found")
    assert problem(who.get("calls", limit=0)) == (422, "not-valid")
    assert problem(who.send("POST", f"calls/{floor.waiting.call_id}/transfers", b"{", "")) == (400, "not-readable")
    wrong = who.post(f"calls/{floor.waiting.call_id}/transfers", {"reason": ""})
    assert problem(wrong) == (422, "not-valid")
    assert wrong.json()["errors"][0]["where"][-1] == "reason"
    again = who.post(f"calls/{floor.waiting.call_id}/transfers", {"reason": "wants a person"})
    assert problem(again) == (409, "refused")
    assert "already under way" in again.json()["detail"]


def test_a_fault_of_ours_and_a_lost_database_are_told_without_their_insides(
    floor: rows.Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = program(floor.billing)

    def broken(error: Exception) -> None:
        def raises(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(api_calls, "page", raises)

    broken(ZeroDivisionError("secret"))
    answer = who.get("calls")
    assert problem(answer) == (500, "our-fault")
    assert "secret" not in answer.content.decode()
    broken(OperationalError("secret"))
    answer = who.get("calls")
    assert problem(answer) == (503, "unavailable")
    assert answer["Retry-After"] == "2"


# ── rates ────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_asks_too_often_waits(floor: rows.Floor) -> None:
    who, other = program(floor.billing, per_minute=2), program(floor.billing, name="other")
    assert [who.get("calls").status_code for _ in range(2)] == [200, 200]
    answer = who.get("calls")
    assert problem(answer) == (429, "too-many")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["RateLimit"].startswith('"key";r=0;t=')
    fine = other.get("calls")
    assert fine["RateLimit-Policy"] == '"key";q=300;w=60'
    assert fine["RateLimit"].startswith('"key";r=299;t=')


def test_without_valkey_the_api_works_and_counts_nobody(floor: rows.Floor, settings: Any) -> None:
    settings.VALKEY_URL = "redis://127.0.0.1:1/0"
    who = program(floor.billing, per_minute=1)
    answers = [who.get("calls") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[0]


# ── its description ──────────────────────────────────────────────────────────────────────────────


def test_the_description_and_its_page_need_no_log_in_and_nothing_from_elsewhere(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    operations = [op for path in schema["paths"].values() for op in path.values()]
    assert len(operations) == len(NEEDS)
    assert all(op["security"] and "4XX" in op["responses"] for op in operations)
    page = client.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "://" not in page.replace("http://www.w3.org", "")


def test_a_caller_with_the_ai_is_said_in_the_words_of_the_house(floor: rows.Floor) -> None:
    said = program(floor.billing).get(f"calls/{floor.waiting.call_id}").json()
    assert (said["caller_with"], said["state"]) == (CallerWith.AI, "active")
