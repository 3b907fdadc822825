"""A trace that nobody carries along: its ids follow from the transfer's own."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from uuid6 import uuid7

from calls.agents import protocol as p
from calls.agents import tracing
from calls.agents.link import AgentLink
from tests.traced import seconds, traced

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_without_a_place_for_spans_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_TRACES_FILE", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    tracing.start("test")
    assert not tracing.on()
    with tracing.span("nothing", uuid7()) as made:
        assert made is trace.INVALID_SPAN


def test_a_span_of_any_process_is_a_child_of_the_root_that_comes_last() -> None:
    transfer = uuid7()
    with traced() as kept:
        with tracing.span("effect dial", transfer) as made:
            tracing.came_out(made, "done", ok=True)
        tracing.took(tracing.ROOT_NAME, transfer, BEGAN, BEGAN + timedelta(seconds=2), {"patchbay.kind": "warm"})
        child, root = kept.get_finished_spans()
    assert root.parent is None
    assert child.parent is not None
    assert child.parent.span_id == root.context.span_id == tracing.root_span_id(transfer)
    assert child.context.trace_id == root.context.trace_id == transfer.int
    assert child.context.span_id != root.context.span_id
    assert seconds(root) == 2
    assert child.attributes == {"patchbay.result": "done"}


def test_what_fails_inside_a_span_says_its_kind_and_no_words() -> None:
    with traced() as kept:
        with pytest.raises(ValueError), tracing.span("directive hold", uuid7()):
            raise ValueError("My name is Ada, my number +12025550144")
        (span,) = kept.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (trace.StatusCode.ERROR, "ValueError")
    assert "Ada" not in span.to_json()


def test_what_no_transfer_is_behind_is_not_traced() -> None:
    with traced() as kept:
        with tracing.span("effect dispatch", None):
            pass
        assert kept.get_finished_spans() == ()


def test_opentelemetrys_own_provider_is_left_alone_for_a_library_writes_speech_to_it() -> None:
    with traced() as kept:
        with trace.get_tracer("livekit-agents").start_as_current_span("user_turn"):
            pass
        assert kept.get_finished_spans() == ()


def test_a_traceparent_says_whose_it_is() -> None:
    transfer = uuid7()
    version, trace_id, span_id, flags = tracing.traceparent(transfer).split("-")
    assert (version, len(trace_id), len(span_id), flags) == ("00", 32, 16, "01")
    assert tracing.transfer_of(tracing.traceparent(transfer)) == transfer
    assert tracing.transfer_of("") is None


def test_a_file_gets_one_line_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_FILE", str(tmp_path / "deep" / "spans.jsonl"))
    transfer = uuid7()
    tracing.start("clock")
    try:
        with tracing.span("one", transfer), tracing.span("two", transfer):
            pass
    finally:
        tracing.stop()
    lines = [json.loads(line) for line in (tmp_path / "deep" / "spans.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == ["two", "one"]
    assert {line["resource"]["attributes"]["service.name"] for line in lines} == {"patchbay-clock"}
    assert {UUID(hex=line["context"]["trace_id"][2:]) for line in lines} == {transfer}


def down(**more: object) -> p.Down:
    return p.Down.model_validate(
        {"seq": 1, "directive_id": uuid4(), "body": {"kind": "carry", "on": True}, **more}
    )


def test_an_agent_of_an_earlier_version_is_not_told_of_traces_while_there_are_none() -> None:
    assert "traceparent" not in json.loads(down().model_dump_json())
    sent = down(traceparent=tracing.traceparent(uuid7()))
    assert p.console_frames.validate_json(sent.model_dump_json()) == sent


async def test_a_directive_is_a_span_of_its_transfer() -> None:
    transfer = uuid7()
    done = asyncio.Event()

    async def handler(body: p.DirectiveBody) -> None:
        done.set()

    hello = p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room="call-1")
    link = AgentLink(hello, url="ws://127.0.0.1:1/agents/link")
    with traced() as kept:
        await link._apply_one(handler, down(traceparent=tracing.traceparent(transfer)))
        await link._apply_one(handler, down())
        (span,) = kept.get_finished_spans()
    assert done.is_set()
    assert (span.name, span.context.trace_id) == ("directive carry", transfer.int)
