"""Messages: made of sealed events, claimed by compare-and-set, tried for three days, sent again when asked.

Seals are written by one process at a time, so their order is that of their commits: a cursor over them misses
nothing, however late an event's transaction commits. Nobody who records an event waits for any of this.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from calls.access import Scope
from calls.events import SYSTEM, EventBody, record
from calls.models import Event, Seal, WebhookCursor, WebhookMessage, WebhookTarget, WebhookTry
from calls.outgoing.catalogue import TEST, event_types, outgoing_of
from calls.timing import now

State = WebhookMessage.State

BATCH = 500
AT_ONCE_A_TARGET = 4  # a slow one does not keep the others waiting, and is not flooded when it comes back
STALE_AFTER = timedelta(seconds=60)  # six times as long as a request may take
# After each failure, as Standard Webhooks recommends: ten tries in three days.
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
)
JITTER = 0.2  # a pause is up to a fifth longer, so that many do not come at once
OFF_AFTER = timedelta(days=5)
KEPT_FOR = timedelta(days=30)  # what arrived; a replay makes it anew, with the same id
GONE = 410


class WebhookGivenUp(EventBody):
    """Nothing arrived at a target for days, or it said that it is gone: it is switched off."""

    type = "webhook.given_up"
    target_id: str
    status: int | None = None


# ── made ─────────────────────────────────────────────────────────────────────────────────────────


def scope_of_target(target: WebhookTarget) -> Scope:
    """As a key's: without departments the unassigned calls only."""
    mine = frozenset() if target.every_department else frozenset(d.pk for d in target.departments.all())
    return Scope(sees_calls=True, every_department=target.every_department, departments=mine)


def anybody() -> bool:
    """Whether there has ever been a target: without one, the clock has nothing to do here."""
    return WebhookCursor.objects.exists()


@transaction.atomic
def fan_out() -> int:
    """Make the newly sealed events into messages; how many. Does nothing while another process does."""
    cursor = WebhookCursor.objects.select_for_update(skip_locked=True).first()
    if cursor is None:
        return 0
    seals = list(Seal.objects.filter(seq__gt=cursor.seal).order_by("seq").select_related("event")[:BATCH])
    if not seals:
        return 0
    targets = list(WebhookTarget.objects.filter(enabled=True).prefetch_related("departments"))
    made = _make([seal.event for seal in seals], targets)
    cursor.seal = seals[-1].seq
    cursor.save(update_fields=("seal",))
    return made


def _make(events: Iterable[Event], targets: Sequence[WebhookTarget]) -> int:
    at, rows = now(), []
    scopes = [(target, scope_of_target(target)) for target in targets]
    for event in events:
        outgoing = outgoing_of(event)
        wanting = [(t, scope) for t, scope in scopes if outgoing and outgoing.name in t.types]
        if outgoing is None or not wanting:
            continue
        departments = outgoing.departments(event)
        rows += [
            WebhookMessage(target=target, event=event, type=outgoing.name, due_at=at, created_at=at)
            for target, scope in wanting
            if any(scope.covers(department) for department in departments)
        ]
    WebhookMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


# ── sent ─────────────────────────────────────────────────────────────────────────────────────────


def claim_due(most: int) -> list[WebhookMessage]:
    """Up to `most` messages that are due, each now this caller's own."""
    at = now()
    due = WebhookMessage.objects.filter(state=State.WAITING, due_at__lte=at, target__enabled=True)
    if most <= 0 or not due.exists():
        return []
    claimed: list[WebhookMessage] = []
    for target in WebhookTarget.objects.filter(enabled=True):
        busy = WebhookMessage.objects.filter(target=target, state=State.SENDING).count()
        room = min(AT_ONCE_A_TARGET - busy, most - len(claimed))
        rows = due.filter(target=target).order_by("due_at").values_list("pk", flat=True)[: max(0, room)]
        claimed += [found for pk in rows if (found := _claim(pk, at))]
    return claimed


def _claim(message_id: UUID, at: datetime) -> WebhookMessage | None:
    token = uuid4()
    taken = WebhookMessage.objects.filter(pk=message_id, state=State.WAITING).update(
        state=State.SENDING, token=token, claimed_at=at
    )
    return WebhookMessage.objects.select_related("target", "event").get(pk=message_id) if taken else None


def release_stale() -> None:
    """Of processes that died while sending: it is sent again, perhaps a second time."""
    WebhookMessage.objects.filter(state=State.SENDING, claimed_at__lt=now() - STALE_AFTER).update(
        state=State.WAITING, token=None
    )


@transaction.atomic
def settle(message: WebhookMessage, *, status: int | None, error: str, took_ms: int, pause_s: float = 0) -> None:
    """Write down one try and what follows. `pause_s` is what the receiver asked for."""
    at = now()
    WebhookTry.objects.create(message=message, at=at, status=status, error=error[:80], took_ms=took_ms)
    arrived = status is not None and 200 <= status < 300
    fields: dict[str, object] = {"token": None, "tries": message.tries + 1}
    if arrived:
        fields |= {"state": State.SENT, "sent_at": at}
    elif message.tries >= len(PAUSES):
        fields |= {"state": State.GIVEN_UP}
    else:
        pause = PAUSES[message.tries] * random.uniform(1, 1 + JITTER)
        fields |= {"state": State.WAITING, "due_at": at + max(pause, timedelta(seconds=pause_s))}
    mine = WebhookMessage.objects.filter(pk=message.pk, state=State.SENDING, token=message.token)
    if not mine.update(**fields):
        return  # it was taken over: the other one's outcome counts
    if arrived:
        _back(message.target_id, at)
    else:
        _failing(message.target_id, at, status)


def _back(target_id: UUID, at: datetime) -> None:
    """After an outage: what has been waiting goes now, not in a day."""
    if WebhookTarget.objects.filter(pk=target_id, failing_since__isnull=False).update(failing_since=None):
        waiting = WebhookMessage.objects.filter(target=target_id, state=State.WAITING, due_at__gt=at)
        waiting.update(due_at=at)


def _failing(target_id: UUID, at: datetime, status: int | None) -> None:
    targets = WebhookTarget.objects.filter(pk=target_id, enabled=True)
    targets.filter(failing_since=None).update(failing_since=at)
    hopeless = targets if status == GONE else targets.filter(failing_since__lte=at - OFF_AFTER)
    if hopeless.update(enabled=False, gave_up_at=at):
        record(WebhookGivenUp(target_id=str(target_id), status=status), actor=SYSTEM)


# ── sent again ───────────────────────────────────────────────────────────────────────────────────


def send_again(messages: Iterable[UUID]) -> int:
    """As if they had never been sent, with the same ids; how many. What is being sent now is left alone."""
    at = now()
    return (
        WebhookMessage.objects.filter(pk__in=list(messages))
        .exclude(state=State.SENDING)
        .update(state=State.WAITING, due_at=at, tries=0)
    )


@transaction.atomic
def send_all_since(target: WebhookTarget, since: datetime) -> int:
    """Every event for this target from then on, also those of which it was never told; how many."""
    kinds = event_types(target.types)
    events = Event.objects.filter(at__gte=since, type__in=kinds, seal__isnull=False).order_by("seq")
    _make(events.iterator(chunk_size=BATCH), [target])
    wanted = WebhookMessage.objects.filter(target=target, event__at__gte=since)
    return send_again(wanted.values_list("pk", flat=True))


def send_test(target: WebhookTarget) -> WebhookMessage:
    at = now()
    return WebhookMessage.objects.create(target=target, type=TEST, due_at=at, created_at=at)


def forget_old() -> None:
    """What arrived long ago, or never will."""
    old = Q(created_at__lt=now() - KEPT_FOR) & Q(state__in=(State.SENT, State.GIVEN_UP))
    some = WebhookMessage.objects.filter(old).values_list("pk", flat=True)[:BATCH]
    WebhookMessage.objects.filter(pk__in=list(some)).delete()
