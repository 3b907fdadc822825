"""Prometheus' view of the house. Few labels, and none that names a person, a number or a department.

Counters and histograms are written where something happens, in whichever process that is: Prometheus adds them up.
What is true now is asked of the database when Prometheus asks, in the web alone, by the one collector here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache

from django.db import Error
from django.db.models import Count, Min
from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from calls.agents.protocol import DEAD_AFTER_SECONDS, Role
from calls.events import JobClosed
from calls.models import AgentJob, Call, Effect, EffectState, Event, Owner, OwnerRole, Seal
from calls.owners import SILENT_AFTER
from calls.states import CallerWith, CallState
from calls.timing import now

logger = logging.getLogger(__name__)

Gauges = Callable[[], Iterable[GaugeMetricFamily]]

# From a tenth of a second (a join) to ten minutes (a caller in line).
SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600)

webhooks = Counter("patchbay_webhooks_total", "LiveKit's webhooks.", ("result",))  # new, duplicate, forged
effect_seconds = Histogram(
    "patchbay_effect_seconds",
    "What is done outside the database, from its claim until it is settled.",
    ("kind", "result"),
    buckets=SECONDS,
)
jobs_closed = Counter("patchbay_agent_jobs_closed_total", "Agent jobs that are over.", ("role", "reason"))

_gauges: list[Gauges] = []


def register(gauges: Gauges) -> None:
    """`gauges` reads what is true now; its queries have to be cheap, for they are asked every few seconds."""
    _gauges.append(gauges)


class House(Collector):
    """Everything that is registered. Of a database that is away one gauge tells, and the others are left out."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # or being registered would ask the database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found: list[GaugeMetricFamily] = []
        try:
            for gauges in (_of_calls, *_gauges):
                found += gauges()
        except Error as error:
            logger.warning("metrics of the house not read", extra={"error": type(error).__name__})
            found.clear()
            answers = False
        else:
            answers = True
        yield one("patchbay_database_up", "Whether the database answers.", float(answers))
        yield from found


@cache
def watch_the_house() -> None:
    """Let this process answer for all; once."""
    REGISTRY.register(House())


def observe(event: Event) -> None:
    """One event that is committed."""
    if event.type == JobClosed.type:
        jobs_closed.labels(event.facts["role"], event.facts["reason"]).inc()


def one(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)


def several(name: str, says: str, label: str, values: dict[str, int], known: Iterable[str]) -> GaugeMetricFamily:
    """One value for each of the `known` labels: what is not there is nought, and does not vanish from a graph."""
    family = GaugeMetricFamily(name, says, labels=(label,))
    for key in known:
        family.add_metric((str(key),), values.get(str(key), 0))
    return family


def age(since: datetime | None) -> float:
    """In seconds; nought if there is nothing."""
    return max(0.0, (now() - since).total_seconds()) if since else 0.0


def _of_calls() -> Iterator[GaugeMetricFamily]:
    live = Call.objects.exclude(state=CallState.INACTIVE)
    with_whom = dict(live.values_list("caller_with").annotate(Count("pk")).order_by())
    yield several(
        "patchbay_calls_live", "Live calls, by who has the caller.", "caller_with", with_whom, CallerWith
    )
    held = live.filter(caller_with=CallerWith.HOLD).aggregate(since=Min("caller_since"))["since"]
    says = "How long the caller longest on hold has been there."
    yield one("patchbay_hold_oldest_age_seconds", says, age(held))

    fresh = now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    jobs = AgentJob.objects.filter(closed_at=None, last_seen_at__gt=fresh)
    links = dict(jobs.values_list("role").annotate(Count("pk")).order_by())
    yield several("patchbay_agent_links_alive", "Agent jobs whose link to the console lives.", "role", links, Role)

    owners = Owner.objects.filter(beat_at__gt=now() - SILENT_AFTER * 2)
    beating = dict(owners.values_list("role").annotate(Count("pk")).order_by())
    yield several("patchbay_processes_alive", "Processes with a heartbeat.", "role", beating, OwnerRole)

    due = Effect.objects.filter(state=EffectState.DUE, due_at__lte=now()).aggregate(
        n=Count("pk"), since=Min("due_at")
    )
    yield one("patchbay_effects_due", "Effects that nobody has claimed yet.", due["n"])
    yield one(
        "patchbay_effects_oldest_age_seconds", "For how long the oldest of them has been due.", age(due["since"])
    )
    yield one("patchbay_seal_lag_seconds", "The age of the oldest event that is not sealed yet.", age(_unsealed()))


def _unsealed() -> datetime | None:
    """Since when. Looks only behind the last one that was sealed: the chain is long, and its end is near."""
    last = Seal.objects.order_by("-seq").values_list("event_id", flat=True).first() or 0
    events = Event.objects.filter(seq__gt=last, seal=None)
    return events.order_by("seq").values_list("at", flat=True).first()
