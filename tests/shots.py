"""`make shots`: screenshots of the running product into build/shots/, in both themes and at a tablet's size.

Brings up a product of its own with the demo's calls (or uses `--url`), waits until something happens, and looks.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from config.env import ROOT
from config.launcher.demo import PASSWORD
from tests.bench.house import records
from tests.browser import chromium, log_in
from tests.floor import promise_callback
from tests.product import Product, until

TARGET = ROOT / "build" / "shots"
README = ("wallboard", "call")
DESK, TABLET = (1440, 900), (1024, 768)
CALLS_MS = 90_000.0  # until the demo's callers are there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a product that is running already, with the demo's accounts")
    parser.add_argument("--readme", action="store_true", help="also replace the pictures of the README")
    options = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    if options.url:
        look(options.url.rstrip("/"))
    else:
        with Product("--demo") as product:
            promised(product)
            look(product.url)
    if options.readme:
        for name in README:
            shutil.copyfile(TARGET / f"{name}-dark.png", ROOT / "docs" / f"{name}.png")
    for path in sorted(TARGET.glob("*.png")):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


def promised(product: Product) -> None:
    """One callback, so that its page is not empty."""
    with records(product) as found:
        live = "SELECT id FROM calls_call WHERE state = 'active' LIMIT 1"
        until(lambda: found.one(live), CALLS_MS / 1000, "a demo caller is on the line")
        promise_callback(product, found.one(live))


def look(base: str) -> None:
    with chromium() as browser:
        shots = Shots(browser, base)
        shots.take("login", lambda page: page.goto(f"{base}/login"), account="")
        shots.take("wallboard", wallboard)
        shots.take("wallboard-tablet", wallboard, size=TABLET)
        shots.take("call", call)
        shots.take("call-tablet", call, size=TABLET)
        shots.take("escalate", escalate)
        shots.take("cold", cold)
        shots.take("ranking", ranking)
        shots.take("presence", presence)
        shots.take("beside", beside)
        shots.take("transfer", transfer)
        for name in ("callbacks", "history", "reports", "rooms", "status", "test-call"):
            shots.take(name, lambda page, name=name: page.goto(f"{base}/{name}"))  # type: ignore[misc]
        shots.take("admin", lambda page: page.goto(f"{base}/admin/"), account="admin")


class Shots:
    def __init__(self, browser: Browser, base: str) -> None:
        self.browser, self.base = browser, base

    def take(
        self,
        name: str,
        go: Callable[[Page], object],
        *,
        account: str = "priya",
        size: tuple[int, int] = DESK,
    ) -> None:
        """One page in both themes. A page that cannot be reached is told and skipped."""
        for theme in ("dark", "light"):
            context = self.browser.new_context(viewport={"width": size[0], "height": size[1]})
            context.add_init_script(f"localStorage.setItem('patchbay-theme', '{theme}')")
            page = context.new_page()
            try:
                if account:
                    log_in(page, self.base, account, PASSWORD)
                go(page)
                page.wait_for_timeout(600)  # fonts, and the first frames
                page.screenshot(path=Path(TARGET) / f"{name}-{theme}.png")
            except PlaywrightError as error:
                sys.stderr.write(f"no shot of {name} ({theme}): {str(error).splitlines()[0]}\n")
            finally:
                context.close()


def wallboard(page: Page) -> None:
    with suppress(PlaywrightError):  # an empty floor is a picture too
        page.locator("a.strip").first.wait_for(timeout=CALLS_MS)


def _open(page: Page, *wanted: str) -> None:
    """The call that shows most: the first state of `wanted` that is there, else any."""
    wallboard(page)
    for words in wanted:
        strip = page.locator("a.strip", has_text=words)
        if strip.count():
            break
    else:
        strip = page.locator("a.strip")
    page.goto(f"{page.url.rstrip('/')}{strip.first.get_attribute('href')}")


def call(page: Page) -> None:
    _open(page, "Briefing", "With ", "ringing", "Back with AI")


def escalate(page: Page) -> None:
    _open(page, "With AI")
    _panel(page, "Escalate")


def cold(page: Page) -> None:
    _open(page, "With AI")
    _panel(page, "Cold transfer")


def ranking(page: Page) -> None:
    wallboard(page)
    _panel(page, "Who would be called now")


def presence(page: Page) -> None:
    wallboard(page)
    _panel(page, "change whether they are called")


def _panel(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).first.click()
    page.locator("dialog[open]").wait_for()


def beside(page: Page) -> None:
    wallboard(page)
    page.locator("a.strip").first.click()
    page.locator("#beside h1").wait_for()


def transfer(page: Page) -> None:
    page.goto(f"{page.url}history")
    page.locator(".list tbody a").first.click()
    page.locator(".lanes").first.wait_for()


if __name__ == "__main__":
    raise SystemExit(main())
