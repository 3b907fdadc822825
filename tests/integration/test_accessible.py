"""Every page and state of tests/pages.py, looked at by axe: no violation of WCAG 2.2 AA."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from config.env import ROOT
from tests.browser import Console
from tests.pages import HOUSES, THEMES, House, Look, looks

pytestmark = pytest.mark.django_db(transaction=True)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# An open dialog is modal: what is behind it is a state of its own.
RUN = """async ([rules, colours]) => {
  const options = { runOnly: rules, resultTypes: ["violations"], preload: false };
  if (!colours) options.rules = { "color-contrast": { enabled: false } };
  const found = await axe.run(document.querySelector("dialog[open]") ?? document, options);
  const why = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ");
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} (${why(node)})`));
}"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName} in ${one.parentElement.outerHTML.slice(0, 90)}`).slice(0, 3).join(" ")"""
# A button whose words do not fit it, words in a column that has room for a syllable.
CUT = """() => {
  const shown = (one) => one.offsetParent && one.checkVisibility({ visibilityProperty: true });
  const buttons = [...document.querySelectorAll(".btn")].filter((one) => one.scrollWidth > one.clientWidth + 1);
  const thin = [...document.querySelectorAll("p")].filter((one) =>
    one.clientWidth < 90 && one.clientHeight > 3 * parseFloat(getComputedStyle(one).lineHeight));
  return [...buttons, ...thin].filter(shown).map((one) => one.textContent.trim().slice(0, 40));
}"""
# In what a live swap puts anew, the focus finds its heir by a name (`Patchbay.refocus`), or Tab begins it again.
NAMELESS = """() => [...document.querySelectorAll("[data-version], [data-region]")].flatMap((piece) => {
  const stops = [...piece.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")];
  const names = stops.map((one) => one.id || one.dataset.focus);
  const lost = stops.filter((_, at) => !names[at] || names.indexOf(names[at]) !== at);
  return lost.map((one) => `${one.outerHTML.slice(0, 90)} in #${piece.id}`);
})"""
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
PLACES = {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "link-name", "button-name"]}


def wrong(look: Look) -> list[str]:
    """What is wrong with it, each line naming the look.

    A theme changes colours alone and a size none of them, so colours are judged once a theme and all else once a
    size; and the size between differs from the others in what fits where.
    """
    lines: list[str] = []
    again, wide = look.theme != THEMES[0], look.size == "wide"
    if wide or not again:
        if not look.page.evaluate("'axe' in window"):
            look.page.evaluate(AXE.read_text())
        rules = COLOURS if again else PLACES if look.size == "tablet" else EVERYTHING
        lines += look.page.evaluate(RUN, [rules, wide])
    if look.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        lines.append(f"the page is wider than the window: {look.page.evaluate(TOO_WIDE)}")
    lines += [f"these words do not fit: {words}" for words in look.page.evaluate(CUT)]
    lines += [f"a swap loses the focus: {one}" for one in look.page.evaluate(NAMELESS)]
    return [f"{look.name}: {line}" for line in lines]


CASES = list(dict.fromkeys((house, state.page) for house, states in HOUSES for state in states))


@pytest.mark.parametrize(("house", "name"), CASES, ids=[f"{house.__name__}-{name}" for house, name in CASES])
def test_nothing_is_wrong_with(browser: Browser, console: Console, house: House, name: str) -> None:
    stage = house(console.url)
    states = [state for state in dict(HOUSES)[house] if state.page == name]
    found = [line for look in looks(browser, stage, states) for line in wrong(look)]
    assert not found, "\n".join(found)
