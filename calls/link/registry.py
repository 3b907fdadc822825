"""How other apps extend the agent link: which call a job of theirs belongs to, and what it is told."""

from __future__ import annotations

from collections.abc import Callable

from calls.agents.protocol import Hello, Role, Snapshot
from calls.models import AgentJob, Call

Resolver = Callable[[Hello], Call | None]
Enricher = Callable[[AgentJob, Snapshot], Snapshot]

_resolvers: dict[Role, Resolver] = {}
_enrichers: list[Enricher] = []


def resolve_with(role: Role, resolver: Resolver) -> None:
    """`resolver` finds the call of a job of this role; None refuses the job."""
    _resolvers[role] = resolver


def enrich_with(enricher: Enricher) -> None:
    """`enricher` adds to the snapshot that a new job gets."""
    _enrichers.append(enricher)


def call_of(hello: Hello) -> Call | None:
    resolver = _resolvers.get(hello.role)
    return resolver(hello) if resolver else None


def enriched(job: AgentJob, snapshot: Snapshot) -> Snapshot:
    for enricher in _enrichers:
        snapshot = enricher(job, snapshot)
    return snapshot
