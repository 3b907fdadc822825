"""The reports in a real browser: plots of the figures, in both themes, and a form that keys can use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from calls.roles import Role
from calls.timing import now
from tests import rows
from tests.browser import Console, chromium, log_in
from tests.measured import past
from tests.people import account
from transfers.reports.measure import measure

pytestmark = pytest.mark.django_db(transaction=True)

PLOTS = ("to-person", "days", "hours")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Page]:
    # Playwright runs an event loop in this thread; the database is used between its calls only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the console's process
    departments = [rows.department(name) for name in ("Billing", "Claims")]
    past(departments, 30, end=now())
    measure()
    account(Role.AUDITOR, name="audra")
    console = Console()
    try:
        console.start()
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            log_in(page, console.url, "audra")
            page.goto(f"{console.url}/reports?range=30")
            yield page
            assert not errors
    finally:
        console.stop()


def ink(page: Page, plot: str) -> str:
    """What is drawn, to be compared."""
    drawn: str = page.locator(f"#plot-{plot} canvas").evaluate("canvas => canvas.toDataURL()")
    return drawn


def test_the_plots_are_drawn_and_the_form_asks_for_other_days(page: Page) -> None:
    for plot in PLOTS:
        figure = page.locator(f"#plot-{plot}")
        expect(figure.locator("canvas")).to_have_count(1)
        expect(figure.get_by_role("img")).to_have_attribute(
            "aria-label",
            f"Plot: {figure.locator('.plot-title').inner_text()}. The table below has the same figures.",
        )
    dark = {plot: ink(page, plot) for plot in PLOTS}
    page.locator("#theme").click()
    for plot in PLOTS:
        expect(page.locator(f"#plot-{plot} canvas")).to_have_count(1)
        page.wait_for_function(
            "([id, dark]) => document.querySelector(`#plot-${id} canvas`).toDataURL() !== dark",
            arg=[plot, dark[plot]],
        )
    top = page.locator("#plot-days .u-over")
    top.hover(position={"x": 5, "y": 100})
    expect(page.locator("#plot-days .plot-key b").first).not_to_be_empty()
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#r-since")).to_be_hidden()
    page.locator("#r-range").focus()
    page.keyboard.press("End")
    expect(page.locator("#r-since")).to_be_visible()
    page.locator("#r-since").fill("2026-01-01")
    page.locator("#r-until").fill("2026-01-02")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No transfer in these days")).to_be_visible()
    assert "since=2026-01-01" in page.url
