"""The desk in a real browser: what asks for a manager takes the page, keys answer it, one window rings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from calls.live.publish import changed
from calls.models import Department, Directive
from calls.roles import Role
from calls.states import CallerWith
from tests import rows
from tests.browser import Console, Enter, opened
from tests.people import account
from transfers.models import Attempt, Decision, Endpoint, Manager, OpenDesk, Presence, Transfer
from transfers.states import AttemptState, Outcome, TransferState
from transfers.writing import manager_changed, move_attempt, move_transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def billing() -> Department:
    return rows.department("Billing")


@pytest.fixture
def dana(billing: Department) -> Manager:
    return rows.manager("Dana", billing, user=account(Role.MANAGER, name="dana"))


@pytest.fixture
def window(enter: Enter, console: Console, dana: Manager) -> BrowserContext:
    made = enter(dana.user)
    made.grant_permissions(["microphone"], origin=console.url)
    return made


@pytest.fixture
def page(window: BrowserContext, console: Console) -> Page:
    return opened(window, f"{console.url}/desk")


def again(page: Page) -> None:
    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-state", "live")


def rings(dana: Manager, billing: Department, **fields: Any) -> Attempt:
    """A caller who was charged twice asks for Dana."""
    with transaction.atomic():
        held = rows.call(billing, "+12025554417", caller_with=CallerWith.HOLD)
        rows.say(held, "caller", "I was charged twice for order 5521.", seconds=20)
        asked = rows.transfer(held, TransferState.CONNECTING, held_at=rows.ago(4))
        made: Attempt = rows.attempt(asked, dana, AttemptState.RINGING, seconds=3, **fields)
        manager_changed(dana)
    return made


def moves(attempt: Attempt, state: AttemptState, transfer_state: TransferState, **fields: Any) -> None:
    with transaction.atomic():
        move_transfer(Transfer.objects.get(pk=attempt.transfer_id), transfer_state)
        move_attempt(attempt, state, **fields)


def stage(page: Page, name: str) -> None:
    expect(page.locator("#desk-now")).to_have_attribute("data-stage", name)


def test_a_caller_takes_the_whole_page_with_everything_known(
    page: Page, dana: Manager, billing: Department
) -> None:
    stage(page, "idle")
    expect(page.locator("#desk-now")).to_contain_text("Available")
    made = rings(dana, billing)
    stage(page, "ringing")
    now = page.locator("#desk-now")
    for words in (
        "…4417",
        "for Billing",
        "charged twice, wants a person",
        "wants the money back",
        "Account number",
    ):
        expect(now).to_contain_text(words)
    expect(page.locator("#desk-talk")).to_contain_text("charged twice for order 5521")
    expect(page.locator("#said")).to_contain_text("Press A to accept")
    expect(page).to_have_title(re.compile("☎"))
    with transaction.atomic():
        said = rows.say(made.transfer.call, "caller", "Are you there?", seconds=0)
        changed("utterance", str(said.pk), 1, call_id=str(made.transfer.call_id))
    expect(page.locator("#desk-talk")).to_contain_text("Are you there?")
    assert page.evaluate("scrollY") == 0  # no word moves the page
    page.keyboard.press("a")
    expect(now).to_contain_text("Pick up your phone")
    stage(page, "accepted")
    made.refresh_from_db()
    assert made.accepted_at
    assert not Decision.objects.exists()


def test_decline_asks_why_and_takes_two_keys(page: Page, dana: Manager, billing: Department) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    page.keyboard.press("d")
    expect(page.locator("dialog[open] #reason")).to_be_focused()
    page.keyboard.type("a meeting")  # no key of these is an answer
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Declined")
    decision = Decision.objects.get(attempt=made)
    assert (decision.kind, decision.via, decision.reason) == ("decline", "screen", "a meeting")


def test_redirect_names_somebody_of_the_roster(page: Page, dana: Manager, billing: Department) -> None:
    rows.manager("Omar", billing)
    made = rings(dana, billing)
    stage(page, "ringing")
    page.keyboard.press("r")
    page.locator("dialog[open]").get_by_text("Omar").click()
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator("#notice")).to_contain_text("Sent on")
    assert Decision.objects.get(attempt=made).redirect_person == "Omar"


def test_a_caller_who_is_gone_takes_the_answers_along(page: Page, dana: Manager, billing: Department) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    page.keyboard.press("d")
    expect(page.locator("dialog[open]")).to_be_visible()
    moves(made, AttemptState.FAILED, TransferState.QUEUED, outcome="cancelled")
    stage(page, "idle")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#desk-talk > *")).to_have_count(0)
    expect(page.locator("#desk-today")).to_contain_text("…4417")


def test_what_is_typed_outlives_live_changes_and_enter_finishes(
    page: Page, dana: Manager, billing: Department
) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    moves(made, AttemptState.SUMMARIZING, TransferState.CONSULTING, answered_at=rows.ago(2))
    stage(page, "briefing")
    area = page.locator(".desk-note textarea")
    area.fill("wants 40 dollars back")
    expect(page.locator("[data-kept]")).to_have_text("Kept")
    with transaction.atomic():
        move_transfer(Transfer.objects.get(pk=made.transfer_id), TransferState.MERGING)
        move_transfer(Transfer.objects.get(pk=made.transfer_id), TransferState.MERGED)
        move_attempt(made, AttemptState.MERGED, merged_at=rows.ago(1))
    stage(page, "talking")
    expect(page.locator("#desk-talk")).to_contain_text("Dana joins the caller")
    area.press("End")
    area.type(", by Friday")
    with transaction.atomic():
        move_attempt(made, AttemptState.ENDED)
        move_transfer(Transfer.objects.get(pk=made.transfer_id), TransferState.COMPLETED, end_reason="connected")
    stage(page, "after")
    expect(page.locator("#desk-now")).to_contain_text("The call is over")
    expect(area).to_have_value("wants 40 dollars back, by Friday")
    area.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Noted")
    stage(page, "idle")
    made.refresh_from_db()
    assert (made.afterwards, made.note) == ("helped", "wants 40 dollars back, by Friday")
    page.goto(page.url.replace("/desk", f"/transfers/{made.transfer_id}"))
    expect(page.locator("main")).to_contain_text("wants 40 dollars back, by Friday")


def test_presence_is_set_by_keys_and_told(page: Page, dana: Manager) -> None:
    page.keyboard.press("w")
    expect(page.locator("dialog[open] #reason")).to_have_value("Lunch")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk-now")).to_contain_text("Away · Lunch")
    assert Manager.objects.get(pk=dana.pk).presence == Presence.AWAY
    page.keyboard.press("v")
    expect(page.locator("#desk-now")).to_contain_text("Available")
    assert Manager.objects.get(pk=dana.pk).presence == Presence.AVAILABLE


def test_a_wrap_up_that_is_over_is_seen_without_a_word_from_anybody(page: Page, dana: Manager) -> None:
    with transaction.atomic():
        Manager.objects.filter(pk=dana.pk).update(
            presence=Presence.WRAPPING_UP, presence_since=rows.ago(5), presence_until=rows.ago(-2)
        )
        dana.refresh_from_db()
        manager_changed(dana)
    expect(page.locator("#desk-now")).to_contain_text("Wrapping up")
    expect(page.locator("#desk-now")).to_contain_text("Available")


def test_a_checked_microphone_makes_the_desk_ring_and_a_second_window_says_where(
    page: Page, console: Console, window: BrowserContext, dana: Manager, billing: Department
) -> None:
    Endpoint.objects.create(manager=dana, position=0, kind=Endpoint.Kind.BROWSER)
    again(page)
    expect(page.locator("#desk-sound-words")).to_contain_text("not checked")
    page.keyboard.press("c")
    page.locator("#sound-tone").click()
    page.locator("#sound-record").click()
    page.locator("#sound-good:not([disabled])").click()
    expect(page.locator("#desk-sound-words")).to_contain_text("calls ring here")
    again(page)  # remembered
    expect(page.locator("#desk-sound-words")).to_contain_text("calls ring here")
    other = opened(window, page.url)
    expect(other.locator("#desk-bell-words")).to_contain_text("Another window")
    made = rings(dana, billing, desk=True, strategy="rejoin")
    stage(page, "ringing")
    stage(other, "ringing")
    assert OpenDesk.objects.filter(manager=dana, microphone=True, closed_at=None).count() == 2
    with transaction.atomic():
        Attempt.objects.filter(pk=made.pk).update(desk_tab="elsewhere", accepted_at=rows.ago(0))
        manager_changed(dana)
    for each in (page, other):
        expect(each.locator("#desk-elsewhere")).to_be_visible()


def test_a_window_that_is_not_connected_says_so(page: Page, console: Console) -> None:
    console.stop()
    expect(page.locator(".offline-line")).to_be_visible()
    console.start()
    expect(page.locator(".offline-line")).to_be_hidden()


def test_a_call_that_comes_in_the_middle_of_a_word_is_not_answered_by_the_rest_of_it(
    page: Page, dana: Manager, billing: Department
) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    page.keyboard.press("q")
    page.keyboard.type("is it ab")
    moves(made, AttemptState.FAILED, TransferState.QUEUED, outcome="cancelled")
    stage(page, "idle")
    page.keyboard.type("out wool?")  # w is away
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.wait_for_timeout(1600)  # a pause: the next letter is meant
    page.keyboard.press("w")
    expect(page.locator("dialog[open]")).to_be_visible()


def test_a_question_outlives_live_changes_and_a_refusal(page: Page, dana: Manager, billing: Department) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    page.keyboard.press("q")
    ask = page.locator("#desk-ask")
    ask.type("does she want")
    moves(made, AttemptState.SUMMARIZING, TransferState.CONSULTING, answered_at=rows.ago(1))
    stage(page, "briefing")
    expect(ask).to_be_focused()
    page.keyboard.type(" it back?")
    expect(ask).to_have_value("does she want it back?")
    ask.press("Enter")
    expect(page.locator("#notice")).to_contain_text("The transfer agent is not there yet")
    expect(ask).to_have_value("does she want it back?")


def test_a_call_that_goes_before_they_had_it_says_why(page: Page, dana: Manager, billing: Department) -> None:
    made = rings(dana, billing)
    stage(page, "ringing")
    moves(made, AttemptState.FAILED, TransferState.QUEUED, outcome="cancelled")
    stage(page, "idle")
    words = f"The call of …4417 is over for you: {Outcome.CANCELLED.label}."
    expect(page.locator("#notice")).to_contain_text(words)
    expect(page.locator("#said")).to_have_text(words)


def test_a_duplicated_window_is_another_one_and_a_loaded_one_the_same(
    page: Page, window: BrowserContext, console: Console
) -> None:
    def name_of(one: Page) -> str:
        expect(one.locator("#desk")).to_have_attribute("data-stage", "idle")
        name: str = one.evaluate("sessionStorage.getItem('patchbay-desk-tab')")
        return name

    first = name_of(page)
    twin = window.new_page()
    twin.add_init_script(
        f"sessionStorage.getItem('twin') || sessionStorage.setItem('patchbay-desk-tab', '{first}')"
    )
    twin.goto(page.url)
    assert name_of(twin) != first
    again(page)
    assert name_of(page) == first


def test_the_window_in_which_they_act_rings(page: Page, window: BrowserContext, console: Console) -> None:
    other = opened(window, page.url)
    expect(other.locator("#desk-bell-words")).to_have_text("Another window of yours rings.")
    other.keyboard.press("Shift")
    expect(other.locator("#desk-bell-words")).to_have_text("A call rings in this window.")
    expect(page.locator("#desk-bell-words")).to_have_text("Another window of yours rings.")
    other.close()
    expect(page.locator("#desk-bell-words")).not_to_have_text("Another window of yours rings.")


def test_who_is_rung_here_checks_their_audio_before_they_are_first_available(page: Page, dana: Manager) -> None:
    Endpoint.objects.create(manager=dana, position=0, kind=Endpoint.Kind.BROWSER)
    Manager.objects.filter(pk=dana.pk).update(presence=Presence.AWAY)
    again(page)
    page.keyboard.press("v")
    page.locator("#sound-tone").click()
    assert Manager.objects.get(pk=dana.pk).presence == Presence.AWAY
    page.locator("#sound-record").click()
    page.locator("#sound-good:not([disabled])").click()
    expect(page.locator("#desk-now")).to_contain_text("Available")
    assert Manager.objects.get(pk=dana.pk).presence == Presence.AVAILABLE


def test_who_has_a_phone_is_asked_to_check_it_once(page: Page, dana: Manager) -> None:
    Endpoint.objects.create(manager=dana, position=5, kind=Endpoint.Kind.BROWSER)
    Manager.objects.filter(pk=dana.pk).update(presence=Presence.AWAY)
    again(page)
    page.keyboard.press("v")
    expect(page.locator("#sound-check")).to_be_visible()
    again(page)
    page.keyboard.press("v")
    expect(page.locator("#desk-now")).to_contain_text("Available")


# ── who has a desk ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [None, *Role])
def test_others_are_told_that_they_have_no_desk(client: Client, dana: Manager, role: Role | None) -> None:
    client.force_login(account(role))
    answer = client.get("/desk")
    assert answer.status_code == 403
    assert b"No desk for your account" in answer.content
    assert b'href="/desk"' not in client.get("/history").content


def test_nothing_of_somebody_else_s_call_can_be_touched(
    client: Client, dana: Manager, billing: Department
) -> None:
    made = rings(dana, billing, desk=True)
    posts = ("accept", "listen", "decline", "redirect", "question", "line", "hand_over", "note", "finish")
    client.force_login(account(Role.ADMINISTRATOR))
    for name in posts:
        assert client.post(reverse(f"desk_{name}", args=[made.pk])).status_code == 403
    other = account(Role.MANAGER, name="omar")
    rows.manager("Omar", billing, user=other)
    client.force_login(other)
    fields = {
        "target": f"d:{billing.pk}",
        "key": str(made.pk),
        "text": "who?",
        "to": "back",
        "afterwards": "helped",
    }
    for name in posts:
        assert client.post(reverse(f"desk_{name}", args=[made.pk]), fields).status_code == 409, name
    assert client.get(reverse("desk_decline", args=[made.pk])).status_code == 404
    made.refresh_from_db()
    assert (made.accepted_at, made.desk_tab, made.note) == (None, "", "")
    assert not Decision.objects.exists()
    assert not Directive.objects.exists()


def test_a_manager_whose_account_sees_no_transcripts_is_briefed_aloud_alone(
    client: Client, billing: Department
) -> None:
    user = account(None, name="quiet")
    rings(rows.manager("Quiet", billing, user=user), billing)
    client.force_login(user)
    shown = client.get("/desk").content.decode()
    assert "it is spoken to you" in shown
    assert "charged twice" not in shown
