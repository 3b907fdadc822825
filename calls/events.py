"""The record: typed events, written in the transaction of the change they tell of.

An event's facts name nobody and quote nothing: what was said, names and numbers go into `payload`, which
is kept as bytes in an erasable table and bound to the envelope by a salted digest.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from pydantic import BaseModel, ConfigDict
from uuid6 import uuid7

from calls.compiled import insert
from calls.hints import after_commit, each
from calls.models import Event, EventPayload
from calls.timing import now

ActorKind = Literal["person", "api_key", "ai", "transfer_agent", "manager", "caller", "system", "carrier"]

Listener = Callable[[Event], None]

_types: dict[str, type[EventBody]] = {}
_listeners: list[Listener] = []


class EventBody(BaseModel):
    """The typed facts of one kind of event; a subclass registers itself by its `type`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.type in _types:
            raise TypeError(f"event type {cls.type} is registered twice")
        _types[cls.type] = cls


@dataclass(frozen=True)
class Actor:
    """Who did it: an account's id for a person, a key's for a program, a job's or a process's id otherwise."""

    kind: ActorKind
    id: str = ""

    @classmethod
    def of(cls, user: AbstractBaseUser | AnonymousUser) -> Actor:
        return cls("person", str(user.pk))


SYSTEM = Actor("system")


def canonical(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """The one byte form of a JSON object, or of a part of one: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def on_record(listener: Listener) -> None:
    """`listener` gets every event once it is committed: for those who only count. What it raises is logged."""
    _listeners.append(listener)


def record(
    body: EventBody,
    *,
    actor: Actor,
    call_id: UUID | None = None,
    transfer_id: UUID | None = None,
    attempt_id: UUID | None = None,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    """Append one event; call it inside the transaction of the change. Sealed later by the clock."""
    event, content = _made(body, actor, payload, call_id, transfer_id, attempt_id)
    insert(event)
    if content:
        content.event_id = event.pk
        insert(content)
    _tell([event])
    return event


def record_many(told: Iterable[tuple[EventBody, Mapping[str, Any] | None]], *, actor: Actor) -> None:
    """Append many events that are about no call, each with its payload, by few statements."""
    made = [_made(body, actor, payload) for body, payload in told]
    Event.objects.bulk_create([event for event, _ in made], batch_size=500)
    EventPayload.objects.bulk_create([content for _, content in made if content], batch_size=500)
    _tell([event for event, _ in made])


def _made(
    body: EventBody,
    actor: Actor,
    payload: Mapping[str, Any] | None,
    call_id: UUID | None = None,
    transfer_id: UUID | None = None,
    attempt_id: UUID | None = None,
) -> tuple[Event, EventPayload | None]:
    """The envelope and what it binds, neither of them saved."""
    event_id, at = uuid7(), now()
    facts = body.model_dump(mode="json")
    salt, content, digest = b"", b"", None
    if payload:
        salt, content = secrets.token_bytes(16), canonical(payload)
        digest = hashlib.sha256(salt + content).digest()
    envelope = {
        "id": str(event_id),
        "at": at.isoformat(),
        "actor": [actor.kind, actor.id],
        "type": body.type,
        "call": str(call_id or ""),
        "transfer": str(transfer_id or ""),
        "attempt": str(attempt_id or ""),
        "facts": facts,
        "payload": digest.hex() if digest else "",
    }
    event = Event(
        id=event_id,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        type=body.type,
        call_id=call_id,
        transfer_id=transfer_id,
        attempt_id=attempt_id,
        facts=facts,
        body=canonical(envelope),
        payload_digest=digest,
    )
    return event, EventPayload(event=event, salt=salt, body=content) if digest else None


def _tell(events: Sequence[Event]) -> None:
    for listener in _listeners:
        after_commit(partial(each, events, listener))


# ── what happens to a call ───────────────────────────────────────────────────────────────────────


class CallStarted(EventBody):
    type = "call.started"
    source: str
    department_id: int | None


class CallMoved(EventBody):
    """The caller is with somebody else now."""

    type = "call.moved"
    from_state: str
    to_state: str
    from_with: str
    to_with: str


class CallEnded(EventBody):
    type = "call.ended"
    from_state: str
    reason: str


class DepartmentChanged(EventBody):
    type = "call.department_changed"
    from_id: int | None
    to_id: int | None


class FactLearnt(EventBody):
    type = "call.fact_learnt"
    key: str


class LegJoined(EventBody):
    type = "leg.joined"
    leg_kind: str


class LegLeft(EventBody):
    type = "leg.left"
    leg_kind: str
    reason: str


class SupervisionOpened(EventBody):
    """A supervisor asked to hear a call, or to speak in it."""

    type = "supervision.started"
    grant_id: str
    mode: str
    side: Literal["call", "consultation"]


class SupervisionJoined(EventBody):
    type = "supervision.joined"
    grant_id: str
    mode: str


class SupervisionEnded(EventBody):
    """`seconds` from joining to the end; 0 for who never came."""

    type = "supervision.ended"
    grant_id: str
    mode: str
    reason: str
    seconds: float


class Coached(EventBody):
    """A supervisor whispered to the AI; the words are in the payload."""

    type = "supervision.coached"
    directive_id: str


class Repaired(EventBody):
    """A listing of the server's rooms disagreed with the rows, and was believed."""

    type = "reconcile.repaired"
    what: Literal["leg", "call", "call_room", "consultation"]


class JobOpened(EventBody):
    type = "agent.joined"
    role: str


class JobClosed(EventBody):
    type = "agent.left"
    role: str
    reason: str


class DirectiveFailed(EventBody):
    type = "agent.directive_failed"
    directive: str


# ── who looks, and who is let in ─────────────────────────────────────────────────────────────────


class AuditVerified(EventBody):
    """Somebody had the whole chain verified; `broken` is how, or empty."""

    type = "audit.verified"
    links: int
    heads: int
    broken: str


class AuditExported(EventBody):
    """Somebody took a transfer's record with its proof."""

    type = "audit.exported"


class HistoryExported(EventBody):
    """Somebody took the history away, as a file; `filters` says by what it was narrowed, not to what."""

    type = "history.exported"
    export_id: str
    form: str
    filters: list[str]


class TranscriptRead(EventBody):
    """Somebody opened a page with what was said."""

    type = "transcript.read"
    page: Literal["call", "transfer", "profile", "api"]


class LoggedIn(EventBody):
    type = "account.logged_in"


class LoggedOut(EventBody):
    type = "account.logged_out"


class LogInFailed(EventBody):
    """A wrong password, or an account that does not exist; which, the payload does not say."""

    type = "account.log_in_failed"


class ContentErased(EventBody):
    """What was said in a call, names and numbers are gone; by whom says the actor."""

    type = "content.erased"
    why: Literal["retention", "request"]
