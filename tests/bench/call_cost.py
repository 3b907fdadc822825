"""call_cost: CPU of the agents' processes during one simulated live call, with the offline speech."""

from __future__ import annotations

import time

from tests.bench.figures import Part, Reading, spread, unmeasured
from tests.bench.ground import Ground
from tests.bench.house import Carrier, Meter, live_call, records

STORY = "gives-details"  # answers every question: a conversation of many turns
WARM_UP_S = 8.0
WINDOW_S = 3.0
WINDOWS = 12


def measure(ground: Ground) -> Reading:
    product, carrier = ground.product, Carrier(ground.product)
    agents = product.pid("agents")
    before = Meter(agents)
    time.sleep(WINDOW_S)
    idle = before.per_cent()
    caller = carrier.place(STORY)
    with records(product) as found:
        call_id = live_call(found, caller["room"])
        ground.say(f"  a caller talks with the AI; looking for {WINDOW_S * ground.few(WINDOWS):g} s …")
        time.sleep(WARM_UP_S)
        whole, windows = Meter(agents), []
        for _ in range(ground.few(WINDOWS)):
            one = Meter(agents)
            time.sleep(WINDOW_S)
            if not found.one("SELECT true FROM calls_call WHERE id = %s AND state <> 'inactive'", call_id):
                break
            windows.append(one.per_cent())
        cpu = whole.per_cent()
        turns = found.one("SELECT count(*) FROM calls_utterance WHERE call_id = %s", call_id)
        live = found.one("SELECT state <> 'inactive' FROM calls_call WHERE id = %s", call_id)
    if live:
        carrier.hang_up(caller["id"])
    if not windows:
        return unmeasured("the simulated call ended before anything could be measured")
    parts = (Part("turns said in the call", turns, "turns"), Part("agents without a call", idle, "% of a core"))
    return Reading(cpu if live else sum(windows) / len(windows), spread(windows), parts)
