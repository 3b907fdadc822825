"""The history in a real browser: a number is looked for without being in the address, a file is taken away."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from calls.models import Call
from calls.roles import Role
from calls.services.calls import number_hmac
from tests import rows
from tests.browser import Console, chromium, log_in
from tests.people import account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    # Playwright runs an event loop in this thread; the database is used between its calls only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    made = Console()
    made.start()
    yield made
    made.stop()


def shot(page: Page, name: str) -> None:
    """For who wants to look: SHOTS=folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_number_is_searched_and_what_is_found_taken_away(console, settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the console's process
    floor = rows.floor()
    Call.objects.filter(pk=floor.completed.call_id).update(caller_number_hmac=number_hmac("+12025559052"))
    account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        log_in(page, console.url, "priya")
        page.goto(f"{console.url}/history")
        shot(page, "history")
        page.get_by_label("Caller").fill("+1 202 555 9052")
        page.get_by_label("Words said").fill("close my account")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert "555" not in page.url.removeprefix(console.url).replace(number_hmac("+12025559052"), "")
        expect(page.get_by_label("the whole number")).to_be_checked()
        page.get_by_text("More", exact=True).click()
        page.get_by_label("An attempt ended as").select_option("busy")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_text("No transfer matches")).to_be_visible()
        expect(page.get_by_label("An attempt ended as")).to_have_value("busy")
        shot(page, "history-none")
        page.get_by_role("link", name="Clear", exact=True).click()
        expect(page.locator("tbody tr[id]")).to_have_count(5)
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON Lines").click()
        taken = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
        assert {one["transfer"] for one in taken} >= {str(floor.completed.pk), str(floor.waiting.pk)}
        expect(page.locator("#exports")).to_contain_text(f"all {len(taken)} rows")
        shot(page, "history-exported")
        page.goto(f"{console.url}/transfers/{floor.completed.pk}")
        expect(page.locator("#heard-words")).to_contain_text("40 s from asking to a person")
        expect(page.locator(".lane-name").nth(1)).to_have_text("Hears")
        shot(page, "transfer")
        assert not errors
