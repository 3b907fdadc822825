"""Supervision in a real browser: keys, words, and a page that changes while one types. No LiveKit answers here."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from calls.agents import protocol as p
from calls.models import AgentJob, Directive, Supervision
from calls.roles import Role
from calls.services import links, supervision
from calls.services.calls import touched
from calls.states import SupervisionEnd, SupervisionMode
from calls.timing import now
from tests import rows
from tests.browser import Console
from tests.people import account
from tests.product import until
from transfers import supervising

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
