"""A console on the tests' own database and a browser, once a module; a supervisor's wallboard for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests import rows
    from tests.browser import Console


@pytest.fixture(scope="module")
def running_console(django_db_setup: None) -> Iterator[Console]:
    from tests.browser import Console

    made = Console()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Each test opens pages of its own in it."""
    from tests.browser import chromium

    with pytest.MonkeyPatch.context() as patch, chromium() as made:
        # Its event loop is in this thread until the module is done; the database is used between its calls only.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield made


@pytest.fixture
def console(running_console: Console, settings: Any) -> Console:
    """A test may stop it; the next one finds it running."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the console's process
    if running_console.process is None:
        running_console.start()
    return running_console


@pytest.fixture
def floor(console: Console) -> rows.Floor:
    from tests import rows

    return rows.floor()


@pytest.fixture
def page(browser: Browser, console: Console, floor: rows.Floor) -> Iterator[Page]:
    """Priya's, who supervises both departments. A script that fails fails the test."""
    from playwright.sync_api import expect

    from calls.roles import Role
    from tests.browser import log_in
    from tests.people import account

    account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)  # as `expect`: a busy machine is slow, not wrong
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    log_in(page, console.url, "priya")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    expect(page.locator("#banner .banner-line").first).to_be_visible()  # no LiveKit here: nothing moves later
    yield page
    context.close()
    assert not errors
