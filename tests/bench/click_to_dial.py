"""click_to_dial: a supervisor clicks “Escalate now”; when does the carrier receive the request to dial?

In between: the form's post, the transaction, Celery, the effect and LiveKit's API client. The phone rings until
the transfer is cancelled, and the same call is escalated again. The caller is a silent test call of a browser.
"""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

from config.launcher.demo import PASSWORD
from tests.bench.figures import Part, Reading, spread
from tests.bench.ground import Ground
from tests.bench.house import SUPERVISOR, Carrier, Records, live_call, records
from tests.browser import chromium, log_in
from tests.product import until

MANAGER = "Lea"  # whose phone rings and is never answered
TIMES = 16
LONGEST_S = 70.0  # on a busy machine there are fewer
CLICKED = """() => document.addEventListener("click", (event) => {
  window.clicked = performance.timeOrigin + event.timeStamp;
}, true)"""


def measure(ground: Ground) -> Reading:
    product, carrier = ground.product, Carrier(ground.product)
    with records(product) as found, chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(15_000)
        page, caller = context.new_page(), context.new_page()
        log_in(page, product.url, SUPERVISOR, PASSWORD)
        call_id = _call(caller, product.url, found)
        page.goto(f"{product.url}/calls/{call_id}")
        page.wait_for_selector("#link[data-state=live]")
        page.evaluate(CLICKED)
        end, took = time.monotonic() + LONGEST_S, [_once(page, carrier, found, call_id)]
        while len(took) <= ground.few(TIMES) and (time.monotonic() < end or len(took) < 2):
            took.append(_once(page, carrier, found, call_id))
        caller.click("#hang-up")
    first, rest = took[0], took[1:]  # the first opens connections
    return Reading(spread(rest).p95, spread(rest), (Part("the first after the start", first, "ms"),))


def _call(caller: Page, base: str, found: Records) -> Any:
    """A silent test call from Billing's number; its id once the AI is there."""
    caller.goto(f"{base}/test-call")
    caller.select_option("#department", "Billing")
    caller.click("#with-lines")
    newest = "SELECT room_name FROM calls_call WHERE source = 'test' ORDER BY started_at DESC LIMIT 1"
    until(lambda: found.one(newest), 20, "the test call is there")
    return live_call(found, found.one(newest))


def _once(page: Page, carrier: Carrier, found: Records, call_id: Any) -> float:
    """One escalation, cancelled again; ms from the click to the carrier."""
    page.get_by_role("button", name="Escalate").click()
    page.get_by_label(MANAGER).check()
    page.wait_for_function(f"() => document.getElementById('then').textContent.includes('{MANAGER}')")
    since = time.time()
    page.get_by_role("button", name="Escalate now").click()
    until(lambda: carrier.dials(since), 15, "the carrier is asked to dial")
    clicked: float = page.evaluate("window.clicked")
    took = carrier.dials(since)[0]["at"] * 1000 - clicked
    page.get_by_role("button", name="Cancel transfer").click()
    back = "SELECT caller_with = 'ai' FROM calls_call WHERE id = %s"
    closed = "SELECT count(*) = 0 FROM transfers_attempt WHERE state IN ('reserved', 'dialing', 'ringing')"
    until(lambda: found.one(back, call_id) and found.one(closed), 20, "the caller is back with the AI")
    page.get_by_role("button", name="Escalate").wait_for()
    return took
