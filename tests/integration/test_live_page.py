"""The pages in a real browser: changes appear, nothing moves under the pointer, a lost console is told."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from playwright.sync_api import Page, Route, expect

from calls.agents import protocol as p
from calls.live.publish import changed
from calls.models import AgentJob, Call, Utterance
from calls.roles import Role
from calls.services import links
from calls.services.calls import touched
from calls.states import CallState
from calls.timing import now
from tests import rows
from tests.browser import Console, Enter, opened
from tests.people import account
from transfers import services
from transfers.advance import advance
from transfers.models import Attempt, Transfer
from transfers.states import TransferState
from transfers.writing import touched as transfer_touched

pytestmark = pytest.mark.django_db(transaction=True)


def change(call: Call, **fields: object) -> None:
    with transaction.atomic():
        Call.objects.filter(pk=call.pk).update(**fields)
        call.refresh_from_db()
        touched(call)


def spoken(
    call: Call, words: str, *, speaker: str = "caller", attempt: Attempt | None = None, seconds: float = 0
) -> None:
    with transaction.atomic():
        row = rows.say(call, speaker, words, seconds=seconds, attempt=attempt)
        changed("utterance", str(row.pk), 1, department_id=call.department_id, call_id=str(call.pk))


def strip(page: Page, call: Call):  # type: ignore[no-untyped-def]
    return page.locator(f"#strip-{call.pk}")


def go_to(page: Page, console: Console, call: Call) -> None:
    page.goto(f"{console.url}/calls/{call.pk}")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")


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
    strip(page, floor.merged.call).hover()  # and in sight
    before = top(floor.merged.call)
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


def test_a_card_that_is_read_stays_until_the_pointer_goes(page: Page, floor: rows.Floor) -> None:
    """However long one reads: what is pressed then is this card's, or nothing's."""
    with transaction.atomic():
        call = rows.call(floor.billing, "+12025550177")
        rows.agent(call)
        next_one = rows.transfer(call, TransferState.REQUESTED, seconds=1)
        transfer_touched(next_one)
    expect(page.locator(f"#need-{next_one.pk}")).to_be_visible()
    approve = page.locator(f"#need-{floor.waiting.pk}").get_by_role("button", name="Approve")
    approve.hover()
    page.wait_for_timeout(2600)  # longer than a pointer holds rows that are only looked at
    services.approve(transfer_id=floor.waiting.pk, user=account(Role.SUPERVISOR, floor.billing, name="omid"))
    expect(approve).to_be_disabled()
    page.wait_for_timeout(600)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(700, 20)
    expect(page.locator(f"#need-{floor.waiting.pk}")).to_have_count(0)
    assert Transfer.objects.get(pk=next_one.pk).approved is None


def test_a_request_that_comes_moves_no_card_that_is_pointed_at(page: Page, floor: rows.Floor) -> None:
    """It is told at once, and shown when the pointer goes."""
    lost = rows.call(floor.claims, "+12025557001", seconds=20)
    links_gone = rows.agent(lost)
    AgentJob.objects.filter(pk=links_gone.pk).update(closed_at=rows.ago(30))
    with transaction.atomic():
        touched(lost)
    escalate = page.locator(f"#watched-{lost.pk}").get_by_role("button", name="Escalate")
    escalate.hover()
    before = escalate.bounding_box()
    with transaction.atomic():
        call = rows.call(floor.billing, "+12025550177")
        rows.agent(call)
        made = rows.transfer(call, TransferState.REQUESTED, seconds=1)
        transfer_touched(made)
    expect(page.locator("#waiting [data-key=n]")).to_contain_text("2")
    expect(page.locator(f"#need-{made.pk}")).to_be_attached()
    assert escalate.bounding_box() == before
    expect(page.locator(f"#need-{made.pk}")).to_be_hidden()
    page.mouse.move(700, 20)
    expect(page.locator(f"#need-{made.pk}")).to_be_visible()


def test_what_was_missed_stands_before_what_was_said_since(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    call = floor.merged.call
    go_to(page, console, call)
    turns = page.locator(f"#talk-{call.pk} > .say")
    spoken(call, "Now I hear you.", seconds=-60)
    expect(turns.last).to_contain_text("Now I hear you.")
    spoken(call, "Are you there?")
    expect(turns.nth(-2)).to_contain_text("Are you there?")
    expect(turns.last).to_contain_text("Now I hear you.")


def test_a_row_that_comes_moves_no_other(page: Page, floor: rows.Floor) -> None:
    page.evaluate(
        """() => {
          window.put = 0;
          const count = (changes) => changes.forEach((change) => (window.put += change.addedNodes.length));
          new MutationObserver(count).observe(document.getElementById("strips"), { childList: true });
        }"""
    )
    with transaction.atomic():
        call = rows.call(floor.billing, "+12025559999", seconds=3000)
        touched(call)
    expect(strip(page, call)).to_be_visible()
    ids = page.locator("a.strip").evaluate_all("rows => rows.map((row) => [row.dataset.sort, row.id])")
    assert ids == sorted(ids)
    assert ids[-1][1] != f"strip-{call.pk}"
    assert page.evaluate("put") == 2  # at the end, then where it belongs


def test_a_row_is_changed_in_place_and_so_is_its_clock(page: Page, floor: rows.Floor) -> None:
    own = strip(page, floor.merged.call)
    own.evaluate("row => (row.same = true)")
    change(floor.merged.call, caller_last4="3131", started_at=rows.ago(7300))
    expect(own).to_contain_text("…3131")
    expect(own).to_contain_text("2:01:")
    assert own.evaluate("row => row.same")


def test_a_clock_out_of_sight_is_right_when_it_comes_into_sight(page: Page, floor: rows.Floor) -> None:
    with transaction.atomic():
        for nth in range(40):
            touched(rows.call(floor.billing, f"+120255550{nth:02}", seconds=100 + nth))
    strips = page.locator("a.strip")
    first, last = strips.first.locator(".clock").last, strips.last.locator(".clock").last
    page.wait_for_function("() => [...document.querySelectorAll('a.strip')].at(-1).outOfSight")
    page.evaluate("() => { const real = Patchbay.now; Patchbay.now = () => real() + 3600e3; Patchbay.tick(); }")
    expect(first).to_have_text(re.compile("^1:"))
    assert not (last.text_content() or "").startswith("1:")
    strips.last.scroll_into_view_if_needed()
    expect(last).to_have_text(re.compile("^1:"))


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


def test_a_page_fetched_late_brings_back_no_row_that_has_gone(page: Page, floor: rows.Floor) -> None:
    gone, held = floor.merged.call, list[Route]()
    page.route(re.compile(r"/$"), lambda route: held.append(route))
    page.evaluate(
        """() => {
          document.querySelector("[data-live-view=wallboard]").dataset.livePositions = "";
          document.dispatchEvent(new CustomEvent("patchbay:resync"));
        }"""
    )
    while not held:
        page.evaluate("0")  # lets Playwright hand over the request
    page_of_before = held[0].fetch()
    change(gone, state=CallState.INACTIVE)
    page.mouse.move(5, 5)
    expect(strip(page, gone)).to_have_count(0)
    held[0].fulfill(response=page_of_before)
    page.wait_for_function("() => document.querySelector('[data-live-view=wallboard]').dataset.livePositions")
    assert strip(page, gone).count() == 0
    change(floor.waiting.call, caller_last4="7070")
    expect(strip(page, floor.waiting.call)).to_contain_text("…7070")


def test_while_all_is_well_the_banner_leaves_no_line(page: Page) -> None:
    page.evaluate("document.getElementById('banner').innerHTML = '\\n'")  # as the page's load has it
    assert page.locator("#banner").evaluate("node => node.offsetHeight") == 0


def test_offline_an_action_is_refused_in_words_and_not_kept(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    card = page.locator(f"#need-{floor.waiting.pk}")
    console.stop()
    expect(page.locator("#link")).to_contain_text("offline")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("#notice")).to_contain_text("Nothing was done, and nothing is kept for later")
    card.get_by_role("button", name="Decline").click()
    expect(page.locator("#notice")).to_contain_text("This cannot be opened")
    console.start()
    expect(page.locator("#link")).to_contain_text("live")
    change(floor.merged.call, caller_last4="6060")
    expect(strip(page, floor.merged.call)).to_contain_text("…6060")
    assert Transfer.objects.get(pk=floor.waiting.pk).approved is None
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("#notice")).to_contain_text("Approved")


def test_what_came_of_an_action_is_told_though_its_card_was_swapped_meanwhile(
    page: Page, floor: rows.Floor
) -> None:
    page.evaluate(
        """document.body.addEventListener("htmx:beforeSend", (event) => setTimeout(() => {
             const card = event.target.closest(".need");
             card.replaceWith(card.cloneNode(true));
           }))"""
    )
    page.locator(f"#need-{floor.waiting.pk}").get_by_role("button", name="Approve").click()
    expect(page.locator("#notice")).to_contain_text("Approved")


def test_the_focus_stays_when_what_has_it_is_swapped(page: Page, floor: rows.Floor) -> None:
    own = page.locator(f"#need-{floor.waiting.pk}")
    own.get_by_role("button", name="Decline").focus()
    with transaction.atomic():
        Transfer.objects.filter(pk=floor.waiting.pk).update(reason="wants the money back today")
        transfer_touched(Transfer.objects.get(pk=floor.waiting.pk))
    expect(own).to_contain_text("wants the money back today")
    expect(own.get_by_role("button", name="Decline")).to_be_focused()
    strip(page, floor.merged.call).focus()
    change(floor.merged.call, caller_last4="8080")
    expect(strip(page, floor.merged.call)).to_contain_text("…8080")
    expect(strip(page, floor.merged.call)).to_be_focused()


def test_the_focus_stays_on_one_of_many_managers(page: Page, floor: rows.Floor) -> None:
    name = page.locator("#managers button.name").nth(2)
    name.focus()
    chosen = name.get_attribute("data-focus")
    page.evaluate("document.getElementById('managers-title').textContent = 'as it was'")
    change(floor.merged.call, caller_last4="8081")  # and what adds up is told anew
    expect(page.locator("#managers-title")).to_have_text("Managers")
    assert page.evaluate("document.activeElement.dataset.focus") == chosen


def test_a_click_is_not_lost_when_what_it_is_on_changes(page: Page, floor: rows.Floor) -> None:
    own = page.locator(f"#need-{floor.waiting.pk}")
    own.get_by_role("button", name="Decline").hover()
    page.mouse.down()
    with transaction.atomic():
        Transfer.objects.filter(pk=floor.waiting.pk).update(reason="wants the money back today")
        transfer_touched(Transfer.objects.get(pk=floor.waiting.pk))
    change(floor.merged.call, caller_last4="5050")
    expect(strip(page, floor.merged.call)).to_contain_text("…5050")
    expect(own).to_contain_text("charged twice")
    page.mouse.up()
    expect(page.locator("#panel[open]")).to_be_visible()
    expect(own).to_contain_text("wants the money back today")


def test_times_are_told_in_the_browser_s_zone(enter: Enter, floor: rows.Floor, console: Console) -> None:
    window = enter(account(Role.SUPERVISOR, floor.billing), timezone_id="Asia/Tokyo")
    there = opened(window, f"{console.url}/transfers/{floor.completed.pk}")
    asked = floor.completed.requested_at
    shown = there.locator(".page-head time").first
    tokyo = f"{asked.astimezone(ZoneInfo('Asia/Tokyo')):%-d %b %Y, %H:%M:%S}"
    expect(shown).to_have_text(tokyo.replace("Sep ", "Sept "))
    expect(shown).to_have_attribute("title", re.compile("GMT\\+9$"))
    assert there.locator("time[data-at]:not([data-local])").count() == 0


def test_the_call_page_follows_the_conversation(page: Page, floor: rows.Floor, console: Console) -> None:
    call = floor.briefing.call
    go_to(page, console, call)
    attempt = floor.briefing.attempts.get(nth=2)
    for speaker, words, side in (("manager", "Put them through", attempt), ("caller", "Hello?", None)):
        spoken(call, words, speaker=speaker, attempt=side)
    expect(page.locator(f"#thread-lines-{attempt.pk}")).to_contain_text("Put them through")
    expect(page.locator(f"#talk-{call.pk} > .say").last).to_contain_text("Hello?")
    assert page.locator(f"[id='thread-{attempt.pk}']").count() == 1
    assert Utterance.objects.filter(call=call).count() == page.locator(".say").count()


def test_words_are_shown_before_their_turn_is_over_and_kept_only_when_it_is(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    call = floor.briefing.call
    go_to(page, console, call)
    aside = floor.briefing.attempts.get(nth=2).pk
    support = p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room=call.room_name)
    briefer = p.Hello(job_id="AJ_2", role=p.Role.TRANSFER, room=f"consult-{aside}", attempt_id=aside)
    for hello, speaker, place in (
        (support, "caller", f"#talk-{call.pk}"),
        (briefer, "manager", f"#thread-lines-{aside}"),
    ):
        epoch = links.open_link(hello).epoch
        for seq, words in enumerate(("Could you", "Could you look at", f"The {speaker} has asked."), 1):
            final = words.startswith("The")
            body = p.Utterance(
                speaker=p.Speaker(speaker),
                side="call" if hello is support else "consultation",
                text=words,
                started_at=now(),
                final=final,
            )
            links.apply_up(hello.job_id, epoch, p.Up(seq=seq, at=now(), body=body))
            shown = page.locator(f"{place} > .say").last
            expect(shown.locator(".text")).to_have_text(words if final else f"{words} …")
        expect(page.locator(".partial")).to_have_count(0)
    assert not Utterance.objects.filter(text__startswith="Could you").exists()


def test_who_reads_further_up_is_not_moved_and_can_jump_to_now(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    call = floor.waiting.call
    for n in range(60):
        rows.say(call, "caller", f"Line {n} of a long story", seconds=30)
    go_to(page, console, call)
    spoken(call, "Are you still there?")
    jump = page.get_by_role("button", name="Jump to now")
    expect(jump).to_be_visible()
    assert page.evaluate("document.documentElement.scrollTop") == 0
    jump.click()
    expect(jump).to_be_hidden()
    expect(page.get_by_text("Are you still there?")).to_be_in_viewport()
    spoken(call, "Hello?")
    expect(page.get_by_text("Hello?")).to_be_in_viewport()
    expect(jump).to_be_hidden()


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


def test_the_focus_comes_back_to_a_button_that_was_swapped_under_the_panel(
    page: Page, floor: rows.Floor, console: Console
) -> None:
    call = floor.returned.call
    go_to(page, console, call)
    page.get_by_role("button", name="Escalate").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    change(call, caller_last4="6161")
    expect(page.locator(f"#call-side-{call.pk}")).to_contain_text("…6161")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_role("button", name="Escalate")).to_be_focused()


def test_a_stale_click_leaves_words_on_the_page(page: Page, floor: rows.Floor) -> None:
    card = page.locator(f"#need-{floor.waiting.pk}")
    card.get_by_role("button", name="Decline").click()
    page.get_by_label("What the AI tells the caller").fill("not today")
    other = account(Role.SUPERVISOR, floor.billing, name="omid")
    services.approve(transfer_id=floor.waiting.pk, user=other)
    page.get_by_role("button", name="Decline").last.click()
    expect(page.locator("#notice")).to_contain_text("changed nothing")
    expect(page.locator("#panel [role=alert]")).to_contain_text("changed nothing")  # beside the words they wrote
    expect(page.get_by_label("What the AI tells the caller")).to_have_value("not today")
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
