"""Every page and state of tests/pages.py, looked at by axe: no violation of WCAG 2.2 AA."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from config.env import ROOT
from tests.browser import Console
from tests.pages import HOUSES, House, Look, State, looks

pytestmark = pytest.mark.django_db(transaction=True)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  const why = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ");
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} (${why(node)})`));
}"""


def violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN)
    return found


def wrong(look: Look) -> list[str]:
    """What is wrong with it, each line naming the look."""
    lines = violations(look.page)
    if look.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        lines.append("the page is wider than the window")
    return [f"{look.name}: {line}" for line in lines]


CASES = [(house, state) for house, states in HOUSES for state in states]
NAMES = [f"{house.__name__}-{state.name}" for house, state in CASES]


@pytest.mark.parametrize(("house", "state"), CASES, ids=NAMES)
def test_nothing_is_wrong_with(browser: Browser, console: Console, house: House, state: State) -> None:
    stage = house(console.url)
    found = [line for look in looks(browser, stage, [state]) for line in wrong(look)]
    assert not found, "\n".join(found)
