"""What a transfer's page shows beside its record: who was told which briefing, and what was done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from calls import effects
from calls.access import Sight
from calls.display import masked
from calls.models import Effect, EffectState, Utterance
from calls.timing import now
from transfers.heard import Heard, heard
from transfers.models import Attempt, BriefingVersion, Transfer
from transfers.record import events_of

LOOKS = frozenset({"look"})  # repeated by nature: a look at the rooms each second


@dataclass(frozen=True)
class Version:
    """One text of the briefing; `heard_by` are the managers to whom it was read, as it stood then."""

    briefing: BriefingVersion
    heard_by: tuple[str, ...]


@dataclass(frozen=True)
class Repeat:
    """An effect that failed, or was done again."""

    at: datetime
    what: str
    about: str
    nth: int
    failed: bool
    error: str


def versions(transfer: Transfer, attempts: Sequence[Attempt]) -> list[Version]:
    saved = list(transfer.briefings.select_related("user").order_by("nth"))
    untils = [one.saved_at for one in saved[1:]]
    return [
        Version(one, _heard_by(one, until, attempts)) for one, until in zip(saved, [*untils, None], strict=True)
    ]


def _heard_by(version: BriefingVersion, until: datetime | None, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    def was_read(attempt: Attempt) -> bool:
        at = attempt.briefing_started_at
        return at is not None and version.saved_at <= at and (until is None or at < until)

    return tuple(attempt.manager.name for attempt in attempts if was_read(attempt))


def what_was_heard(transfer: Transfer, attempts: Sequence[Attempt]) -> Heard:
    said = Utterance.objects.filter(call=transfer.call_id, side="call").order_by("started_at", "id")
    return heard(transfer, attempts, list(events_of(transfer)), said, at=now())


def repeats(transfer: Transfer, attempts: Sequence[Attempt], sight: Sight) -> list[Repeat]:
    """Of the transfer, its attempts and its call while it lasted, in order."""
    about = {transfer.pk: "", transfer.call_id: gettext("the call")} | {
        one.pk: one.manager.name for one in attempts
    }
    # By kind, as the index begins there.
    rows = Effect.objects.filter(
        kind__in=effects.kinds() - LOOKS, subject_id__in=about, due_at__gte=transfer.requested_at
    )
    if transfer.ended_at:
        rows = rows.filter(due_at__lte=transfer.ended_at)
    return [
        Repeat(
            at=one.done_at or one.claimed_at or one.due_at,
            what=one.kind.replace("_", " "),
            about=about[one.subject_id],
            nth=one.nth,
            failed=one.state == EffectState.FAILED,
            error=masked(one.error, sight),
        )
        for one in rows.order_by("due_at", "nth")
        if one.nth > 1 or one.state == EffectState.FAILED
    ]
