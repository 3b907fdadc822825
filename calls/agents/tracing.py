"""Traces that follow one transfer through every process. Imports no Django: the agents and the console share it.

A transfer lives for minutes and in many processes, any of which may be killed: no context is carried along. Its
trace has the transfer's own id, and the root span's id is the last half of it, so whoever knows the transfer can
add a span. Off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_TRACES_FILE says where spans go. The provider is our own
and not OpenTelemetry's global one: livekit-agents would write to that, and its spans hold what was said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
    SpanExporter,
)
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

ROOT_NAME = "transfer"
HALF = (1 << 64) - 1
Attributes = Mapping[str, str | int | float | bool]

_tracer: trace.Tracer | None = None
_provider: TracerProvider | None = None
_root_of: ContextVar[UUID | None] = ContextVar("root_of", default=None)


def start(process: str, *, exporter: SpanExporter | None = None) -> None:
    """From now on spans of this process are sent, if the environment (or `exporter`) says where to."""
    global _tracer, _provider
    if _tracer is not None:
        return
    processor = SimpleSpanProcessor(exporter) if exporter else _processor()
    if processor is None:
        return
    resource = Resource.create({SERVICE_NAME: f"patchbay-{process}"})
    _provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=True)
    _provider.add_span_processor(processor)
    _tracer = _provider.get_tracer("patchbay")


def stop() -> None:
    """Send what is still to be sent."""
    global _tracer, _provider
    if _provider:
        _provider.shutdown()
    _tracer = _provider = None


def flush(within_ms: int = 2000) -> None:
    """Before an end that nobody is told of: a job's process just ends."""
    if _provider:
        _provider.force_flush(within_ms)


def on() -> bool:
    return _tracer is not None


def _processor() -> SpanProcessor | None:
    path = os.environ.get("OTEL_TRACES_FILE", "").strip()
    if path:
        return SimpleSpanProcessor(_file(Path(path)))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip():
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=1000)
    return None


def _file(path: Path) -> SpanExporter:
    """One line a span, written whole: the processes of a machine share the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.open("a", buffering=1)
    return ConsoleSpanExporter(out=lines, formatter=_line)


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


class Ids(IdGenerator):
    """Random ones, but those of a root span, which everybody has to know."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        transfer = _root_of.get()
        return transfer.int if transfer else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        transfer = _root_of.get()
        return root_span_id(transfer) if transfer else self._random.generate_span_id()


def root_span_id(transfer: UUID) -> int:
    return transfer.int & HALF


def under(transfer: UUID) -> Context:
    """The context in which a new span is a child of the transfer's root, whether that is written yet or not."""
    root = trace.SpanContext(
        transfer.int,
        root_span_id(transfer),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(root), Context())


@contextmanager
def span(name: str, transfer: UUID | None) -> Iterator[trace.Span]:
    """What is done inside is one span of the transfer's trace; an exception marks it as failed, by its name."""
    if _tracer is None or transfer is None:
        yield trace.INVALID_SPAN
        return
    made = _tracer.start_span(name, context=under(transfer))
    try:
        yield made
    except Exception as error:
        made.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        made.end()


def came_out(made: trace.Span, result: str, *, ok: bool) -> None:
    """Say how what a span is about came out, in a word."""
    made.set_attribute("patchbay.result", result)
    if not ok:
        made.set_status(trace.StatusCode.ERROR, result)


def took(
    name: str, transfer: UUID, began: datetime, ended: datetime, attributes: Attributes, *, ok: bool = True
) -> None:
    """A span of what is over. With ROOT_NAME it is the root itself, which exactly one process writes."""
    if _tracer is None:
        return
    root = name == ROOT_NAME
    token = _root_of.set(transfer if root else None)
    try:
        context = Context() if root else under(transfer)
        made = _tracer.start_span(
            name, context=context, attributes=dict(attributes), start_time=_nanoseconds(began)
        )
    finally:
        _root_of.reset(token)
    if not ok:
        made.set_status(trace.StatusCode.ERROR)
    made.end(_nanoseconds(ended))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000


def traceparent(transfer: UUID) -> str:
    """As W3C writes it: what an agent that does not know the transfer puts its spans under."""
    return f"00-{transfer.hex}-{root_span_id(transfer):016x}-01"


def transfer_of(parent: str) -> UUID | None:
    """The transfer of a traceparent of ours; None if there is none."""
    parts = parent.split("-")
    return UUID(hex=parts[1]) if len(parts) == 4 and len(parts[1]) == 32 else None
