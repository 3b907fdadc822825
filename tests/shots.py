"""`make shots`: pictures of every page and state of tests/pages.py into build/shots/, page-state-size-theme.png.

The states stand in a house of rows. What needs callers who talk (the README's pictures) is taken of a running
product with the demo's calls: its own, or `--url`. `--rows` leaves that out, `--only wallboard` takes one page.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page

from config.env import ROOT
from config.launcher.demo import PASSWORD
from tests.bench.ground import Rows
from tests.browser import chromium, log_in
from tests.product import Product

if TYPE_CHECKING:
    from tests.pages import Look

TARGET = ROOT / "build" / "shots"
README = ("wallboard", "call")  # of the running product, wide and dark
WIDE = {"width": 1440, "height": 900}
CALLS_MS = 90_000.0  # until the demo's callers are there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a product that is running already, with the demo's accounts")
    parser.add_argument("--rows", action="store_true", help="only what needs no running product")
    parser.add_argument("--only", default="", help="one page of tests/pages.py, and no running product")
    parser.add_argument("--readme", action="store_true", help="only the README's pictures, and replace them")
    options = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    if not options.readme:
        of_rows(options.only)
    if not (options.rows or options.only):
        of_the_product(options.url)
    if options.readme:
        for name in README:
            shutil.copyfile(TARGET / f"{name}-live-wide-dark.png", ROOT / "docs" / f"{name}.png")
    for path in sorted(TARGET.glob("*.png")):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


# ── states made of rows ──────────────────────────────────────────────────────────────────────────


def of_rows(only: str) -> None:
    ground = Rows()
    try:
        ground.start()
        from tests.pages import HOUSES, looks  # once Django knows its database

        for house, states in HOUSES:
            ground.emptied()
            stage = house(ground.console().url)
            wanted = [state for state in states if only in ("", state.page)]
            with chromium() as browser:
                shoot(looks(browser, stage, wanted))
    finally:
        ground.stop()


def shoot(seen: Iterable[Look]) -> None:
    for look in seen:
        look.page.wait_for_timeout(300)  # fonts, and the first frames
        look.page.screenshot(path=TARGET / f"{look.name}.png")


# ── the running product ──────────────────────────────────────────────────────────────────────────


def of_the_product(url: str | None) -> None:
    if url:
        live(url.rstrip("/"))
        return
    with Product("--demo") as product:
        live(product.url)


def live(base: str) -> None:
    """Both themes. A page that cannot be reached is told and skipped."""
    for name, go in (("wallboard", wallboard), ("call", call)):
        for theme in ("dark", "light"):
            with chromium() as browser:
                page = browser.new_page(viewport={"width": WIDE["width"], "height": WIDE["height"]})
                for kept in (f"'patchbay-theme', '{theme}'", "'patchbay-alerts', 'off'"):
                    page.add_init_script(f"localStorage.setItem({kept})")
                _take(page, base, go, f"{name}-live-wide-{theme}")


def _take(page: Page, base: str, go: Callable[[Page], object], name: str) -> None:
    try:
        log_in(page, base, "priya", PASSWORD)
        go(page)
        page.wait_for_timeout(600)
        page.screenshot(path=TARGET / f"{name}.png")
    except PlaywrightError as error:
        sys.stderr.write(f"no shot of {name}: {str(error).splitlines()[0]}\n")


def wallboard(page: Page) -> None:
    _waited(page.locator(".need"))


def call(page: Page) -> None:
    """While a manager is told why, or talks with the caller; else whatever there is."""
    with_manager = page.locator("a.strip", has_text=re.compile("Briefing|With (?!AI)"))
    strip = with_manager if _waited(with_manager) else page.locator("a.strip")
    page.goto(f"{page.url.rstrip('/')}{strip.first.get_attribute('href')}")


def _waited(what: Locator) -> bool:
    """Whether it came: an empty floor is a picture too."""
    with suppress(PlaywrightError):
        what.first.wait_for(timeout=CALLS_MS)
    return what.count() > 0


if __name__ == "__main__":
    raise SystemExit(main())
