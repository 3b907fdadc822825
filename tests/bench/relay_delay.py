"""relay_delay: what the bridge between the two rooms adds to a voice's way, by rehearsals of real audio."""

from __future__ import annotations

from tests.bench.figures import Reading, spread, unmeasured
from tests.bench.ground import Ground
from tests.bench.rehearsed import samples


def measure(ground: Ground) -> Reading:
    found = samples(ground, "relay_delay_ms")
    if not found:
        return unmeasured("no rehearsal measured the relay")
    return Reading(spread(found).p95, spread(found))
