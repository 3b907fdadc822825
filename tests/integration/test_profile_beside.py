"""A profile is edited beside a past call, whose briefing is seen and heard to change before anything is saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from calls import speaking
from calls.models import AgentProfile, CallFact, Event
from calls.roles import Role
from calls.timing import now
from tests import rows
from tests.openai_server import OpenAIServer
from tests.people import account
from transfers import profile_preview
from transfers.access import lens_of
from transfers.models import Transfer
from transfers.states import AttemptState, TransferState

if TYPE_CHECKING:
    from tests.browser import Console, Enter

pytestmark = pytest.mark.django_db
THEN = "The caller is Ben. They say: charged twice for one order."


def past_call() -> Transfer:
    """Charged twice; what was said and learnt is still there."""
    billing = rows.department("Billing")
    AgentProfile.objects.update(introduction="{manager} is here.")
    call = rows.call(billing, "+12025554417", seconds=300, state="inactive", ended_at=rows.ago(60))
    rows.say(call, "caller", "I was charged twice for one order.", seconds=290)
    CallFact.objects.create(call=call, key="name", value="Ben", learned_at=now())
    CallFact.objects.create(call=call, key="account_number", value="4512", learned_at=now())
    ended: dict[str, Any] = {"ended_at": rows.ago(60), "end_reason": "connected", "briefing": THEN}
    made = rows.transfer(call, TransferState.COMPLETED, seconds=200, **ended)
    rows.attempt(made, rows.manager("Dana", billing), AttemptState.ENDED, seconds=190)
    rows.say(call, "caller", "Thank you Dana, that was a much longer thing to say than all the rest.", seconds=90)
    return made


def form_of(profile: AgentProfile, **fields: object) -> dict[str, object]:
    """What the page's form sends."""
    facts = {
        f"facts-{nth}-{name}": value for nth, f in enumerate(profile.facts) for name, value in f.items() if value
    }
    own = {"greeting": profile.greeting, "word_limit": 45, "introduction": profile.introduction}
    return own | facts | {"facts-count": len(profile.facts), "sections-0": ""} | fields


def briefed(user: User, profile: AgentProfile, **fields: object) -> str:
    client = Client()
    client.force_login(user)
    address = reverse("admin:calls_agentprofile_briefing", args=(profile.pk,))
    answer = client.post(address, form_of(profile, **fields))
    assert answer.status_code == 200, answer.status_code
    return " ".join(answer.content.decode().split())


def test_the_briefing_of_a_past_call_changes_with_the_form_and_nothing_is_saved() -> None:
    transfer = past_call()
    profile, user = AgentProfile.objects.get(), account(Role.ADMINISTRATOR)
    page = briefed(user, profile, past=transfer.pk)
    assert f"Patchbay for Billing, a caller is waiting. {THEN}" in page
    assert "<mark>Account number 4 5 1 2.</mark>" in page
    assert "much longer" not in page  # said when the briefing was spoken already
    assert 'Now: <span id="introduction-now">Dana is here. </span>' in page

    hidden = {"facts-0-may_be_spoken": "", "sections-0": "reason", "introduction": "You talk to {manager} now."}
    form = {name: value for name, value in form_of(profile, **hidden).items() if value}
    page = briefed(user, profile, **(form | {"past": transfer.pk, "seen": transfer.pk}))
    assert "a caller is waiting. They say: I was" in page.replace("<mark>", "").replace("</mark>", "")
    assert "<mark>You talk to</mark> Dana <mark>now.</mark>" in page
    assert AgentProfile.objects.get().introduction == "{manager} is here."
    assert Event.objects.filter(type="transcript.read", call_id=transfer.call_id).count() == 1


def test_a_form_that_cannot_be_saved_says_why_beside_what_was_spoken() -> None:
    transfer = past_call()
    page = briefed(account(Role.ADMINISTRATOR), AgentProfile.objects.get(), past=transfer.pk, word_limit=3)
    assert THEN in page
    assert "Word limit: Ensure this value is greater than or equal to 10." in page


def test_only_who_may_edit_the_profile_sees_it_and_only_calls_of_its_department() -> None:
    transfer = past_call()
    profile = AgentProfile.objects.get()
    other = AgentProfile.objects.create(department=rows.department("Claims"), version=2, greeting="Hello.")
    address = reverse("admin:calls_agentprofile_briefing", args=(profile.pk,))
    client = Client()
    assert transfer.department
    client.force_login(account(Role.SUPERVISOR, transfer.department))
    assert client.post(address, form_of(profile, past=transfer.pk)).status_code == 403
    client.force_login(account(Role.ADMINISTRATOR))
    assert client.post(address, form_of(profile, past="nothing")).content == b""
    elsewhere = reverse("admin:calls_agentprofile_briefing", args=(other.pk,))
    assert client.post(elsewhere, form_of(other, past=transfer.pk)).status_code == 404
    page = client.get(reverse("admin:calls_agentprofile_change", args=(profile.pk,))).content.decode()
    assert f'<option value="{transfer.pk}">' in page
    assert "charged twice" not in page  # only who chooses a call reads of it
    assert not Event.objects.filter(type="transcript.read").exists()


def test_a_language_model_writes_it_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    transfer = past_call()
    profile, lens = AgentProfile.objects.get(), lens_of(account(Role.ADMINISTRATOR))
    profile.word_limit = 10
    with OpenAIServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        speaking.prepare()
        seen = profile_preview.preview(profile_preview.past(lens, profile).get(), profile)
        assert (seen.model, server.used["chat"]) == ("yes", 1)
        assert 0 < len(" ".join(part.words for part in seen.briefing).split()) <= 10
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr("transfers.agents.drafting.WITHIN_SECONDS", 1.0)
    seen = profile_preview.preview(transfer, profile)
    assert seen.model == "failed"
    assert seen.briefing[0].words.startswith("The caller is Ben.")


@pytest.mark.django_db(transaction=True)
def test_an_administrator_sees_the_briefing_change_while_they_edit(console: Console, enter: Enter) -> None:
    from playwright.sync_api import expect

    past_call()
    page = enter(account(Role.ADMINISTRATOR, name="ada")).new_page()
    page.goto(f"{console.url}{reverse('admin:calls_agentprofile_change', args=(AgentProfile.objects.get().pk,))}")
    page.get_by_label("How it would be briefed").select_option(index=1)
    expect(page.locator("#spoken-then")).to_contain_text(THEN)
    expect(page.locator("#spoken-now")).to_contain_text("Account number 4 5 1 2.")
    page.get_by_label("Fact 2 may be spoken").uncheck()
    expect(page.locator("#spoken-now")).not_to_contain_text("4 5 1 2")
    page.get_by_role("textbox", name="Introduction").fill("{manager} talks to you now.")
    expect(page.locator("#introduction-now mark")).to_have_text("talks to you now.")
    expect(page.get_by_role("button", name="Listen to what this profile says")).to_be_visible()
    if os.environ.get("PATCHBAY_SHOTS"):
        page.screenshot(path=Path(os.environ["PATCHBAY_SHOTS"]) / "profile-beside.png", full_page=True)
    assert AgentProfile.objects.count() == 1
