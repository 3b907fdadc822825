"""One tick of the clock: deadlines, due effects, stale claims, dead links, seals. Apps add their own parts."""

from __future__ import annotations

import logging
from collections.abc import Callable

from calls import effects, seals
from calls.models import Call, Owner
from calls.owners import forget_old
from calls.services import watch
from calls.timing import now

logger = logging.getLogger(__name__)

Part = Callable[[], None]
_parts: list[Part] = []


def every_tick(part: Part) -> None:
    """Register work that looks for what is due; it must be safe in several processes at once."""
    _parts.append(part)


def tick(owner: Owner) -> None:
    """Everything that is due now, once. A failing part does not stop the others."""
    for part in (
        effects.release_stale,
        lambda: run_unclaimed(owner),
        watch.bury_dead_jobs,
        wake_calls,
        *_parts,
        seal,
        forget_old,
    ):
        try:
            part()
        except Exception as error:
            logger.exception("a part of the clock failed", extra={"error": type(error).__name__})


def run_unclaimed(owner: Owner) -> None:
    for effect_id in effects.due_unclaimed():
        effects.run(effect_id, owner=owner)


def wake_calls() -> None:
    for call_id in Call.objects.filter(wake_at__lte=now()).values_list("pk", flat=True)[:50]:
        watch.check(call_id)


def seal() -> None:
    seals.seal_events()
