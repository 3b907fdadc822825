"""accept_to_heard: a manager presses 1; when does each of the two hear the other? By rehearsals of real audio."""

from __future__ import annotations

from tests.bench.figures import Reading, spread, unmeasured
from tests.bench.ground import Ground
from tests.bench.rehearsed import samples


def measure(ground: Ground) -> Reading:
    found = samples(ground, "accept_to_heard_s")
    if not found:
        return unmeasured("no rehearsal came to the point where both hear each other")
    return Reading(spread(found).p95, spread(found))
