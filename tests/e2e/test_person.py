"""A person at the console, who touches no terminal: speaks or types to the AI, and hears a manager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config.launcher.demo import PASSWORD
from tests.browser import chromium, log_in, tab_to
from tests.product import Product, until
from tests.speech import write_speech

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(240)]

PROBLEM = "Hello. I was charged twice for my last order."
WISH = "I want to talk to a manager please."
SECONDS = 1000.0
PHASE_MS = 45 * SECONDS
# Loud enough that somebody speaks, in what the page plays.
HEARS = """() => {
  const audio = document.querySelector('audio');
  if (!audio?.srcObject) return 0;
  window.__ears ??= (() => {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    return { context, analyser, of: null, samples: new Float32Array(analyser.fftSize) };
  })();
  let loudest = 0;
  for (const one of document.querySelectorAll('audio')) {
    if (!one.srcObject) continue;
    const node = (one.__node ??= window.__ears.context.createMediaStreamSource(one.srcObject));
    node.connect(window.__ears.analyser);
    window.__ears.analyser.getFloatTimeDomainData(window.__ears.samples);
    loudest = Math.max(loudest, ...window.__ears.samples.map(Math.abs));
  }
  return loudest;
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    spoken = write_speech(
        Path(tmp_path_factory.mktemp("speech")) / "caller.wav", [10.0, PROBLEM, 9.0, WISH, 120.0]
    )
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}%noloop",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
    )
    with chromium(*flags) as running:
        yield running


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["microphone"], origin=product.url)
    page = context.new_page()
    log_in(page, product.url, "priya", PASSWORD)
    yield page
    context.close()


def test_a_person_speaks_to_the_ai_asks_for_a_manager_and_hears_one(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/test-call")
    page.locator("#department").select_option("Billing")  # where a supervisor approves
    page.evaluate("window.__loaded = 'once'")
    page.click("#with-mic")
    state = page.locator("#test-pane .who-block .state")
    expect(state).to_contain_text("With AI", timeout=PHASE_MS)
    expect(page.locator("#test-pane")).to_contain_text(re.compile("charged twice", re.I), timeout=PHASE_MS)
    expect(state).to_contain_text("Needs approval", timeout=PHASE_MS)
    page.locator("#test-pane [data-focus=approve]").click()
    for phase in ("ringing Dana", "Briefing Dana", "With Dana"):
        expect(state).to_contain_text(phase, timeout=PHASE_MS)
    until(lambda: page.evaluate(HEARS) > 0.02, 45, "the caller hears somebody")
    assert page.evaluate("window.__loaded") == "once"
    page.click("#hang-up")
    page.goto(f"{product.url}/history")
    newest = page.locator("#history-rows tr[id]").first
    expect(newest).to_contain_text("Billing", timeout=PHASE_MS)
    expect(newest).to_contain_text("Connected")


def test_by_keys_alone_a_person_types_and_a_supervisor_escalates_and_approves_nothing_twice(
    page: Page, product: Product
) -> None:
    """No pointer is needed anywhere: from the wallboard to the end of a call that a manager took."""
    keyboard = page.keyboard
    keyboard.press("Control+k")
    keyboard.type("test call")
    expect(page.locator("#palette-list [role=option]").first).to_contain_text("Test call")
    keyboard.press("Enter")
    page.wait_for_url(f"{product.url}/test-call")
    tab_to(page, "#department")
    keyboard.type("Billing")
    tab_to(page, "#with-lines")
    keyboard.press("Enter")
    state = page.locator("#test-pane .who-block .state")
    expect(state).to_contain_text("With AI", timeout=PHASE_MS)
    tab_to(page, "#typed")
    keyboard.type("My last bill is wrong")
    keyboard.press("Enter")
    expect(page.locator("#test-pane")).to_contain_text("My last bill is wrong", timeout=PHASE_MS)
    tab_to(page, "button")  # letters are keys where nobody writes
    keyboard.press("e")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("What happens next")
    tab_to(page, "#briefing")
    keyboard.press("Control+a")
    keyboard.type("The last bill of the caller is wrong.")
    tab_to(page, "dialog .btn-primary")
    for _ in range(2):
        keyboard.press("Enter")
    for phase in ("ringing Dana", "Briefing Dana", "With Dana"):
        expect(state).to_contain_text(phase, timeout=PHASE_MS)
    tab_to(page, "#typed")
    keyboard.type("Does anybody hear this?")
    keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("typed lines reach nobody")
    tab_to(page, "#hang-up")
    keyboard.press("Enter")
    expect(page.locator("#before")).to_be_visible()
