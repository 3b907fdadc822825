"""resume: `kill -9` of worker, clock or web in each step of a transfer; how long until it goes on?

Each step is made to follow at once: the phone answers, the manager presses 1, the caller hangs up right after
the kill. So a figure is what the loss cost, with the little that the step takes anyway (told beside it).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.bench.figures import Part, Reading, spread
from tests.bench.ground import Ground
from tests.bench.house import Carrier, Records, Supervisor, live_call, records
from tests.product import Product, until

VICTIMS = ("worker", "clock-1", "web")
STORY = "opening-hours"
MANAGER, NUMBER = "Dana", "+12025550101"
RINGS_S = 2.0
STEP_S = 25.0  # at most, until a step is seen
PAUSE_S = 0.01


class NotSeen(Exception):
    """A step did not follow in time."""


class Course:
    """One transfer, step by step; `lose` is called right before what makes the next step happen."""

    def __init__(self, product: Product, found: Records, lose: Callable[[], None]) -> None:
        self.carrier, self.person, self.found, self.lose = Carrier(product), Supervisor(product), found, lose
        self.took: dict[str, float] = {}

    def run(self) -> None:
        caller = self.carrier.place(STORY, at_most_s=150)
        call_id = live_call(self.found, caller["room"])
        self.carrier.next_dial(NUMBER, scenario="silent", rings_s=RINGS_S)
        since = time.time()
        self.person.escalate(call_id, self._target())
        self._step("dialled", lambda: self.carrier.dials(since))
        dial = self.carrier.dials(since)[-1]
        time.sleep(max(0.0, dial["at"] + RINGS_S - 0.3 - time.time()))
        self._step("answered", lambda: self._transfer(call_id) == "consulting", after=dial["at"] + RINGS_S)
        until(lambda: self._briefed(call_id), 60, "the briefing is spoken")
        self._step(
            "joined", lambda: self._transfer(call_id) == "merged", act=lambda: self.carrier.press(dial["id"], "1")
        )
        hang_up = lambda: self.carrier.hang_up(caller["id"])  # noqa: E731
        self._step("completed", lambda: self._transfer(call_id) == "completed", act=hang_up)

    def _step(
        self, name: str, done: Callable[[], Any], *, act: Callable[[], None] = lambda: None, after: float = 0
    ):
        """Kill, act, and wait for the step; counted from the kill or, if that is later, from `after`."""
        began = time.time()
        self.lose()
        act()
        end = time.monotonic() + STEP_S
        while not done():
            if time.monotonic() > end:
                self.took[name] = STEP_S
                raise NotSeen(f"not within {STEP_S:.0f} s: {name}")
            time.sleep(PAUSE_S)
        self.took[name] = max(0.0, time.time() - max(began, after))

    def _target(self) -> str:
        sql = """SELECT 'p:' || m.id || ':' || d.department_id FROM transfers_manager m
                 JOIN transfers_manager_departments d ON d.manager_id = m.id WHERE m.name = %s"""
        return str(self.found.one(sql, MANAGER))

    def _transfer(self, call_id: Any) -> Any:
        newest = "SELECT state FROM transfers_transfer WHERE call_id = %s ORDER BY requested_at DESC LIMIT 1"
        return self.found.one(newest, call_id)

    def _briefed(self, call_id: Any) -> Any:
        sql = """SELECT a.briefing_spoken_at FROM transfers_attempt a
                 JOIN transfers_transfer t ON t.id = a.transfer_id
                 WHERE t.call_id = %s ORDER BY a.reserved_at DESC LIMIT 1"""
        return self.found.one(sql, call_id)


def measure(ground: Ground) -> Reading:
    product = ground.product
    began = time.time()
    with records(product) as found:
        ground.say("  a transfer without a loss …")
        calm = Course(product, found, lambda: None)
        calm.run()
        lost: dict[str, float] = {}
        for victim in VICTIMS[: ground.few(len(VICTIMS) * 4)]:
            ground.say(f"  a transfer that loses its {victim} in each step …")
            course = Course(product, found, lambda victim=victim: _kill(product, victim))  # type: ignore[misc]
            try:
                course.run()
            except NotSeen as error:  # that step counts with the time that it was given, and misses the bar
                ground.say(f"    {error}")
            lost |= {f"{victim} lost: {step}": took for step, took in course.took.items()}
    dials = Counter(dial["identity"] for dial in Carrier(product).dials(began))
    parts = [Part("most dials of one attempt", max(dials.values()), "dials", 1)]
    parts += [Part(what, took, "s") for what, took in lost.items()]
    parts += [Part(f"nothing lost: {step}", took, "s") for step, took in calm.took.items()]
    return Reading(max(lost.values()), spread(list(lost.values())), tuple(parts))


def _kill(product: Product, victim: str) -> None:
    """Once the one killed before is back: what is measured is one loss, not two."""
    until(lambda: _back(product, victim), 30, f"{victim} is back")
    product.kill(victim)


def _back(product: Product, victim: str) -> bool:
    return product.answers() if victim == "web" else product.pid(victim) > 0
