"""The wallboard in a real browser: what needs somebody, the filter in the address, and the managers' day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from calls.models import AgentJob, Call, Department
from calls.roles import Role
from calls.services.calls import touched
from calls.timing import now
from tests import rows
from tests.browser import Console, Enter, opened
from tests.people import account
from transfers.access import lens_of
from transfers.attention import SILENCE
from transfers.live_calls import live_calls
from transfers.models import Manager, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState
from transfers.strip_html import strip_htmls
from transfers.watched import watched

pytestmark = pytest.mark.django_db(transaction=True)


def card(page: Page, call: Call):  # type: ignore[no-untyped-def]
    return page.locator(f"#watched-{call.pk}")


def shown(page: Page) -> set[str]:
    """The ids of the strips that are shown."""
    found: list[str] = page.eval_on_selector_all("a.strip:not([hidden])", "rows => rows.map((row) => row.id)")
    return set(found)


def told(call: Call) -> None:
    with transaction.atomic():
        touched(call)


# ── needs ────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_hold_and_an_overdue_callback_appear_by_time_alone(page: Page, floor: rows.Floor) -> None:
    """Nothing is written when the moment comes: the page knew it, and asked."""
    held = floor.briefing.call
    callback = rows.callback(floor.completed.call, due_in_s=2)
    with transaction.atomic():
        Call.objects.filter(pk=held.pk).update(caller_since=now() - timedelta(seconds=297))
        touched(held)
    expect(page.locator(f"#overdue-{callback.pk}")).to_contain_text("Callback overdue")
    expect(card(page, held)).to_contain_text("Long hold")
    expect(card(page, held)).to_contain_text("More than half of the 10:00 that Billing lets a caller wait.")
    Call.objects.filter(pk=held.pk).update(caller_since=now())
    told(held)
    expect(card(page, held)).to_have_count(0)


def test_a_lost_agent_a_silence_and_a_second_request_are_said(page: Page, floor: rows.Floor) -> None:
    lost, silent = (rows.call(floor.claims, f"+1202555{n}", seconds=20) for n in ("7001", "7002"))
    rows.agent(silent)
    gone = rows.agent(lost)
    AgentJob.objects.filter(pk=gone.pk).update(closed_at=now() - timedelta(seconds=30))
    Call.objects.filter(pk=silent.pk).update(started_at=now() - SILENCE, caller_since=now() - SILENCE)
    twice = floor.returned.call
    made = rows.transfer(twice, TransferState.FAILED, end_reason=EndReason.NO_MANAGER, ended_at=now())
    for call in (lost, silent, twice):
        told(call)
    expect(card(page, lost)).to_contain_text("Agent lost")
    expect(card(page, lost)).to_contain_text("so nobody talks to the caller")
    expect(card(page, silent)).to_contain_text("Silence")
    expect(card(page, twice)).to_contain_text("Asked twice for a person")
    assert page.locator("#watched > .need").first.get_attribute("id") == f"watched-{lost.pk}"
    rows.agent(lost)
    Transfer.objects.filter(pk=made.pk).update(state=TransferState.COMPLETED, merged_at=now())
    for call in (lost, twice):
        told(call)
    expect(card(page, lost)).to_have_count(0)
    expect(card(page, twice)).to_have_count(0)


def test_escalate_from_a_card_and_open_its_call(page: Page, floor: rows.Floor, console: Console) -> None:
    twice = floor.returned.call
    rows.transfer(twice, TransferState.FAILED, end_reason=EndReason.NO_MANAGER, ended_at=now())
    told(twice)
    card(page, twice).get_by_role("button", name="Escalate").click()
    expect(page.locator("#panel[open]")).to_contain_text("Escalate …3301")
    page.keyboard.press("Escape")
    card(page, twice).get_by_role("link", name="Open").click()
    page.wait_for_url(f"{console.url}/calls/{twice.pk}")


# ── the filter ───────────────────────────────────────────────────────────────────────────────────


def test_the_address_keeps_the_filter_and_server_and_browser_agree(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    every = shown(page)
    assert len(every) == 8
    search = page.locator("#f-q")
    for words, department, state, needs in (
        ("0935", "", "", False),
        ("billing money", "", "", False),
        ("", str(floor.claims.pk), "", False),
        ("", "0", "", False),
        ("", "", "ai", False),
        ("plan", str(floor.billing.pk), "brief", False),
        ("", "", "", True),
        ("no such words", "", "", False),
    ):
        search.fill(words)
        page.select_option("#f-department", department)
        page.select_option("#f-state", state)
        page.locator("[name=needs]").set_checked(needs)
        by_browser = shown(page)
        assert by_browser < every, (words, department, state, needs)
        page.reload()
        assert shown(page) == by_browser, page.url
        assert search.input_value() == words
        expect(page.locator("#shown-count")).to_have_text(f"{len(by_browser)} of 8")
    expect(page.get_by_text("No live call matches")).to_be_visible()
    page.get_by_role("link", name="show them all").click()
    assert shown(page) == every
    assert page.url == f"{console.url}/"


def test_the_filter_holds_when_something_happens(page: Page, floor: rows.Floor) -> None:
    page.select_option("#f-state", "hold")
    before = shown(page)
    with transaction.atomic():
        mine = rows.call(floor.claims, "+12025550199", seconds=1)
        touched(mine)
    expect(page.locator(f"#strip-{mine.pk}")).to_be_hidden()
    expect(page.locator(f"#strip-{mine.pk}")).to_have_count(1)
    assert shown(page) == before
    with transaction.atomic():
        Call.objects.filter(pk=mine.pk).update(caller_with="hold", state="escalated")
        touched(mine)
    expect(page.locator(f"#strip-{mine.pk}")).to_be_visible()
    expect(page.locator("#shown-count")).to_have_text(f"{len(before) + 1} of 9")


def test_an_order_is_kept_in_the_address(page: Page) -> None:
    for sort, first in (("newest", "Test caller"), ("oldest", "…2210"), ("longest", "…2210")):
        page.select_option("#f-sort", sort)
        expect(page.locator("a.strip .caller").first).to_have_text(first)
        page.reload()
        expect(page.locator("a.strip .caller").first).to_have_text(first)
        assert f"sort={sort}" in page.url


def test_the_longest_hold_is_in_sight_with_hundreds_of_calls(page: Page, floor: rows.Floor) -> None:
    calls = [
        Call(
            room_name=f"many-{n}",
            department=floor.billing,
            state="escalated" if n % 8 == 0 else "active",
            caller_with="hold" if n % 8 == 0 else "ai",
            caller_since=now() - timedelta(seconds=n / 10),
            started_at=now() - timedelta(seconds=1000 - n),
            last_fact_at=now(),
        )
        for n in range(480)
    ]
    Call.objects.bulk_create(calls)
    longest = max(
        (call for call in calls if call.caller_with == "hold"), key=lambda call: now() - call.caller_since
    )
    Call.objects.filter(pk=longest.pk).update(caller_since=now() - timedelta(seconds=900))
    page.reload()
    strip = page.locator(f"#strip-{longest.pk}")
    expect(strip).to_be_in_viewport()
    page.get_by_role("link", name="on hold, the longest first").click()
    expect(page.locator("a.strip:not([hidden])").first).to_have_id(f"strip-{longest.pk}")


# ── figures and managers ─────────────────────────────────────────────────────────────────────────


def test_managers_say_how_their_day_went_and_figures_name_the_last_rehearsal(
    enter: Enter, console: Console, floor: rows.Floor
) -> None:
    karl, lea = Manager.objects.get(name="Karl"), Manager.objects.get(name="Lea")
    rows.attempt(floor.merged, karl, AttemptState.FAILED, nth=2, outcome=Outcome.NO_ANSWER)
    rows.attempt(floor.merged, karl, AttemptState.ENDED, nth=3, answered_at=now())
    Manager.objects.filter(pk=lea.pk).update(presence_since=now() - timedelta(seconds=75))
    house = rows.department("Rehearsal")
    Department.objects.filter(pk=house.pk).update(rehearsal=True)
    call = rows.call(house, rehearsal=True, state="inactive", ended_at=now())
    rows.transfer(call, TransferState.COMPLETED, end_reason=EndReason.CONNECTED, ended_at=now())
    page = opened(enter(account(Role.SUPERVISOR, floor.billing, floor.claims)), console.url)
    karls = page.locator(f"#person-{floor.claims.pk}-{karl.pk}")
    expect(karls).to_contain_text("1 answered, 1 missed today")
    expect(page.locator(f"#person-{floor.billing.pk}-{lea.pk}")).to_contain_text("away · lunch 1:")
    expect(page.locator("#kpis .worded")).to_contain_text("connected")
    expect(page.locator("#kpis")).to_contain_text("last rehearsal")


def test_the_strips_that_a_process_keeps_are_found_by_what_they_show(floor: rows.Floor) -> None:
    lens = lens_of(account(Role.SUPERVISOR, floor.billing))
    seen = {row.id: row for row in strip_htmls(lens, live_calls(lens))}
    row = seen[floor.waiting.call_id]
    assert row.text == "…4417 billing of course. i am asking a colleague whether they can take your call."
    assert (row.department, row.state) == (str(floor.billing.pk), "approval")


def test_a_quiet_call_comes_to_need_somebody_by_time_alone(
    floor: rows.Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process knows of a call says until when it need not look again, and no longer."""
    lens = lens_of(account(Role.SUPERVISOR, floor.billing))
    begun = now()
    call = rows.call(floor.billing, caller_since=begun, started_at=begun)
    rows.agent(call)
    silent_from = begun + SILENCE

    def cards(at: datetime) -> list[str]:
        monkeypatch.setattr("transfers.watched.now", lambda: at)
        seen = watched(lens, [one for one in live_calls(lens) if one.id == call.pk])
        assert at >= silent_from or (seen.next_at and seen.next_at <= silent_from)
        return [reason.words for one in seen.cards for reason in one.reasons]

    assert [cards(silent_from + timedelta(seconds=late)) for late in (-2, -1, 0, 5)] == [
        [],
        [],
        ["Silence"],
        ["Silence"],
    ]
    with transaction.atomic():
        Call.objects.filter(pk=call.pk).update(caller_since=silent_from)
        touched(call)
    assert cards(silent_from + timedelta(seconds=5)) == []
