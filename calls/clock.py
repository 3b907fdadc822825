"""One tick of the clock: deadlines, due effects, stale claims, dead links, seals. Apps add their own parts."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from time import monotonic

from django.db import close_old_connections

from calls import effects, seals
from calls.hints import each
from calls.models import Call, Owner
from calls.owners import forget_old
from calls.services import watch
from calls.timing import now

logger = logging.getLogger(__name__)

JUDGED_EVERY_S = 0.5  # silence and stale claims, whose limits are a second and more; and webhooks wait for seals

Part = Callable[[], None]
_parts: list[Part] = []


def every_tick(part: Part) -> None:
    """Register work that looks for what is due; it must be safe in several processes at once."""
    _parts.append(part)


def seldom(part: Part, *, seconds: float) -> Part:
    """`part` at most once in so many seconds of this process: tidying up has time."""
    last = -math.inf

    def in_time() -> None:
        nonlocal last
        if monotonic() - last >= seconds:
            last = monotonic()
            part()

    return in_time


def tick(owner: Owner) -> None:
    """Everything that is due now, once. A failing part does not stop the others."""
    for part in (
        *_in_time,
        lambda: run_unclaimed(owner),
        wake_calls,
        *_parts,
    ):
        try:
            part()
        except Exception as error:
            logger.exception("a part of the clock failed", extra={"error": type(error).__name__})


def turn(owner: Owner) -> None:
    """A tick whose connection goes back to the pool: one that broke is not used again."""
    tick(owner)
    close_old_connections()


def run_unclaimed(owner: Owner) -> None:
    each(effects.due_unclaimed(), lambda effect_id: effects.run(effect_id, owner=owner))


def wake_calls() -> None:
    each(Call.objects.filter(wake_at__lte=now()).values_list("pk", flat=True)[:50], watch.check)


def seal() -> None:
    seals.seal_events()


_in_time = [
    seldom(effects.release_stale, seconds=JUDGED_EVERY_S),
    seldom(watch.bury_dead_jobs, seconds=JUDGED_EVERY_S),
    seldom(seal, seconds=JUDGED_EVERY_S),
    seldom(forget_old, seconds=60),
]
