"""Spans of the tests' own process, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from calls.agents import tracing


@contextmanager
def traced() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    tracing.start("test", exporter=kept)
    try:
        yield kept
    finally:
        tracing.stop()


def times(span: ReadableSpan) -> tuple[int, int]:
    """Its beginning and its end, in nanoseconds."""
    assert span.start_time
    assert span.end_time
    return span.start_time, span.end_time


def seconds(span: ReadableSpan) -> float:
    began, ended = times(span)
    return (ended - began) / 1e9
