"""Effects: claimed by compare-and-set, done through the gateway outside any transaction, settled by token.

A kind is registered by the app that needs it (`register`). The row is made in the transaction that decided it
(`ensure`); a worker is hinted after commit, and the clock runs what no worker has claimed in time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Max, Q

from calls import metrics
from calls import tracing as traces
from calls.agents import tracing
from calls.agents.logs import about
from calls.compiled import insert_once
from calls.hints import each, hint
from calls.models import Effect, EffectState, Owner
from calls.owners import SILENT_AFTER
from calls.telephony.gateway import Gateway, GatewayError, Retryable
from calls.timing import now

logger = logging.getLogger(__name__)

UNCLAIMED_AFTER = timedelta(milliseconds=500)
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
WRITE_AGAIN_SECONDS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0)
DONE, FAILED, NOT_WANTED, GIVEN_BACK = "done", "failed", "not_wanted", "given_back"
DATABASE_AWAY = (OperationalError, InterfaceError)  # a deadlock too: another try may succeed


@dataclass(frozen=True)
class EffectKind:
    """How one kind of effect is done.

    `request` reads what is needed and may return None: no longer wanted. `act` speaks to the gateway.
    `done` and `failed` write the outcome in the transaction that settles the row. A kind that is not
    `repeatable` is never done twice: when its claim goes stale, `orphaned` decides, on every tick.
    """

    name: str
    request: Callable[[Effect], Any | None]
    act: Callable[[Gateway, Any], Awaitable[Any]]
    done: Callable[[Effect, Any], None] = lambda effect, result: None
    failed: Callable[[Effect, GatewayError], None] = lambda effect, error: None
    repeatable: bool = True
    orphaned: Callable[[Effect], None] | None = None
    queue: str = "control"


_kinds: dict[str, EffectKind] = {}


def register(kind: EffectKind) -> None:
    _kinds[kind.name] = kind


def kinds() -> frozenset[str]:
    return frozenset(_kinds)


def ensure(
    kind: str,
    subject_id: UUID,
    *,
    nth: int = 1,
    due_at: datetime | None = None,
    args: dict[str, Any] | None = None,
) -> Effect:
    """The effect's row, made now if it is not there; hinted if it is due."""
    from calls.tasks import run_effect

    at = now()
    effect = Effect(kind=kind, subject_id=subject_id, nth=nth, due_at=due_at or at, args=args or {})
    if not insert_once(effect):
        return Effect.objects.get(kind=kind, subject_id=subject_id, nth=nth)
    if effect.due_at <= at:
        hint(run_effect, str(effect.pk), queue=_kinds[kind].queue)
    return effect


def again(effect: Effect, *, due_at: datetime, tries: int = 0) -> Effect:
    """The next `nth` of the same effect; after a failure, the how manieth try in a row."""
    return ensure(effect.kind, effect.subject_id, nth=effect.nth + 1, due_at=due_at, args={"tries": tries})


def hasten(kind: str, subject_id: UUID) -> None:
    """Have it done now: what is planned for later, or the next `nth`. What is under way sees for itself."""
    from calls.tasks import run_effect

    found = Effect.objects.filter(kind=kind, subject_id=subject_id).order_by("-nth").first()
    if found is None or found.state in (EffectState.DONE, EffectState.FAILED):
        ensure(kind, subject_id, nth=found.nth + 1 if found else 1)
    elif Effect.objects.filter(pk=found.pk, state=EffectState.DUE).update(due_at=now()):
        hint(run_effect, str(found.pk), queue=_kinds[kind].queue)


def once_more(kind: str, subject_id: UUID, *, pause: timedelta) -> bool:
    """What was done came to nothing: the next `nth`, unless one is under way or ended less than `pause` ago.

    Whether it is done again.
    """
    tried = Effect.objects.filter(kind=kind, subject_id=subject_id)
    if tried.filter(Q(state__in=(EffectState.DUE, EffectState.CLAIMED)) | Q(done_at__gt=now() - pause)).exists():
        return False
    ensure(kind, subject_id, nth=(tried.aggregate(nth=Max("nth"))["nth"] or 0) + 1)
    return True


def drop(kind: str, subject_id: UUID) -> None:
    """Settle what is still due as not wanted."""
    Effect.objects.filter(kind=kind, subject_id=subject_id, state=EffectState.DUE).update(
        state=EffectState.DONE, done_at=now(), error="not wanted"
    )


def claim(effect_id: UUID, *, owner: Owner) -> Effect | None:
    """Take a due effect by compare-and-set; None if somebody else has it or it is not due."""
    token, at = uuid4(), now()
    taken = Effect.objects.filter(pk=effect_id, state=EffectState.DUE, due_at__lte=at).update(
        state=EffectState.CLAIMED, owner=owner, token=token, claimed_at=at
    )
    return Effect.objects.get(pk=effect_id) if taken else None


def still_mine(effect: Effect) -> bool:
    return Effect.objects.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).exists()


def mine_locked(effect: Effect) -> Effect | None:
    """The claim, locked for the rest of the transaction; None if it has been taken over or settled."""
    claims = Effect.objects.select_for_update(of=("self",)).select_related("owner")
    return claims.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).first()


async def perform(effect: Effect, gateway: Gateway) -> None:
    """Do a claimed effect and settle it. Never raises: a bug is a failed effect with its name."""
    began = time.monotonic()
    transfer = await in_thread(traces.of_subject, effect.subject_id) if tracing.on() else None
    with about(transfer=transfer), tracing.span(f"effect {effect.kind}", transfer) as told:
        result = await _perform(effect, gateway)
        tracing.came_out(told, result, ok=result != FAILED)
    metrics.effect_seconds.labels(effect.kind, result).observe(time.monotonic() - began)


async def _perform(effect: Effect, gateway: Gateway) -> str:
    """What came of it, in a word."""
    kind = _kinds[effect.kind]
    try:
        request = await in_thread(_request, effect, kind)
    except DATABASE_AWAY:  # nothing was done: whoever comes next may do it
        await _write(effect, partial(_give_back, effect))
        return GIVEN_BACK
    except Exception as error:
        logger.exception("effect failed", extra={"effect": effect.kind})
        await _write(effect, partial(_settle_failure, effect, kind, GatewayError(type(error).__name__)))
        return FAILED
    if request is None:
        return NOT_WANTED
    result, outcomes = await _act(effect, kind, gateway, request)
    await _write(effect, *outcomes)
    return result


def _request(effect: Effect, kind: EffectKind) -> Any | None:
    """What is to be done; None if nothing is, or if the claim is somebody else's by now."""
    with transaction.atomic():
        if mine_locked(effect) is None:
            return None
        request = kind.request(effect)
        if request is None:
            _settle(effect, EffectState.DONE, "not wanted", None)
        return request


async def _act(
    effect: Effect, kind: EffectKind, gateway: Gateway, request: Any
) -> tuple[str, list[Callable[[], None]]]:
    """Do it; returns how that went, what is to be written, and what instead if that cannot be."""
    try:
        result = await kind.act(gateway, request)
    except GatewayError as error:
        return FAILED, [partial(_settle_failure, effect, kind, error)]
    except Exception as error:
        logger.exception("effect failed", extra={"effect": effect.kind})
        return FAILED, [partial(_settle_failure, effect, kind, GatewayError(type(error).__name__))]
    done = partial(_settle, effect, EffectState.DONE, "", lambda: kind.done(effect, result))
    return DONE, [done, partial(_settle_failure, effect, kind, GatewayError("its outcome could not be written"))]


async def _write(effect: Effect, *outcomes: Callable[[], None]) -> None:
    """Write the first outcome that can be. A database that is away is waited for: what was done is done."""
    bare = partial(_settle, effect, EffectState.FAILED, "its outcome could not be written", None)
    tries: list[Callable[[], None]] = [*outcomes, bare]
    for outcome in tries:
        for pause in (*WRITE_AGAIN_SECONDS, None):
            try:
                await in_thread(outcome)
                return
            except DATABASE_AWAY as error:
                if pause is None:
                    logger.error(
                        "effect not settled", extra={"effect": effect.kind, "error": type(error).__name__}
                    )
                    return
                await asyncio.sleep(pause)
            except Exception as error:
                logger.exception(
                    "effect's outcome failed", extra={"effect": effect.kind, "error": str(type(error))}
                )
                break


def _settle(effect: Effect, state: EffectState, error: str, then: Callable[[], None] | None) -> None:
    with transaction.atomic():
        settled = Effect.objects.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).update(
            state=state, done_at=now(), error=error[:500]
        )
        if settled and then:
            then()


def _settle_failure(effect: Effect, kind: EffectKind, error: GatewayError) -> None:
    def write() -> None:
        tries = effect.args.get("tries", 0)
        if kind.repeatable and isinstance(error, Retryable) and tries < len(RETRY_SECONDS):
            again(effect, due_at=now() + timedelta(seconds=RETRY_SECONDS[tries]), tries=tries + 1)
        else:
            kind.failed(effect, error)

    _settle(effect, EffectState.FAILED, str(error) or type(error).__name__, write)


def _give_back(effect: Effect) -> None:
    Effect.objects.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).update(
        state=EffectState.DUE, owner=None, token=None
    )


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run database work off the event loop, giving its connection back to the pool."""

    def work() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await sync_to_async(work, thread_sensitive=False)()


def run(effect_id: UUID, *, owner: Owner) -> asyncio.Future[None] | Any | None:
    """Claim and start an effect on this process's event loop; returns at once."""
    from calls.telephony import loop

    effect = claim(effect_id, owner=owner)
    return loop.submit(perform(effect, loop.gateway())) if effect else None


def due_unclaimed() -> list[UUID]:
    """What no worker has claimed in time."""
    late = now() - UNCLAIMED_AFTER
    return list(
        Effect.objects.filter(state=EffectState.DUE, due_at__lte=late)
        .order_by("due_at")
        .values_list("pk", flat=True)[:50]
    )


def release_stale() -> None:
    """Claims of silent owners: repeatable ones become due again, the others are decided by their kind."""
    silent = now() - SILENT_AFTER
    stale = Effect.objects.filter(state=EffectState.CLAIMED).filter(Q(owner__beat_at__lt=silent) | Q(owner=None))
    each(stale[:50], _take_over)


def _take_over(effect: Effect) -> None:
    kind = _kinds[effect.kind]
    with transaction.atomic():
        found = mine_locked(effect)
        if found is None:
            return
        if kind.repeatable:
            _give_back(found)
        elif kind.orphaned:
            kind.orphaned(found)


def settle_orphan(effect: Effect, *, state: EffectState, note: str) -> bool:
    """Take an orphaned claim out of the world; True for the one who did."""
    return bool(
        Effect.objects.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).update(
            state=state, done_at=now(), error=note, token=None
        )
    )
