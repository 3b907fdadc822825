"""Every page and action, as owner, as another department, and as each role."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from calls.models import Call, Event
from calls.roles import Role
from calls.states import CallState
from tests import rows
from tests.people import account
from transfers.models import Manager, Transfer
from transfers.states import TransferState

pytestmark = pytest.mark.django_db

PEOPLE = {
    "owner": (Role.SUPERVISOR, ("billing",)),
    "other": (Role.SUPERVISOR, ("claims",)),
    "manager": (Role.MANAGER, ()),
    "auditor": (Role.AUDITOR, ()),
    "administrator": (Role.ADMINISTRATOR, ()),
    "nobody": (None, ()),
}


@pytest.fixture
def floor():
    return rows.floor()


@pytest.fixture
def as_(floor):
    def client(who: str) -> Client:
        role, where = PEOPLE[who]
        user = account(role, *[getattr(floor, name) for name in where], name=who)
        if who == "manager":
            Manager.objects.filter(name="Dana").update(user=user)
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        return browser

    return client


def words_of(answer) -> str:
    return json.loads(answer["HX-Trigger"])["notice"]["text"]


def test_without_a_log_in_every_page_asks_for_one(client, floor):
    for url in (
        "/",
        "/history",
        "/rooms",
        "/status",
        "/test-call",
        reverse("call", args=[floor.waiting.call_id]),
        reverse("transfer", args=[floor.waiting.pk]),
        reverse("wallboard_summary"),
    ):
        answer = client.get(url)
        assert answer.status_code == 302, url
        assert answer["Location"].startswith("/login"), url


SEEN = {  # who → (the waiting call of Billing, the briefing of Dana, rooms and status, test call)
    "owner": (200, 200, 200, 200),
    "other": (404, 404, 200, 200),
    "manager": (404, 200, 403, 403),
    "auditor": (200, 200, 200, 403),
    "administrator": (200, 200, 200, 200),
    "nobody": (404, 404, 403, 403),
}


@pytest.mark.parametrize("who", SEEN)
def test_each_role_sees_its_pages(who, as_, floor):
    browser = as_(who)
    waiting, briefing, house, test = SEEN[who]
    assert browser.get(reverse("call", args=[floor.waiting.call_id])).status_code == waiting
    assert browser.get(reverse("transfer", args=[floor.waiting.pk])).status_code == waiting
    assert browser.get(reverse("call", args=[floor.briefing.call_id])).status_code == briefing
    assert browser.get(reverse("transfer", args=[floor.briefing.pk])).status_code == briefing
    assert browser.get("/rooms").status_code == house
    assert browser.get("/test-call").status_code == test
    for url in ("/", "/history", reverse("wallboard_summary")):
        assert browser.get(url).status_code == 200, url


MAY_ACT = {"owner": 204, "other": 404, "manager": 403, "auditor": 403, "administrator": 204, "nobody": 403}


@pytest.mark.parametrize("who", MAY_ACT)
@pytest.mark.parametrize("action", ["approve", "decline", "edit_briefing", "cancel", "end_call", "escalate"])
def test_each_role_may_act_as_the_table_says(who, action, as_, floor):
    browser = as_(who)
    subject = floor.waiting.pk
    if action in ("end_call", "escalate"):
        subject = floor.returned.call_id
    if who == "manager":
        subject = floor.briefing.call_id if action in ("end_call", "escalate") else floor.briefing.pk
    data = {"briefing": "He was charged twice.", "key": str(uuid4()), "target": f"d:{floor.billing.pk}"}
    assert browser.post(reverse(action, args=[subject]), data).status_code == MAY_ACT[who]


def test_the_wallboard_shows_what_this_account_may_see(as_, floor):
    mine = as_("owner").get("/").content.decode()
    assert "…4417" in mine
    assert "Of course. I am asking a colleague" in mine
    assert "+12025554417" not in mine
    assert "…2210" not in mine  # of Claims
    assert "…7719" in mine  # unassigned: every supervisor's
    theirs = as_("other").get("/").content.decode()
    assert "…4417" not in theirs
    assert "…2210" in theirs
    assert "+12025554417" in as_("auditor").get("/").content.decode()
    assert "Approve" not in as_("nobody").get("/").content.decode()


def test_a_manager_sees_only_the_calls_they_were_asked_to_take(as_, floor):
    page = as_("manager").get("/").content.decode()
    assert str(floor.briefing.call_id) in page
    assert str(floor.waiting.call_id) not in page
    assert str(floor.merged.call_id) not in page


def test_an_auditor_reads_but_finds_no_buttons(as_, floor):
    browser = as_("auditor")
    page = browser.get(reverse("call", args=[floor.waiting.call_id])).content.decode()
    assert "charged twice for order" in page
    for verb in ("Approve", "Decline", "Escalate", "hx-post"):
        assert verb not in page


def test_who_may_not_read_transcripts_sees_no_words(as_, floor):
    from django.contrib.auth.models import Group, Permission

    transcript = Permission.objects.get(codename="view_transcript")
    browser = as_("owner")
    Group.objects.get(name=Role.SUPERVISOR).permissions.remove(transcript)
    for url in ("/", reverse("call", args=[floor.waiting.call_id]), reverse("transfer", args=[floor.waiting.pk])):
        page = browser.get(url).content.decode()
        assert "charged twice" not in page, url
        assert "Alex Romero" not in page, url
    panel = browser.get(reverse("escalate", args=[floor.returned.call_id])).content.decode()
    assert "nobody ever answers" not in panel


def test_a_double_click_is_one_transfer(as_, floor):
    browser, key = as_("owner"), str(uuid4())
    url = reverse("escalate", args=[floor.returned.call_id])
    data = {"key": key, "target": f"d:{floor.billing.pk}", "reason": "asks again", "briefing": "Call them back."}
    first, second = browser.post(url, data), browser.post(url, data)
    assert first.status_code == second.status_code == 204
    assert "Rings Omar" in words_of(first)
    made = Transfer.objects.get(request_key=key)
    assert made.briefing == "Call them back."
    assert made.requested_by.username == "owner"


def test_a_stale_click_is_told_and_changes_nothing(as_, floor):
    browser = as_("owner")
    Transfer.objects.filter(pk=floor.waiting.pk).update(
        state=TransferState.REJECTED, approved=False, end_reason="not_approved"
    )
    before = Event.objects.count()
    answer = browser.post(reverse("approve", args=[floor.waiting.pk]), {"seen": "1"})
    assert answer.status_code == 409
    assert "Your click changed nothing" in words_of(answer)
    assert answer["HX-Reswap"] == "none"
    assert Event.objects.count() == before


def test_a_forged_target_is_refused(as_, floor):
    browser = as_("owner")
    url = reverse("escalate", args=[floor.returned.call_id])
    stranger = Manager.objects.get(name="Ines")
    for target in ("", "d:999", "p:x:1", f"p:{stranger.pk}:{floor.billing.pk}", "sip:evil@example.com"):
        answer = browser.post(url, {"key": str(uuid4()), "target": target})
        assert answer.status_code == 409, target
    assert not Transfer.objects.filter(call=floor.returned.call, requested_by__isnull=False).exists()


def test_an_action_needs_the_token_of_the_page(as_, floor):
    browser = as_("owner")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post(reverse("approve", args=[floor.waiting.pk])).status_code == 403


def test_ending_a_call_asks_first_and_happens_once(as_, floor):
    browser, url = as_("owner"), reverse("end_call", args=[floor.returned.call_id])
    assert "says goodbye" in browser.get(url).content.decode()
    assert browser.post(url).status_code == browser.post(url).status_code == 204
    assert Call.objects.get(pk=floor.returned.call_id).state == CallState.INACTIVE
    assert Event.objects.filter(type="call.ended", call_id=floor.returned.call_id).count() == 1


def test_only_what_was_seen_is_ended(as_, floor):
    """The caller was with the AI when the panel was opened, and is on hold by now."""
    browser, url = as_("owner"), reverse("end_call", args=[floor.briefing.call_id])
    answer = browser.post(url, {"with": "ai"})
    assert answer.status_code == 409
    assert "with somebody else by now, so nothing was ended" in words_of(answer)
    assert Call.objects.get(pk=floor.briefing.call_id).state != CallState.INACTIVE
    assert browser.post(url, {"with": "hold"}).status_code == 204


def test_what_happens_next_follows_the_choice(as_, floor):
    browser, url = as_("owner"), reverse("escalate_next", args=[floor.returned.call_id])
    noor, lea = Manager.objects.get(name="Noor"), Manager.objects.get(name="Lea")
    chosen = browser.get(url, {"target": f"p:{noor.pk}:{floor.billing.pk}"})
    assert chosen.content.decode().startswith("Rings Noor for 25 s")
    away = browser.get(url, {"target": f"p:{lea.pk}:{floor.billing.pk}"})
    assert away.content.decode().startswith("Nobody is free")


def test_history_filters_and_pages(as_, floor, monkeypatch):
    browser = as_("administrator")
    assert "…" not in browser.get("/history?caller=9052").content.decode().split("<tbody>")[1].split("…")[0]
    found = browser.get("/history?caller=9052").content.decode()
    assert str(floor.completed.pk) in found
    assert str(floor.waiting.pk) not in found
    full = browser.get("/history?caller=%2B12025559052").content.decode()
    assert str(floor.completed.pk) not in full or "9052" in full
    assert str(floor.returned.pk) in browser.get("/history?result=no_manager").content.decode()
    assert "No transfer matches" in browser.get("/history?result=declined").content.decode()
    monkeypatch.setattr("transfers.history.PAGE", 2)
    seen, url = set(), "/history"
    for _ in range(5):
        page = browser.get(url)
        rows_ = page.context["found"].rows
        assert not seen & {row.id for row in rows_}
        seen |= {row.id for row in rows_}
        if not page.context["found"].older:
            break
        url = "/history?" + page.context["older"]
    assert len(seen) == Transfer.objects.count()


def test_a_transfers_page_says_whether_the_chain_holds_it(as_, floor):
    from calls.seals import seal_events

    browser, url = as_("owner"), reverse("transfer", args=[floor.completed.pk])
    assert "0 of 4 events are sealed" in browser.get(url).content.decode()
    seal_events()
    assert "All 4 events are sealed" in browser.get(url).content.decode()


def test_rooms_of_another_department_are_not_shown_and_numbers_are_masked(as_, floor):
    mine = as_("owner").get("/rooms").content.decode()
    assert "standup-with-the-team" in mine
    assert floor.briefing.call.room_name in mine
    assert "12025550935" not in mine
    theirs = as_("other").get("/rooms").content.decode()
    assert floor.briefing.call.room_name not in theirs
    assert "standup-with-the-team" in theirs


def test_a_snapshot_is_the_pages_content_alone(as_, floor):
    answer = as_("owner").get("/", headers={"HX-Request": "true", "X-Snapshot": "1"})
    page = answer.content.decode()
    assert "<html" not in page
    assert 'data-live-view="wallboard"' in page
    assert "HX-Request" in answer["Vary"]


def test_status_names_every_part_and_what_to_do(as_, floor):
    page = as_("owner").get("/status").content.decode()
    for part in ("Database", "Valkey", "LiveKit", "Clock skew", "Worker", "Agents", "Trunk", "Merge strategy"):
        assert part in page
    assert "Check LIVEKIT_URL" in page


def test_an_unknown_page_and_a_broken_one_say_so(as_, floor, monkeypatch):
    browser = as_("owner")
    assert "belongs to another department" in browser.get("/nothing").content.decode()
    monkeypatch.setattr("transfers.views.wallboard.strip_htmls", lambda *_: 1 / 0)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something failed on our side" in answer.content.decode()


def test_an_empty_floor_is_not_blank(client):
    client.force_login(account(Role.ADMINISTRATOR))
    board = client.get("/").content.decode()
    assert "No live calls" in board
    assert "Nothing waits for a decision" in board
    assert "No transfers yet" in client.get("/history").content.decode()
    assert "No rooms" in client.get("/rooms").content.decode()


def test_test_calls_are_minted_for_one_new_room(as_, floor):
    browser = as_("owner")
    answer = browser.post("/test-call/token", {"department": "Billing"})
    made = json.loads(answer.content)
    assert made["room"].startswith("call-test-")
    assert browser.get(f"/test-call/call?room={made['room']}").status_code == 202
    refused = browser.post(
        "/test-call/line", {"call": str(floor.waiting.call_id), "key": str(uuid4()), "text": "hi"}
    )
    assert refused.status_code == 404  # only a test call hears typed lines


def test_a_wrong_password_is_told_in_words(client):
    answer = client.post("/login", {"username": "x", "password": "y"})
    assert "do not belong together" in answer.content.decode()


def test_a_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(as_, floor):
    answer = as_("owner").get("/")
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert "<script>" not in page
    assert "//" not in "".join(part.split('"')[0] for part in page.split('src="')[1:])
