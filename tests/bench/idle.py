"""idle: CPU and memory of the whole stack when nobody calls, from the launcher down.

The carrier simulator belongs to the demo only: its share is not counted but told beside it.
"""

from __future__ import annotations

import time

from tests.bench.figures import Part, Reading, spread
from tests.bench.ground import Ground
from tests.bench.house import Meter, pss_mb, tree

SETTLE_S = 15.0  # agents that were warmed up, caches, the first reconciliations
WINDOW_S = 5.0
WINDOWS = 6
PROCESSES = ("web", "worker", "clock-1", "clock-2", "agents", "postgres", "valkey", "livekit", "livekit-valkey")


def measure(ground: Ground) -> Reading:
    product = ground.product
    ground.say(
        f"  letting it come to rest for {SETTLE_S:g} s, then looking for {WINDOW_S * ground.few(WINDOWS):g} s …"
    )
    time.sleep(SETTLE_S)
    launcher, carrier = int(product.note["launcher"]), product.pid("carrier")
    whole, simulator = Meter(launcher), Meter(carrier)
    each = {name: Meter(product.pid(name)) for name in PROCESSES}
    windows = []
    for _ in range(ground.few(WINDOWS)):
        one, other = Meter(launcher), Meter(carrier)
        time.sleep(WINDOW_S)
        windows.append(one.per_cent() - other.per_cent())
    cpu, cpu_of_carrier = whole.per_cent(), simulator.per_cent()
    everything, beside = tree(launcher), tree(carrier)
    parts = [
        Part("memory (PSS)", pss_mb(everything - beside), "MB", 2560),
        Part("carrier simulator beside it, CPU", cpu_of_carrier, "% of a core"),
        Part("carrier simulator beside it, memory", pss_mb(beside), "MB"),
    ]
    for name, meter in each.items():
        parts.append(Part(f"{name}, CPU", meter.per_cent(), "% of a core"))
        parts.append(Part(f"{name}, memory", pss_mb(tree(product.pid(name))), "MB"))
    return Reading(cpu - cpu_of_carrier, spread(windows), tuple(parts))
