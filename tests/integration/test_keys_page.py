"""The console by keyboard alone: the keys of a page, the palette, and what is told of approvals."""

from __future__ import annotations

import re

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from calls.models import AgentJob, Call
from calls.roles import Role
from calls.services.calls import touched
from tests import rows
from tests.browser import Console, Enter, opened
from tests.people import account
from transfers.models import Transfer
from transfers.states import TransferState
from transfers.writing import touched as transfer_touched

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "#waiting [data-key=n]"
OPTION = "#palette-list [role=option]"


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def panel(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("#panel[open]")


def asks(floor: rows.Floor) -> Transfer:
    """One more caller who waits for a supervisor."""
    with transaction.atomic():
        call = rows.call(floor.billing, "+12025550177")
        rows.agent(call)
        made = rows.transfer(call, TransferState.REQUESTED, seconds=1)
        transfer_touched(made)
    return made


# ── letters ──────────────────────────────────────────────────────────────────────────────────────


def test_approve_from_anywhere_in_two_keys(page: Page, console: Console, floor: rows.Floor) -> None:
    for path, oldest in (("/", floor.waiting), ("/history", asks(floor)), ("/status", asks(floor))):
        page.goto(console.url + path)
        expect(page.locator(MARK)).to_be_visible()
        press(page, "n")
        expect(panel(page)).to_contain_text("charged twice, wants a person")
        expect(panel(page)).to_contain_text("What the manager hears")
        press(page, "Enter")
        expect(page.locator("#notice")).to_contain_text("Approved")
        expect(panel(page)).to_have_count(0)
        oldest.refresh_from_db()
        assert oldest.approved, path


def test_escalate_with_the_drafted_briefing_in_at_most_three_keys(
    page: Page, console: Console, floor: rows.Floor
) -> None:
    back, other = floor.returned.call, rows.call(floor.claims, "+12025557005")
    page.goto(f"{console.url}/calls/{back.pk}")
    _escalates(page, back, "Escalate …3301")
    page.goto(console.url)
    page.locator(f"#strip-{other.pk}").focus()
    _escalates(page, other, "Escalate …7005")


def _escalates(page: Page, call: Call, title: str) -> None:
    press(page, "e")
    expect(panel(page)).to_contain_text(title)
    press(page, "Enter")
    expect(page.locator("#notice")).to_contain_text("Escalated")
    assert Transfer.objects.filter(call=call, requested_by__username="priya").exists()


def test_rows_are_walked_and_a_card_is_approved_where_it_stands(page: Page, floor: rows.Floor) -> None:
    press(page, "j")
    expect(page.locator(f"#need-{floor.waiting.pk}")).to_be_focused()
    press(page, "j", "j", "k")
    expect(page.locator("a.strip").first).to_be_focused()
    press(page, "ArrowDown", "ArrowUp", "k", "Enter")
    expect(page.locator("#notice")).to_contain_text("Approved")
    assert Transfer.objects.get(pk=floor.waiting.pk).approved


def test_enter_opens_a_card_that_waits_for_no_decision(page: Page, console: Console, floor: rows.Floor) -> None:
    lost = rows.call(floor.claims, "+12025557001", seconds=20)
    AgentJob.objects.filter(pk=rows.agent(lost).pk).update(closed_at=rows.ago(30))
    with transaction.atomic():
        touched(lost)
    card = page.locator(f"#watched-{lost.pk}")
    card.focus()
    press(page, "Enter")
    page.wait_for_url(f"{console.url}/calls/{lost.pk}")


def test_e_escalates_no_other_call_than_the_chosen_one(page: Page, floor: rows.Floor) -> None:
    page.click(f"#strip-{floor.returned.call_id}")
    expect(page.locator("#beside [data-focus=escalate]")).to_be_visible()
    page.locator(f"#need-{floor.waiting.pk}").focus()
    press(page, "e")
    expect(page.locator("#notice")).to_contain_text("request is waiting already")
    expect(panel(page)).to_have_count(0)


def test_letters_do_nothing_while_typing_and_can_be_turned_off(page: Page) -> None:
    press(page, "/")
    expect(page.locator("#f-q")).to_be_focused()
    page.keyboard.type("nje?")
    assert page.locator("#f-q").input_value() == "nje?"
    expect(panel(page)).to_have_count(0)
    page.locator("#f-q").fill("")
    page.locator(".bar .menu summary").click()
    page.get_by_label("Single-letter keys").uncheck()
    page.keyboard.press("Escape")
    press(page, "n", "?", "j")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.reload()
    expect(page.locator(MARK)).to_be_visible()
    press(page, "n")
    expect(page.locator("dialog[open]")).to_have_count(0)
    press(page, "Control+k")
    expect(page.locator("#palette[open]")).to_be_visible()


def test_the_overview_lists_what_the_page_has(page: Page, console: Console) -> None:
    expect(page.locator(MARK)).to_be_visible()
    press(page, "?")
    keys = page.locator("#keys[open]")
    for words in ("Search the live calls", "Open the oldest request", "Escalate", "Next row", "Find a call"):
        expect(keys).to_contain_text(words)
    press(page, "Escape")
    page.goto(f"{console.url}/status")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    press(page, "?")
    expect(keys).not_to_contain_text("Search the live calls")


# ── the palette ──────────────────────────────────────────────────────────────────────────────────


def test_the_palette_finds_a_call_and_opens_it(page: Page, console: Console, floor: rows.Floor) -> None:
    press(page, "Control+k")
    words = page.locator("#palette-words")
    expect(words).to_be_focused()
    page.keyboard.type("0935")
    first = page.locator(OPTION).first
    expect(first).to_contain_text("…0935")
    expect(first).to_contain_text("Briefing Dana")
    assert words.get_attribute("aria-activedescendant") == first.get_attribute("id")
    press(page, "Enter")
    page.wait_for_url(f"{console.url}/calls/{floor.briefing.call_id}")
    press(page, "Control+k")
    page.keyboard.type("9052")
    expect(page.locator(OPTION).first).to_contain_text("ended")
    press(page, "Escape", "Control+k")
    page.keyboard.type("nobody said this")
    expect(page.locator(".palette-told")).to_contain_text("no call matches")


def test_the_palette_goes_to_pages_and_does_things(page: Page, console: Console) -> None:
    expect(page.locator(MARK)).to_be_visible()
    press(page, "Control+k")
    page.keyboard.type("oldest")
    expect(page.locator(OPTION)).to_have_count(1)
    press(page, "Enter")
    expect(panel(page)).to_contain_text("needs approval")
    press(page, "Escape", "Control+k")
    page.keyboard.type("go to")
    press(page, "ArrowDown", "Enter")
    page.wait_for_url(f"{console.url}/history")


def test_the_palette_finds_only_what_the_account_sees(enter: Enter, console: Console, floor: rows.Floor) -> None:
    page = opened(enter(account(Role.SUPERVISOR, floor.claims)), console.url)
    press(page, "Control+k")
    with page.expect_response(lambda answer: "find?q=0935" in answer.url):
        page.keyboard.type("0935")
    expect(page.locator(".palette-told")).to_contain_text("no call matches")
    press(page, "Escape", "Control+k")
    page.keyboard.type("2210")
    expect(page.locator(OPTION).first).to_contain_text("…2210")


# ── being told ───────────────────────────────────────────────────────────────────────────────────

COUNTED = """() => {
  window.tones = 0; window.told = [];
  const made = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.tones += 1; return made.call(this); };
  window.Notification = class {
    static permission = "granted";
    constructor(title, options) { window.told.push(options.body); }
    addEventListener() {}
  };
  Object.defineProperty(document, "hidden", { get: () => true });
}"""


def test_approvals_sound_and_are_notified_once_asked_for(page: Page, floor: rows.Floor) -> None:
    page.evaluate(COUNTED)
    expect(page.locator(MARK)).to_contain_text("1")  # what waits already when the page opens is no news
    line = page.locator("#ask-alerts")
    expect(line).to_contain_text("When a caller needs your approval")
    asks(floor)
    expect(page.locator(MARK)).to_contain_text("2")
    assert page.evaluate("[tones, told.length]") == [0, 0]
    expect(page.locator("#said")).to_have_text("A caller of Billing needs approval.")
    line.get_by_role("button", name="Turn on").click()
    expect(line).to_be_hidden()
    page.wait_for_function("() => tones === 2")
    asks(floor)
    expect(page.locator(MARK)).to_contain_text("3")
    page.wait_for_function("() => told.length === 1")
    assert page.evaluate("[tones, told]") == [4, ["A caller of Billing needs approval."]]
    expect(page).to_have_title(re.compile(r"^\(3\)"))
    assert str(page.locator("link[rel=icon]").get_attribute("href")).startswith("data:image/svg+xml")
    page.reload()
    expect(page.locator(MARK)).to_be_visible()
    expect(line).to_be_hidden()
    page.locator(".bar .menu summary").click()
    expect(page.get_by_label("Sound and notification for approvals")).to_be_checked()


def test_not_now_is_remembered(page: Page) -> None:
    page.get_by_role("button", name="Not now").click()
    page.reload()
    expect(page.locator(MARK)).to_be_visible()
    expect(page.locator("#ask-alerts")).to_be_hidden()
