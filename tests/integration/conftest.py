"""A console on the tests' own database and a browser, once a module; a supervisor's wallboard for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests import rows
    from tests.browser import Console, Enter

# A browser asks nobody for its microphone and hears a tone in it.
MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's first test waits for its console as well, which takes its time on a busy machine."""
    for item in items:
        if "running_console" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="module")
def running_console(django_db_setup: None) -> Iterator[Console]:
    from tests.browser import Console

    made = Console()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Each test opens pages of its own in it."""
    from tests.browser import chromium

    with pytest.MonkeyPatch.context() as patch, chromium(*MICROPHONE) as made:
        # Its event loop is in this thread until the module is done; the database is used between its calls only.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield made


@pytest.fixture
def console(running_console: Console) -> Console:
    """A test may stop it; the next one finds it running."""
    if running_console.process is None:
        running_console.start()
    return running_console


@pytest.fixture
def enter(browser: Browser, console: Console) -> Iterator[Enter]:
    """Whoever enters is logged in, in a window of their own (`logged_in`). A script that fails fails the test."""
    from tests.browser import logged_in

    made: list[BrowserContext] = []
    errors: list[str] = []

    def one(user: User, **options: Any) -> BrowserContext:
        context = logged_in(browser, console.url, user, **options)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        made.append(context)
        return context

    yield one
    for context in made:
        context.close()
    assert not errors


@pytest.fixture
def floor(console: Console) -> rows.Floor:
    from tests import rows

    return rows.floor()


@pytest.fixture
def page(enter: Enter, console: Console, floor: rows.Floor) -> Page:
    """Priya's wallboard, who supervises both departments."""
    from playwright.sync_api import expect

    from calls.roles import Role
    from tests.browser import opened
    from tests.people import account

    made = opened(enter(account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")), console.url)
    expect(made.locator("#banner .banner-line").first).to_be_visible()  # no LiveKit here: nothing moves later
    return made
