"""Supervision in a real browser: keys, words, and a page that changes while one types. No LiveKit answers here."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import transaction
from playwright.sync_api import Dialog, Page, expect

from calls.agents import protocol as p
from calls.models import AgentJob, Directive, Supervision
from calls.roles import Role
from calls.services import links, supervision
from calls.services.calls import locked, move_caller, touched
from calls.states import CallerWith, SupervisionEnd, SupervisionMode, SupervisionState
from calls.timing import now
from tests import rows
from tests.browser import Console
from tests.people import account
from tests.product import until
from transfers import supervising
from transfers.states import AttemptState, TransferState
from transfers.writing import move_attempt, move_transfer

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "What the AI should know or do"


@pytest.fixture
def page(page: Page, console: Console, floor: rows.Floor) -> Page:
    """Priya's, of a call whose manager is being briefed."""
    page.goto(f"{console.url}/calls/{floor.briefing.call_id}")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    return page


@pytest.mark.parametrize(
    ("key", "mode"),
    [("l", SupervisionMode.LISTEN), ("b", SupervisionMode.BARGE), ("t", SupervisionMode.TAKE_OVER)],
)
def test_a_key_asks_for_it_and_who_cannot_connect_is_told_what_it_means(
    page: Page, key: str, mode: SupervisionMode
) -> None:
    page.keyboard.press(key)
    expect(page.locator("#notice")).to_contain_text("You are not in the call")
    expect(page.locator("#notice")).to_contain_text("The call goes on as before; try again.")
    expect(page.locator("#supervising")).to_be_hidden()
    until(lambda: Supervision.objects.filter(mode=mode, end_reason=SupervisionEnd.STOPPED).exists(), 10, "it ends")
    assert Supervision.objects.count() == 1


def test_keys_are_letters_where_one_writes(page: Page) -> None:
    page.keyboard.press("w")
    expect(page.get_by_label(TEXT)).to_be_focused()
    page.keyboard.type("let them talk by mail")
    expect(page.get_by_label(TEXT)).to_have_value("let them talk by mail")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+l")
    assert not Supervision.objects.exists()


def test_a_whisper_to_the_ai_is_written_while_the_page_changes_and_shown_when_it_is_followed(
    page: Page, floor: rows.Floor
) -> None:
    call = floor.briefing.call
    links.open_link(p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room=call.room_name))
    page.keyboard.press("w")
    expect(page.get_by_label(TEXT)).to_be_focused()
    page.keyboard.type("Offer a refund")
    with transaction.atomic():
        call.refresh_from_db()
        touched(call)
    page.keyboard.type(" of one month.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("Whispered")
    told = page.get_by_label("Whispered to the AI")
    expect(told).to_contain_text("“Offer a refund of one month.” on its way")
    job, directive = AgentJob.objects.get(pk="AJ_1"), Directive.objects.get()
    done = p.DirectiveDone(directive_id=directive.pk)
    links.apply_up(job.pk, job.epoch, p.Up(seq=1, at=now(), body=done))
    expect(told).to_contain_text("the AI follows it")


def test_who_listens_is_named_at_once_and_no_longer_when_they_stop(page: Page, floor: rows.Floor) -> None:
    omid = account(Role.SUPERVISOR, floor.billing, name="omid")
    grant = supervising.start(
        call_id=floor.briefing.call_id, user=omid, mode=SupervisionMode.LISTEN, consultation=True, key=uuid4()
    )
    people = page.get_by_label("People in the call")
    expect(people).to_contain_text("omid listens to Dana")
    supervision.stop(grant_id=grant.pk, user=omid)
    expect(people).to_have_count(0)


def test_without_a_microphone_nothing_is_begun(console: Console, floor: rows.Floor, page: Page) -> None:
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('denied'))")
    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.keyboard.press("t")
    expect(page.locator("#notice")).to_contain_text("did not give its microphone")
    assert not Supervision.objects.exists()


# ── once it is connected: a LiveKit of the browser's own, which connects at once ─────────────────

CONNECTS = """
class Room {
  constructor() { this.remoteParticipants = new Map(); this.state = "connected"; this.on = () => this; }
  localParticipant = {
    audioLevel: 0, publishTrack: async () => {}, setTrackSubscriptionPermissions: () => {},
  };
  async connect() {}
  async startAudio() {}
  async disconnect() { this.state = "disconnected"; }
  static getLocalDevices = async () => [];
}
window.open_microphones = 0;
window.LivekitClient = {
  Room,
  RoomEvent: {}, DisconnectReason: {}, Track: { Kind: { Audio: "audio" }, Source: { Microphone: "microphone" } },
  createLocalAudioTrack: async () => {
    if (window.refuses) throw new Error("denied");
    window.open_microphones += 1;
    return { isMuted: false, stop: () => (window.open_microphones -= 1) };
  },
};
"""


@pytest.fixture
def connected(page: Page) -> Page:
    page.add_init_script(CONNECTS)
    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    return page


def in_the_call(page: Page, key: str, title: str) -> None:
    page.keyboard.press(key)
    dock = page.locator("#supervising")
    expect(dock).to_contain_text(title)
    expect(dock).to_contain_text("Connected")


@pytest.mark.parametrize("how", ["microphone", "console"])
def test_what_cannot_be_begun_leaves_what_goes_on(connected: Page, how: str) -> None:
    in_the_call(connected, "l", "Listening to")
    if how == "microphone":
        connected.evaluate("window.refuses = true")
    else:
        connected.route("**/supervise", lambda route: route.abort())
    connected.keyboard.press("b")
    expect(connected.locator("#notice .notice-line")).to_be_visible()
    expect(connected.locator("#supervising")).to_contain_text("Listening to")
    assert Supervision.objects.exclude(state=SupervisionState.ENDED).get().mode == SupervisionMode.LISTEN
    assert connected.evaluate("window.open_microphones") == 0


def test_a_caller_is_given_back_when_the_console_has_done_it(connected: Page) -> None:
    in_the_call(connected, "t", "You talk to")
    connected.route("**/stop", lambda route: route.abort())
    connected.keyboard.press("g")
    expect(connected.locator("#notice")).to_contain_text("the caller is still with you and hears you")
    expect(connected.locator("#supervising")).to_contain_text("You talk to")
    assert connected.evaluate("window.open_microphones") == 1
    connected.unroute("**/stop")
    connected.keyboard.press("g")
    expect(connected.locator("#notice")).to_contain_text("The AI has the caller again")
    expect(connected.locator("#supervising")).to_be_hidden()
    assert connected.evaluate("window.open_microphones") == 0
    assert Supervision.objects.get().end_reason == SupervisionEnd.STOPPED  # nobody had come into the room


def test_who_speaks_is_asked_before_the_page_goes(connected: Page) -> None:
    in_the_call(connected, "t", "You talk to")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    connected.on("dialog", stay)
    with connected.expect_event("dialog"):
        connected.close(run_before_unload=True)
    expect(connected.locator("#supervising")).to_contain_text("You talk to")
    assert asked == ["beforeunload"]


def test_who_listens_goes_as_they_like(connected: Page) -> None:
    in_the_call(connected, "l", "Listening to")
    with connected.expect_event("close"):
        connected.close(run_before_unload=True)


def test_who_hears_is_told_where_the_call_is_not_on_the_page(
    connected: Page, console: Console, floor: rows.Floor
) -> None:
    connected.goto(console.url)
    connected.click(f"#strip-{floor.briefing.call_id}")
    expect(connected.locator("#beside [data-supervise=barge]")).to_be_visible()
    in_the_call(connected, "b", "Joined in with")
    expect(connected.locator("#supervising")).to_contain_text("The caller hears you; Dana does not.")
    connected.keyboard.press("Escape")
    expect(connected.locator("#beside > *")).to_have_count(0)
    with transaction.atomic():
        transfer = floor.briefing
        transfer.refresh_from_db()
        move_transfer(transfer, TransferState.MERGING)
        move_transfer(transfer, TransferState.MERGED, merged_at=now())
        move_attempt(transfer.attempts.get(nth=2), AttemptState.MERGED, merged_at=now())
        move_caller(locked(transfer.call_id), CallerWith.MANAGER)
    expect(connected.locator("#supervising")).to_contain_text("The caller and Dana hear you.")
