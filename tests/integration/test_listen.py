"""Texts that callers hear are listened to before: who may, what comes, what is said where it cannot be."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from calls import speaking
from calls.models import AgentProfile, Department
from calls.roles import Role
from tests.people import account
from transfers.models import Policy

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import Console, Enter

pytestmark = pytest.mark.django_db
LINE = "Thank you for holding."


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seconds_of(sound: bytes) -> float:
    """Of a file in the form that we make; it is not silence."""
    with wave.open(io.BytesIO(sound)) as made:
        assert (made.getnchannels(), made.getsampwidth(), made.getframerate()) == (1, 2, speaking.RATE)
        assert any(made.readframes(made.getnframes()))
        return made.getnframes() / speaking.RATE


def test_an_administrator_hears_a_text_as_a_caller_would() -> None:
    answer = as_(account(Role.ADMINISTRATOR)).post(reverse("admin:calls_listen"), {"text": f"  {LINE}\n"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "audio/wav"
    assert "no-store" in answer["Cache-Control"]
    short = seconds_of(answer.content)
    assert 0.8 < short < 4
    assert seconds_of(speaking.wav_of(f"{LINE} {LINE} {LINE}")) > 2 * short


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MANAGER, Role.AUDITOR])
def test_only_who_may_edit_such_a_text_may_listen(role: Role) -> None:
    department = Department.objects.create(name="Billing")
    answer = as_(account(role, department)).post(reverse("admin:calls_listen"), {"text": LINE}, follow=True)
    assert answer.status_code in (403, 405)  # sent on to a log-in where there is no administration for them
    assert answer["Content-Type"] != "audio/wav"


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        (" \n ", "", "the text is empty"),
        ("a" * 1001, "", "At most 1000 characters"),
        (LINE, "nobody/knows-this", "The voice could not speak this now."),
    ],
)
def test_what_is_not_spoken_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, text: str, voice: str, words: str
) -> None:
    monkeypatch.setenv("AGENT_TTS", voice)
    monkeypatch.setenv("LIVEKIT_INFERENCE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(speaking, "WITHIN_S", 3.0)
    answer = as_(account(Role.ADMINISTRATOR)).post(reverse("admin:calls_listen"), {"text": text})
    assert (answer.status_code, answer["Content-Type"]) == (422, "text/plain; charset=utf-8")
    assert words in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_text_is_listened_to_by_keyboard_before_it_is_saved(console: Console, enter: Enter) -> None:
    from playwright.sync_api import expect

    from tests.browser import PATIENCE_MS

    department = Department.objects.create(name="Billing")
    policy = Policy.objects.create(department=department)
    AgentProfile.objects.create(department=department, greeting="Hello.")
    page: Page = enter(account(Role.ADMINISTRATOR, name="ada")).new_page()
    page.goto(f"{console.url}{reverse('admin:calls_department_change', args=(department.pk,))}")
    page.get_by_role("textbox", name="Hold line").fill("Please hold, dear caller.")
    with page.expect_request("**/listen/") as asked:
        page.get_by_role("button", name="Listen to the hold line").press("Enter")
    assert "Please hold, dear caller." in (asked.value.post_data or "")
    part = page.locator("[data-listen]", has=page.get_by_role("button", name="the hold line"))
    # The voice is read from disk first, which takes a busy machine its time.
    expect(part.get_by_role("status")).to_have_text("Spoken to the end.", timeout=3 * PATIENCE_MS)
    expect(part.get_by_role("button", name="Listen to the hold line")).to_be_focused()
    page.get_by_role("textbox", name="Progress line").fill("")
    page.get_by_role("button", name="Listen to the progress line").click()
    expect(page.get_by_role("status").filter(has_text="the text is empty")).to_be_visible()
    policy.refresh_from_db()
    assert policy.hold_line != "Please hold, dear caller."
