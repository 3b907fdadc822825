"""The roster in a real browser: a file with an error is corrected and applied, then the week is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from calls.roles import Role
from tests import rows
from tests.browser import Console, chromium, log_in
from tests.people import account
from transfers import roster_progress
from transfers.models import Manager, OpeningHours

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = "name,departments,priority,ways,shifts\n"
RIGHT = (
    HEAD
    + "Dana,Billing,1,phone +12025550101,Mon-Fri 09:00-17:00 UTC\nOmar,Billing,2,browser,Mon 08:00-12:00 UTC\n"
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Page]:
    # Playwright runs an event loop in this thread; the database is used between its calls only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the console's process
    billing = rows.department("Billing")
    for weekday in range(5):
        OpeningHours.objects.create(department=billing, weekday=weekday, starts="08:00", ends="18:00")
    rows.manager("Omar", billing, priority=3)
    account(Role.SUPERVISOR, billing, name="priya")
    console = Console()
    console.start()
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=console.url)
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            log_in(page, console.url, "priya")
            yield page
            assert not errors
    finally:
        console.stop()


def choose(page: Page, text: str) -> None:
    file = {"name": "managers.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="See what it would change").click()


def wait_for_it(page: Page) -> None:
    """As if the file were a long one: the form begins to wait, and is sent once it was seen how far it is."""
    form = page.locator("form[data-once]")
    run = form.locator("[name=run]").get_attribute("value")
    with roster_progress.shown(str(User.objects.get(username="priya").pk), run or "") as tell:
        tell(412, 2000, "412 of 1000 lines are read.")
    form.evaluate("form => form.dispatchEvent(new SubmitEvent('submit'))")
    expect(page.get_by_role("progressbar", name="How far the import is")).to_have_js_property("value", 412)
    expect(page.get_by_text("412 of 1000 lines are read.")).to_be_visible()
    shot(page, "import-under-way")
    form.evaluate("form => setTimeout(() => form.submit())")


def shot(page: Page, name: str) -> None:
    """Where somebody wants to look at the pages, too."""
    if os.environ.get("PATCHBAY_SHOTS"):
        page.screenshot(path=Path(os.environ["PATCHBAY_SHOTS"]) / f"{name}.png", full_page=True)


def test_a_supervisor_imports_managers_and_looks_at_their_week(page: Page) -> None:
    page.goto("/admin/transfers/manager/")
    page.get_by_role("link", name="Import").click()
    choose(page, RIGHT.replace("Mon 08:00-12:00 UTC", "Mon 08:00"))
    alert = page.get_by_role("alert").filter(has_text="Nothing was changed")
    expect(alert.locator("tbody tr")).to_have_count(1)
    expect(alert.locator("tbody tr")).to_contain_text("3shifts“Mon 08:00” is no shift")
    shot(page, "import-wrong")
    assert Manager.objects.get().priority == 3

    choose(page, RIGHT)
    expect(page.get_by_role("heading", name="1 would be added, 1 changed")).to_be_visible()
    changed = page.locator("tr", has_text="Omar")
    expect(changed).to_contain_text("priority: 3 → 2")
    expect(changed).to_contain_text("phone +12025550101 → browser")
    shot(page, "import-preview")
    wait_for_it(page)
    expect(page.get_by_text("1 added, 1 changed.")).to_be_visible()
    assert set(Manager.objects.values_list("name", "priority")) == {("Dana", 1), ("Omar", 2)}

    page.get_by_role("link", name="Omar").click()
    expect(page.get_by_role("link", name="Rehearse with this manager")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Week").first.click()
    table = page.get_by_role("table", name="Who is on when in Billing")
    monday = table.get_by_role("row", name="Nobody").get_by_role("cell").first
    expect(monday).to_have_text("17:00–18:00")
    expect(table.get_by_role("row", name="Nobody").get_by_role("cell").nth(1)).to_contain_text("08:00–09:00")
    shot(page, "week")
    page.get_by_role("link", name="Week after").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**week=**")
    expect(page.locator("[aria-current=date]")).to_have_count(0)  # today is in the week before
    page.get_by_role("link", name="Who would be called now, and why").first.click()
    expect(page.get_by_role("heading", name="Who would be called now in Billing")).to_be_visible()
    shot(page, "who")
