"""What Prometheus and OpenTelemetry are told of a transfer's life."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from calls import effects, metrics, seals
from calls.agents import protocol as p
from calls.agents import tracing
from calls.services import links
from config import metrics_port
from tests.integration.test_webhooks import event, post, who
from tests.traced import seconds, times, traced
from tests.world import Story, World
from transfers import observing, services
from transfers.models import Policy

PHASE, OVER, ATTEMPTS = (
    "patchbay_transfer_phase_seconds",
    "patchbay_transfers_ended_total",
    "patchbay_attempts_total",
)


class Told:
    """By how much a metric has grown since this was made."""

    def __init__(self) -> None:
        self._before = self._all()

    def _all(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in REGISTRY.collect() for s in f.samples}

    def of(self, name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return round(self._all().get(key, 0.0) - self._before.get(key, 0.0), 6)  # sums of floats

    def phases(self) -> dict[str, float]:
        """Seconds of each phase that was counted."""
        names = {labels["phase"] for labels in labels_of(f"{PHASE}_count")}
        return {n: self.of(f"{PHASE}_sum", phase=n) for n in names if self.of(f"{PHASE}_count", phase=n)}


def labels_of(name: str) -> Iterator[dict[str, str]]:
    for family in REGISTRY.collect():
        yield from (sample.labels for sample in family.samples if sample.name == name)


def gauges() -> dict[tuple[str, str], float]:
    """As Prometheus reads them: by name and the one label's value."""
    registry = CollectorRegistry()
    registry.register(metrics.House())
    text = generate_latest(registry).decode()
    return {
        (sample.name.removeprefix("patchbay_"), "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def joined(world: World) -> Story:
    """Seven seconds of ringing, ten of briefing, five on the line; the caller is on hold for seventeen."""
    story = Story(world)
    story.escalates()
    agent = story.agent()
    world.later(7)
    world.answers(story.attempt)
    agent.says(p.BriefingStep(step="started"))
    world.later(8)
    agent.says(p.BriefingStep(step="spoken"))
    world.later(2)
    agent.decides(p.DecisionKind.ACCEPT)
    agent.says(p.BridgeUp())
    return story


def test_the_phases_are_counted_when_the_two_are_joined_and_the_talk_when_it_is_over(world: World) -> None:
    told = Told()
    story = joined(world)
    assert told.phases() == {
        "approval": 0,
        "until_dial": 0,
        "ring": 7,
        "briefing": 8,
        "consultation": 10,
        "join": 0,
        "hold": 17,
    }
    assert told.of(ATTEMPTS, outcome="joined") == 1
    assert told.of(OVER, kind="warm", end_reason="connected") == 0
    world.later(5)
    world.hangs_up(story.attempt)
    assert told.phases()["conversation"] == 5
    assert told.of(f"{PHASE}_count", phase="hold") == 1
    assert told.of(OVER, kind="warm", end_reason="connected") == 1


def test_a_transfer_that_reaches_nobody_is_counted_with_why(world: World) -> None:
    told = Told()
    story = Story(world, managers=("Dana",))
    story.escalates()
    world.later(4)
    world.answers(story.attempt, 486)
    assert told.of(ATTEMPTS, outcome="busy") == 1
    assert told.of(OVER, kind="warm", end_reason=story.transfer.end_reason) == 1
    assert told.phases()["ring"] == 4
    assert "join" not in told.phases()


def test_the_wait_for_a_supervisor_is_a_phase_of_its_own(world: World) -> None:
    told = Told()
    story = Story(world, approval=Policy.Approval.APPROVE)
    rows = story.escalates()
    world.later(9)
    user = User.objects.create(username="priya")
    services.approve(transfer_id=rows.pk, user=user)
    world.settle()
    agent = story.agent()
    world.answers(story.attempt)
    agent.decides(p.DecisionKind.ACCEPT)
    agent.says(p.BridgeUp())
    assert told.phases()["approval"] == 9


def test_effects_are_timed_by_their_kind(world: World) -> None:
    told = Told()
    joined(world)
    assert told.of("patchbay_effect_seconds_count", kind="dial", result="done") == 1


@pytest.mark.django_db
def test_webhooks_are_counted_as_new_heard_before_or_forged() -> None:
    told = Told()
    body = event("participant_joined", **who())
    assert (post(body), post(body), post(body, "rubbish")) == (200, 200, 401)
    for result in ("new", "duplicate", "forged"):
        assert told.of("patchbay_webhooks_total", result=result) == 1


def test_what_is_true_now_is_read_when_prometheus_asks(world: World) -> None:
    story = Story(world)
    assert gauges()["calls_live", "ai"] == 1
    story.escalates()
    world.later(6)
    found = gauges()
    assert (found["calls_live", "hold"], found["calls_live", "ai"]) == (1, 0)
    assert found["hold_oldest_age_seconds", ""] == 6
    assert found["transfers_open", "connecting"] == 1
    assert found["agent_links_alive", "support"] == 0  # it has not been heard of for six seconds
    assert found["database_up", ""] == 1


def test_who_waits_in_line_and_what_nobody_does_is_told_by_its_age(world: World) -> None:
    first = Story(world, ("Dana",))
    first.merged()
    second = Story(world, (), where=first.where)
    second.escalates()
    found = gauges()
    assert (found["transfers_open", "queued"], found["effects_due", ""]) == (1, 0)
    effects.ensure("close_consult", first.attempt.pk)
    world.at += timedelta(milliseconds=500)
    found = gauges()
    assert (found["effects_due", ""], found["effects_oldest_age_seconds", ""]) == (1, 0.5)
    assert found["queue_oldest_age_seconds", ""] == 0.5


def test_what_is_not_sealed_yet_is_told_by_its_age(world: World) -> None:
    Story(world)
    seals.seal_events()
    assert gauges()["seal_lag_seconds", ""] == 0
    world.call(None)
    world.at += timedelta(seconds=12)
    assert gauges()["seal_lag_seconds", ""] == 12


@pytest.mark.django_db
def test_a_database_that_is_away_is_one_gauge(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(metrics, "_gauges", [away])
    assert gauges() == {("database_up", ""): 0}


@pytest.mark.django_db
def test_pages_are_counted_by_name() -> None:
    name = "django_http_requests_total_by_view_transport_method_total"
    told = Told()
    Client().get("/login")
    assert told.of(name, view="login", transport="http", method="GET") == 1


def test_no_label_names_anybody(world: World) -> None:
    joined(world)
    text = generate_latest(REGISTRY).decode()
    ours = [line for line in text.splitlines() if line.startswith("patchbay_")]
    assert ours
    assert not [line for line in ours if "Dana" in line or "+1202" in line or "Billing" in line]


def test_a_port_that_is_taken_keeps_nobody_from_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("METRICS_PORT", str(taken.getsockname()[1]))
        metrics_port.serve()
    assert "this process serves no metrics" in caplog.text


# ── traces ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    with traced() as exporter:
        yield exporter


def names(spans: tuple[ReadableSpan, ...]) -> set[str]:
    return {span.name for span in spans}


def test_a_transfer_is_one_trace_under_one_root(world: World, kept: InMemorySpanExporter) -> None:
    story = joined(world)
    world.later(20)
    world.hangs_up(story.attempt)
    transfer = story.transfer
    spans = kept.get_finished_spans()
    roots = [span for span in spans if span.parent is None]
    assert [root.name for root in roots] == [tracing.ROOT_NAME]
    (root,) = roots
    assert {span.context.trace_id for span in spans} == {transfer.pk.int}
    assert {span.parent.span_id for span in spans if span.parent} == {root.context.span_id}
    assert root.attributes
    assert root.attributes["patchbay.end_reason"] == "connected"
    phases = {"approval", "until_dial", "hold", "ring", "briefing", "consultation", "join", "conversation"}
    assert {"request", "effect dial", "report manager_decision", "report bridge_up", *phases} <= names(spans)
    began = min(times(span)[0] for span in spans)
    ended = max(times(span)[1] for span in spans if span.name in phases)
    assert seconds(root) == 37
    assert times(root) == (began, ended)


def test_no_span_names_anybody_or_says_what_was_said(world: World, kept: InMemorySpanExporter) -> None:
    story = joined(world)
    story.support.utters(p.Speaker.CALLER, "I was charged twice.")
    world.caller_leaves(story.call)
    told = " ".join(span.to_json() for span in kept.get_finished_spans())
    for secret in ("Dana", "+1202", "charged", "Billing", story.call.room_name):
        assert secret not in told


def test_directives_carry_the_trace_of_their_transfer(world: World, kept: InMemorySpanExporter) -> None:
    story = Story(world)
    story.escalates()
    (hold,) = links.pending(story.support.job_id, 0)
    assert tracing.transfer_of(hold.traceparent) == story.transfer.pk


def test_a_call_without_a_transfer_has_no_trace(world: World, kept: InMemorySpanExporter) -> None:
    story = Story(world)
    story.support.utters(p.Speaker.CALLER, "Hello.")
    assert kept.get_finished_spans() == ()
    assert observing.transfer_of_job(story.call.pk, None) is None


def test_what_is_done_long_after_a_transfer_is_not_of_it(world: World) -> None:
    story = joined(world)
    world.later(20)
    world.hangs_up(story.attempt)
    assert observing.transfer_of_job(story.call.pk, None) == story.transfer.pk
    world.at += timedelta(seconds=observing.AFTERWARDS_SECONDS + 1)
    assert observing.transfer_of_job(story.call.pk, None) is None
