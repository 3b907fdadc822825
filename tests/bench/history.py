"""history: any page and any filter of the history, as a supervisor, an auditor and a manager see it.

What is told is reading a page's rows, which is what grows with the past, and the whole page beside it. Ten
thousand transfers prove nothing of a million: `make bench BIG=1` (see `tests.bench.big`) holds the bar.
"""

from __future__ import annotations

from tests.bench import past, reading
from tests.bench.figures import Part, Reading, spread
from tests.bench.ground import Ground
from transfers.access import lens_of

FEW = 10_000
TIMES = 20


def measure(ground: Ground) -> Reading:
    ground.rows.emptied()
    people = past.house()
    past.build(FEW, ground.say)
    found = {}
    for who, user in people.items():
        lens = lens_of(user)
        for what, queries in reading.queries(lens, ground.few(TIMES)).items():
            found[f"{what}, as {who}"] = spread([reading.read(lens, query).took_ms for query in queries][1:])
        ground.say(f"  as {who}: slowest p95 {max(f.p95 for n, f in found.items() if who in n):.1f} ms")
    slowest = max(found, key=lambda name: found[name].p95)
    parts = [Part(f"p95 of {name}", one.p95, "ms") for name, one in found.items()]
    whole = reading.whole(people["a supervisor of one department"], ground.few(TIMES))
    parts.append(Part("the whole first page with its log-in and HTML, p95", whole, "ms"))
    why = "at 10,000; BIG=1 builds a million"
    return Reading(found[slowest].p95, found[slowest], tuple(parts), why=why, judged=False)
