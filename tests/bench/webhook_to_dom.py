"""webhook_to_dom: signed webhooks at 50 a second; when does a Chromium show what each of them changed?

They are the webhooks of whole calls, five new ones a second, among calls that go on. A caller who comes or goes is
awaited on the wallboard, everything else in the room's row on /rooms: one after the other, as a browser paints the
page in front alone. The web process is the product's own on a database of rows; clocks, worker and agents do not
run beside it. Where the bars do not hold at that rate, the rates at which they do are sought below it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from playwright.sync_api import BrowserContext, Page

from calls.models import Department, NumberRoute, Room
from calls.roles import Role
from calls.rooms import room_rows
from tests import rows
from tests.bench.figures import Part, Reading, Spread, spread
from tests.bench.ground import Ground
from tests.bench.webhooks import Webhook, send
from tests.browser import chromium, log_in
from tests.people import account
from tests.product import until
from transfers.access import Lens, lens_of
from transfers.live_calls import live_calls
from transfers.strip_html import strip_htmls

RATES = (50.0, 25.0, 10.0)  # the one that counts, and what is sought below it
P95_MS, P99_MS = 50.0, 150.0
A_CALL = 10  # webhooks; so many ticks after a call the next begins
STANDING = 475
WARM_UP = 300  # until as many callers go as come
MEASURED = 1000
CUT = 200  # while the console's frames are cut off: they have to be there after the resync
DIALLED = "+12025550190"
SHOW = {"wallboard": "/", "rooms": "/rooms"}
LIST = {"wallboard": "strips", "rooms": "rooms"}

# Every strip and every room's row that appears, changes or goes: [ms since the epoch, words, version or -1].
WATCH = """(list) => {
  window.seen = [];
  const note = (node, gone) => {
    if (!node.id) return;
    const at = performance.timeOrigin + performance.now();
    window.seen.push([at, node.textContent, gone ? -1 : Number(node.dataset.version)]);
  };
  const shown = document.getElementById(list);
  new MutationObserver((changes) => {
    for (const change of changes) {
      change.addedNodes.forEach((node) => note(node, false));
      change.removedNodes.forEach((node) => document.getElementById(node.id) || note(node, true));
    }
  }).observe(shown, { childList: true });
  new MutationObserver((changes) => changes.forEach((change) => note(change.target, false)))
    .observe(shown, { subtree: true, attributeFilter: ["data-version"] });
}"""
SHOWN = """(list) => Object.fromEntries([...document.getElementById(list).children]
  .filter((node) => node.id && !node.classList.contains("leaving"))
  .map((node) => [node.id, Number(node.dataset.version)]))"""

Sight = tuple[float, str, int]


@dataclass(frozen=True)
class Expected:
    """What a webhook changes: a caller comes or goes on the wallboard, or a room's row has `version` (-1: no)."""

    webhook: Webhook
    page: str
    words: str
    version: int = 0

    def shown_at(self, seen: Sequence[Sight]) -> float | None:
        """When (ms since the epoch) its page first showed it; None: not (yet)."""
        for at, words, version in seen:
            if self.words in words and (version < 0 if self.version < 0 else version >= self.version):
                return at
        return None


class Calls:
    """Calls one after the other; each is ten webhooks that fall due at its own ticks of the clock."""

    TICKS = (0, 3, 7, 12, 14, 211, 215, 226, 238, 249)  # no two calls ever share one

    def __init__(self) -> None:
        self.metadata = json.dumps({"patchbay": settings.PATCHBAY_INSTALLATION, "kind": "call"})
        self.due: defaultdict[int, list[Expected]] = defaultdict(list)
        self.at = 0

    def next(self, many: int) -> list[Expected]:
        """What falls due in the next ticks, signed."""
        for tick in range(self.at, self.at + many, A_CALL):
            for offset, expected in zip(self.TICKS, self._call(tick // A_CALL), strict=True):
                self.due[tick + offset].append(expected)
        made = [one for tick in range(self.at, self.at + many) for one in self.due.pop(tick, ())]
        self.at += many
        for one in made:
            one.webhook.sign(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
        return made

    def _call(self, nth: int) -> list[Expected]:
        name = f"call-bench-{nth}-"
        names = {"name": name, "sid": f"RM_{nth}"}
        room = names | {"metadata": self.metadata, "creationTime": str(int(time.time()))}
        caller = {
            "identity": f"caller-{nth}",
            "sid": f"PA_c{nth}",
            "kind": "SIP",
            "state": "ACTIVE",
            "attributes": {
                "sip.callStatus": "active",
                "sip.phoneNumber": f"+1202555{nth:04}",
                "sip.trunkPhoneNumber": DIALLED,
            },
        }
        agent = {"identity": "support", "sid": f"PA_a{nth}", "kind": "AGENT", "state": "ACTIVE"}

        def track(who: dict[str, Any]) -> dict[str, Any]:
            sound = {"sid": f"TR_{who['sid']}", "source": "MICROPHONE", "type": "AUDIO"}
            return {"participant": {"identity": who["identity"], "sid": who["sid"]}, "track": sound}

        def row(kind: str, version: int, room: dict[str, Any] = room, **more: Any) -> Expected:
            return Expected(Webhook(kind, room, more), "rooms", name, version)

        def strip(kind: str, version: int) -> Expected:
            return Expected(Webhook(kind, room, {"participant": caller}), "wallboard", f"…{nth:04}", version)

        return [
            row("room_started", 1),
            strip("participant_joined", 1),
            row("track_published", 3, names, **track(caller)),
            row("participant_joined", 4, participant=agent),
            row("track_published", 5, names, **track(agent)),
            row("track_unpublished", 6, names, **track(caller)),
            strip("participant_left", -1),
            row("track_unpublished", 8, names, **track(agent)),
            row("participant_left", 9, participant=agent),
            row("room_finished", -1),
        ]


def measure(ground: Ground) -> Reading:
    ground.rows.emptied()
    billing = rows.department("Billing")
    NumberRoute.objects.create(number=DIALLED, department=billing)
    _standing(billing)
    lens = lens_of(account(Role.SUPERVISOR, billing, name="priya"))
    url, calls = ground.rows.console().url, Calls()
    found: list[Seen] = []
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        first = context.new_page()
        log_in(first, url, "priya")
        first.close()  # or it would be painted, too
        for rate in RATES:
            ground.say(f"  webhooks at {rate:g} a second …")
            found.append(_at(rate, context, url, calls, ground.few(round(MEASURED * rate / RATES[0]))))
            if found[-1].held:
                break
        ground.say("  cutting the console's frames off for a moment …")
        lost = sum(_lost_at_a_cut(context, url, calls, lens, page) for page in SHOW)
    return _reading(found, lost)


@dataclass(frozen=True)
class Seen:
    """How long it took, in ms, at a rate; by page."""

    per_second: float
    took: Mapping[str, Sequence[float]]
    unseen: int

    @property
    def all(self) -> Spread:
        return spread([one for took in self.took.values() for one in took])

    @property
    def held(self) -> bool:
        return self.all.p95 <= P95_MS and self.all.p99 <= P99_MS and not self.unseen


def _at(rate: float, context: BrowserContext, url: str, calls: Calls, many: int) -> Seen:
    took, unseen = {}, 0
    for name in SHOW:
        page = _page(context, url, name)
        warm, measured = calls.next(WARM_UP), calls.next(many)
        awaited = [one for one in measured if one.page == name]
        with _sending([*warm, *measured], url, rate) as sender:
            _joined(page, sender)
        seen, missing = _settled(page, awaited)
        shown = [(one, at) for one in awaited if (at := one.shown_at(seen)) is not None]
        took[name] = [at - one.webhook.due_at * 1000 for one, at in shown]
        unseen += missing
        page.close()
    return Seen(rate, took, unseen)


def _lost_at_a_cut(context: BrowserContext, url: str, calls: Calls, lens: Lens, name: str) -> int:
    page = _page(context, url, name)
    with _sending(calls.next(CUT), url, RATES[1]) as sender:
        page.wait_for_timeout(1000)
        redis.Redis.from_url(settings.VALKEY_URL).execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        _joined(page, sender)
    lost = _lost(page, LIST[name], lambda: _strips(lens) if name == "wallboard" else _rooms(lens))
    page.close()
    return lost


def _standing(billing: Department) -> None:
    for nth in range(STANDING):
        call = rows.call(billing, f"+1202444{nth:04}", seconds=300 + nth, agent_state="speaking")
        rows.agent(call)
        kind = Room.Kind.CALL
        Room.objects.create(
            name=call.room_name, kind=kind, call=call, created_at=rows.ago(300), seen_at=rows.ago(1)
        )


def _page(context: BrowserContext, url: str, name: str) -> Page:
    page = context.new_page()
    page.goto(url + SHOW[name])
    page.wait_for_selector("#link[data-state=live]")
    page.evaluate(WATCH, LIST[name])
    return page


@contextmanager
def _sending(expected: Sequence[Expected], url: str, per_second: float) -> Iterator[threading.Thread]:
    webhooks = [one.webhook for one in expected]

    def run() -> None:
        asyncio.run(send(webhooks, f"{url}/webhooks/livekit", per_second=per_second))

    sender = threading.Thread(target=run, name="livekit", daemon=True)
    sender.start()
    yield sender
    refused = [one.status for one in webhooks if one.status != 200]
    if refused:
        raise AssertionError(f"{len(refused)} webhooks were not taken: {sorted(set(refused))}")


def _joined(page: Page, sender: threading.Thread) -> None:
    """The page lives while this waits: Playwright's events are handled."""
    for _ in range(1800):
        if not sender.is_alive():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the webhooks were not taken within 3 minutes")


def _settled(page: Page, expected: Sequence[Expected]) -> tuple[list[Sight], int]:
    """What the page showed when everything was there, or after 5 s; and how much was not."""
    seen: list[Sight] = []
    missing = list(expected)
    for _ in range(25):
        seen = page.evaluate("window.seen")
        missing = [one for one in missing if one.shown_at(seen) is None]
        if not missing:
            break
        page.wait_for_timeout(200)
    return seen, len(missing)


def _strips(lens: Lens) -> dict[str, int]:
    return {f"strip-{strip.id}": strip.version for strip in strip_htmls(lens, live_calls(lens))}


def _rooms(lens: Lens) -> dict[str, int]:
    return {f"room-{room.id}": room.version for room in room_rows(lens.scope, lens.sight)}


def _lost(page: Page, shown_in: str, truth: Callable[[], Mapping[str, int]]) -> int:
    """How many rows of the page differ from the database after at most 10 s of quiet."""
    differing: set[str] = set()

    def same() -> bool:
        shown: Mapping[str, int] = page.evaluate(SHOWN, shown_in)
        there = truth()
        differing.clear()
        differing.update(name for name in shown.keys() | there.keys() if shown.get(name) != there.get(name))
        return not differing

    with suppress(AssertionError):
        until(same, 10, "the page shows what is there")
    return len(differing)


def _reading(found: Sequence[Seen], lost: int) -> Reading:
    first, last = found[0], found[-1]
    return Reading(
        first.all.p95,
        first.all,
        (
            Part("p99", first.all.p99, "ms", P99_MS),
            Part("not shown within 5 s", first.unseen, "changes", 0),
            Part("differ from the database after frames were cut off and fetched again", lost, "rows", 0),
            *(Part(f"p95 of what shows on {name}", spread(took).p95, "ms") for name, took in first.took.items()),
            Part("webhooks a second at which the bars hold", last.per_second if last.held else 0, "/s"),
            *(Part(f"p95 at {one.per_second:g} a second", one.all.p95, "ms") for one in found[1:]),
        ),
    )
