"""What goes on beside a soak's transfers: processes are killed, webhooks come late or forged, a page is open."""

from __future__ import annotations

import json
import random
import re
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from config.launcher.demo import PASSWORD
from tests.bench.house import SUPERVISOR
from tests.bench.webhooks import Webhook
from tests.browser import log_in
from tests.floor import Caller, Floor
from tests.product import Product
from tests.soak.promises import Tally

KILLED = ("worker", "clock-1", "clock-2", "web", "agents", "valkey")
KILL_EVERY_S = (15.0, 30.0)
CAUGHT_UP_S = 2.0  # after the page is connected again
CONNECTED_S = 45.0
STRIP = re.compile(r'id="strip-([0-9a-f-]{36})"[^>]* data-version="(\d+)"')
SHOWN = """() => Object.fromEntries([...document.querySelectorAll(".strip[id]:not(.leaving)")]
  .map((node) => [node.id.slice(6), node.dataset.version]))"""


class Killer:
    """Kills one process after another while it runs."""

    def __init__(self, product: Product, dice: random.Random, tally: Tally) -> None:
        self._product, self._dice, self._tally = product, dice, tally
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._dice.uniform(*KILL_EVERY_S)):
            self._product.kill(self._dice.choice(KILLED))
            self._tally.kills += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)


class Wallboard:
    """A supervisor's page in a browser, open all the time."""

    def __init__(self, page: Page, floor: Floor) -> None:
        self._page, self._floor = page, floor
        log_in(page, floor.product.url, SUPERVISOR, PASSWORD)

    def compare(self, tally: Tally) -> None:
        """I7: connected again, it soon shows what the console says, unless that changes meanwhile."""
        try:
            self._page.locator("#link[data-state=live]").wait_for(timeout=CONNECTED_S * 1000)
            end, shown, told = time.monotonic() + CAUGHT_UP_S, {"?": "?"}, {}
            while shown != told:
                if time.monotonic() > end:
                    if told == self._told():
                        tally.broken("I7", f"the page shows {sorted(shown)}, the console {sorted(told)}")
                    return
                told, shown = self._told(), self._page.evaluate(SHOWN)
                time.sleep(0.1)
        except OSError:
            return  # the console was killed in this moment: the next comparison tells
        except PlaywrightError as error:
            tally.broken("I7", f"the page does not come back: {str(error).splitlines()[0]}")
        tally.pages_compared += 1

    def _told(self) -> dict[str, str]:
        return dict(STRIP.findall(self._floor.supervisor.read("")))


class Postman:
    """LiveKit's webhooks as they should not come."""

    def __init__(self, floor: Floor) -> None:
        settings = floor.product.settings
        self._floor, self._url = floor, f"{floor.product.url}/webhooks/livekit"
        self._key, self._secret = settings["LIVEKIT_API_KEY"], settings["LIVEKIT_API_SECRET"]
        self._ours = {"patchbay": settings.get("PATCHBAY_INSTALLATION", ""), "kind": "call", "source": "test"}

    def after(self, caller: Caller, tally: Tally) -> None:
        """I8 and I9: of a call that is over, once more what came in, and what somebody else wrote."""
        before = self._fingerprint(caller)
        for kind in ("participant_joined", "participant_joined", "participant_left"):
            tally.late_webhooks += self._send(self._webhook(caller, kind), self._secret) == 200
        forged = self._webhook(caller, "room_started")
        if self._send(forged, "x" * 40) == 200:
            tally.broken("I9", "a webhook with a wrong signature was taken")
        if (after := self._fingerprint(caller)) != before:
            tally.broken("I8", f"{before} became {after}")
        known = "SELECT count(*) FROM calls_webhookdelivery WHERE id = %s"
        if self._floor.records.one(known, json.loads(forged.body)["id"]):
            tally.broken("I9", "a forged webhook was written down")

    def _webhook(self, caller: Caller, kind: str) -> Webhook:
        room = {"name": caller.room, "sid": caller.of_call("room_sid"), "metadata": json.dumps(self._ours)}
        who = {"sid": "PA_late", "identity": "caller-late", "kind": "STANDARD"}
        return Webhook(kind, room, {"participant": who})

    def _send(self, webhook: Webhook, secret: str) -> int:
        """The answer's status; 0 if the console is away."""
        webhook.sign(self._key, secret)
        headers = {"Authorization": webhook.token, "Content-Type": "application/webhook+json"}
        request = urllib.request.Request(self._url, webhook.body, headers)
        with suppress(urllib.error.URLError, OSError):
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code
        return 0

    def _fingerprint(self, caller: Caller) -> tuple[object, ...]:
        of_transfers = (
            "SELECT string_agg(t.state || coalesce(a.state, ''), ',' ORDER BY t.id, a.id) "
            "FROM transfers_transfer t LEFT JOIN transfers_attempt a ON a.transfer_id = t.id WHERE t.call_id = %s"
        )
        calls = "SELECT count(*) FROM calls_call WHERE room_name = %s"
        records = self._floor.records
        return caller.of_call("state"), records.one(of_transfers, caller.id), records.one(calls, caller.room)
