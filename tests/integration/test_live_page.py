"""The pages in a real browser: changes appear, nothing moves under the pointer, a lost console is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from calls.models import Call, Utterance
from calls.roles import Role
from calls.services.calls import touched
from calls.states import CallState
from tests import rows
from tests.browser import Console, chromium, log_in
from tests.people import account
from transfers import services
from transfers.advance import advance
from transfers.models import Transfer
from transfers.states import TransferState
from transfers.writing import touched as transfer_touched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    # Playwright runs an event loop in this thread; the database is used between its calls only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    made = Console()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def floor(console: Console) -> rows.Floor:
    return rows.floor()


@pytest.fixture
def page(console: Console, floor: rows.Floor, settings: Any) -> Iterator[Page]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the console's process
    account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(10_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        log_in(page, console.url, "priya")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        yield page
        assert not errors


def change(call: Call, **fields: object) -> None:
    with transaction.atomic():
        Call.objects.filter(pk=call.pk).update(**fields)
        call.refresh_from_db()
        touched(call)


def strip(page: Page, call: Call):  # type: ignore[no-untyped-def]
    return page.locator(f"#strip-{call.pk}")


def test_what_happens_appears_without_a_reload(page: Page, floor: rows.Floor) -> None:
    page.evaluate("window.stayed = true")
    expect(page.locator(f"#need-{floor.waiting.pk}")).to_be_visible()
    page.locator(f"#need-{floor.waiting.pk}").get_by_role("button", name="Approve").click()
    expect(page.locator("#notice")).to_contain_text("Approved")
    assert Transfer.objects.get(pk=floor.waiting.pk).approved
    with transaction.atomic():
        Transfer.objects.filter(pk=floor.waiting.pk).update(state=TransferState.QUEUED)
        transfer_touched(Transfer.objects.get(pk=floor.waiting.pk))
    expect(page.locator(f"#need-{floor.waiting.pk}")).to_have_count(0)
    expect(strip(page, floor.waiting.call)).to_contain_text("Looking for a manager")
    expect(page.locator("#kpis .kpi").nth(1)).to_contain_text("0")
    expect(page.get_by_text("Nothing waits for a decision")).to_be_visible()
    with transaction.atomic():
        new = rows.call(floor.claims, "+12025550199", seconds=1)
        touched(new)
    expect(strip(page, new)).to_contain_text("…0199")
    change(new, state=CallState.INACTIVE)
    page.mouse.move(5, 5)
    expect(strip(page, new)).to_have_count(0)
    assert page.evaluate("window.stayed")


def test_rows_do_not_move_under_the_pointer(page: Page, floor: rows.Floor) -> None:
    top = lambda call: strip(page, call).bounding_box()["y"]  # noqa: E731
    before = top(floor.merged.call)
    strip(page, floor.merged.call).hover()
    with transaction.atomic():
        Transfer.objects.filter(pk=floor.merged.pk).update(state=TransferState.REQUESTED)
        touched(floor.merged.call)
    expect(strip(page, floor.merged.call)).not_to_contain_text("With Ines")
    assert top(floor.merged.call) == before
    page.mouse.move(700, 20)
    page.wait_for_function(
        "([id, y]) => document.getElementById(id).getBoundingClientRect().y !== y",
        arg=[f"strip-{floor.merged.call_id}", before],
    )


def test_an_older_version_does_not_replace_a_newer_one(page: Page, floor: rows.Floor) -> None:
    own = f"#strip-{floor.merged.call_id}"
    page.evaluate(f"document.querySelector('{own}').dataset.version = 999999")
    change(floor.merged.call, caller_last4="0000")
    change(floor.waiting.call, caller_last4="1111")
    expect(strip(page, floor.waiting.call)).to_contain_text("…1111")
    expect(strip(page, floor.merged.call)).to_contain_text("…2210")


def test_a_lost_console_is_told_and_what_was_missed_is_fetched(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    page.evaluate("window.stayed = true")
    console.stop()
    expect(page.locator("#link")).to_contain_text("offline", timeout=5000)
    change(floor.waiting.call, caller_last4="7070")
    gone = floor.merged.call
    change(gone, state=CallState.INACTIVE)
    console.start()
    expect(page.locator("#link")).to_contain_text("live", timeout=5000)
    expect(strip(page, floor.waiting.call)).to_contain_text("…7070")
    expect(strip(page, gone)).to_have_count(0)
    assert page.evaluate("window.stayed")


def test_the_call_page_follows_the_conversation(page: Page, floor: rows.Floor, console: Console) -> None:
    call = floor.briefing.call
    page.goto(f"{console.url}/calls/{call.pk}")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    attempt = floor.briefing.attempts.get(nth=2)
    for speaker, words, side in (("manager", "Put them through", attempt), ("caller", "Hello?", None)):
        with transaction.atomic():
            row = rows.say(call, speaker, words, seconds=0, attempt=side)
            from calls.live.publish import changed

            changed("utterance", str(row.pk), 1, department_id=call.department_id, call_id=str(call.pk))
    expect(page.locator(f"#thread-lines-{attempt.pk}")).to_contain_text("Put them through")
    expect(page.locator(f"#talk-{call.pk} > .say").last).to_contain_text("Hello?")
    assert page.locator(f"[id='thread-{attempt.pk}']").count() == 1
    assert Utterance.objects.filter(call=call).count() == page.locator(".say").count()


def test_escalate_by_keyboard_alone(page: Page, floor: rows.Floor, console: Console) -> None:
    page.goto(f"{console.url}/calls/{floor.returned.call_id}")
    page.get_by_role("button", name="Escalate").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_role("button", name="Escalate")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Noor").check()
    expect(page.locator("#then")).to_contain_text("Rings Noor for 25 s")
    page.get_by_label("Why").fill("wants somebody now")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#notice")).to_contain_text("Escalated")
    made = Transfer.objects.get(reason="wants somebody now")
    assert made.person is not None
    assert made.person.name == "Noor"
    expect(page.get_by_role("button", name="Cancel transfer")).to_be_visible()


def test_a_stale_click_leaves_words_on_the_page(page: Page, floor: rows.Floor) -> None:
    card = page.locator(f"#need-{floor.waiting.pk}")
    card.get_by_role("button", name="Decline").click()
    page.get_by_label("What the AI tells the caller").fill("not today")
    other = account(Role.SUPERVISOR, floor.billing, name="omid")
    services.approve(transfer_id=floor.waiting.pk, user=other)
    page.get_by_role("button", name="Decline").last.click()
    expect(page.locator("#notice")).to_contain_text("changed nothing")
    assert Transfer.objects.get(pk=floor.waiting.pk).approved is True


def test_a_call_opens_beside_the_list_and_closes_again(page: Page, floor: rows.Floor) -> None:
    strip(page, floor.briefing.call).click()
    expect(page.locator("#beside h1")).to_contain_text("…0935")
    change(floor.briefing.call, caller_last4="1212")
    expect(page.locator("#beside h1")).to_contain_text("…1212")
    expect(strip(page, floor.briefing.call)).to_contain_text("…1212")
    page.keyboard.press("Escape")
    expect(page.locator("#beside h1")).to_have_count(0)
    assert "calls" not in page.url


def test_the_pages_fit_a_tablet_and_hold_still_when_asked(page: Page, floor: rows.Floor, console: Console) -> None:
    page.set_viewport_size({"width": 820, "height": 1180})
    page.emulate_media(reduced_motion="reduce")
    for path in ("/", f"/calls/{floor.briefing.call_id}", f"/transfers/{floor.completed.pk}", "/rooms", "/status"):
        page.goto(console.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        moving = "getComputedStyle(document.querySelector('.pulses') || document.body).animationName"
        assert page.evaluate(moving) == "none"


def test_the_history_s_newest_page_follows_what_happens(page: Page, console: Console, floor: rows.Floor) -> None:
    page.goto(f"{console.url}/history")
    row = page.locator(f"#row-{floor.waiting.pk}")
    expect(row).to_contain_text("Needs approval")
    services.cancel(transfer_id=floor.waiting.pk, user=account(Role.ADMINISTRATOR))
    advance(floor.waiting.pk)
    expect(row).to_contain_text("Cancelled")
    with transaction.atomic():
        added = rows.transfer(rows.call(floor.billing), TransferState.COMPLETED, seconds=0)
        transfer_touched(added)
    expect(page.locator("#history-rows tr[id]").first).to_have_attribute("id", f"row-{added.pk}")
