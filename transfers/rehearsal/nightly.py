"""A rehearsal every night: made due by the clock, once, and run as a process of its own.

How it went is kept with its effect, and is an event. However many clocks and workers there are, it is one
rehearsal: there is one effect a night, and only who claims it runs it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from calls import effects
from calls.events import SYSTEM, EventBody, record
from calls.health import Check, Verdict
from calls.models import Effect, EffectState
from calls.telephony.gateway import Gateway, GatewayError, Permanent
from calls.timing import now

KIND = "rehearse"
NIGHTS = UUID("5e2f7d5c-6f0a-4f0e-9a54-3a1b6c1f0d11")
LATE = timedelta(hours=1)  # a clock that was away for longer leaves it to the next night
LONGEST_S = 600.0
LOOKED_FOR_EVERY_S = 20.0
NAME = gettext_noop("Nightly rehearsal")
AGAIN = gettext_noop("Run `make rehearse`, which says step by step what happens.")


class RehearsalEnded(EventBody):
    """A nightly one; a rehearsal by hand is told to whoever runs it."""

    type = "rehearsal.ended"
    ok: bool


@dataclass(frozen=True)
class Night:
    """The newest one. `ok` is None while it is under way; `problem` is what went wrong first."""

    at: datetime
    ok: bool | None
    problem: str = ""


def latest(at: datetime) -> datetime | None:
    """When it was to be done last, in UTC; None where none is wanted."""
    if settings.REHEARSE_AT is None:
        return None
    today = datetime.combine(at.date(), settings.REHEARSE_AT, UTC)
    return today if today <= at else today - timedelta(days=1)


def _subject(night: datetime) -> UUID:
    return uuid5(NIGHTS, night.date().isoformat())


def look() -> None:
    """The clock's part."""
    night = latest(now())
    if night and now() < night + LATE:
        with transaction.atomic():
            effects.ensure(KIND, _subject(night))


def newest() -> Night | None:
    """Tonight's, or that of the night before where tonight's has not begun; None where there was none."""
    last = latest(now())
    for night in (last, last - timedelta(days=1)) if last else ():
        found = Effect.objects.filter(kind=KIND, subject_id=_subject(night)).first()
        if found:
            over = found.state in (EffectState.DONE, EffectState.FAILED)
            return Night(night, found.state == EffectState.DONE if over else None, found.error)
    return None


# ── it is run ────────────────────────────────────────────────────────────────────────────────────


def _request(effect: Effect) -> list[str] | None:
    """The program; None where none is wanted any more."""
    if settings.REHEARSE_AT is None:
        return None
    number = ["--number", settings.REHEARSE_NUMBER] if settings.REHEARSE_NUMBER else []
    return [sys.executable, "manage.py", "rehearse", "--json", *number]


async def run(gateway: Gateway, program: list[str]) -> None:
    """Raises Permanent with the first problem that it found."""
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=settings.BASE_DIR,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), LONGEST_S)
    except TimeoutError as error:
        raise Permanent(f"It was not over after {LONGEST_S / 60:.0f} minutes.") from error
    finally:
        if process.returncode is None:
            process.terminate()
    told = _told(said)
    if not told.get("ok"):
        raise Permanent(next(iter(told.get("problems") or ()), "It ended without a word."))


def _told(said: bytes) -> dict[str, Any]:
    """The report: the last line; nothing where it wrote none."""
    try:
        found = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _passed(effect: Effect, result: None) -> None:
    record(RehearsalEnded(ok=True), actor=SYSTEM)


def _failed(effect: Effect, error: GatewayError) -> None:
    record(RehearsalEnded(ok=False), actor=SYSTEM)


def _orphaned(effect: Effect) -> None:
    """Whoever ran it is gone: it is not begun again in the same night."""
    if effects.settle_orphan(effect, state=EffectState.FAILED, note="The process that ran it has ended."):
        record(RehearsalEnded(ok=False), actor=SYSTEM)


def check() -> Check:
    """For `doctor` and the status page."""
    if settings.REHEARSE_AT is None:
        return Check(gettext(NAME), Verdict.OK, gettext("None is asked for (REHEARSE_AT)."))
    if not (settings.CARRIER_URL or settings.REHEARSE_NUMBER):
        do = gettext("Set REHEARSE_NUMBER to a phone that may be rung at that time.")
        return Check(gettext(NAME), Verdict.ILL, gettext("There is no phone to ring."), do)
    night = newest()
    if night is None:
        return Check(
            gettext(NAME),
            Verdict.OK,
            gettext("The first one is at %(rehearse_at)s UTC.") % {"rehearse_at": f"{settings.REHEARSE_AT:%H:%M}"},
        )
    when = f"{night.at:%-d %b, %H:%M} UTC"
    if night.ok is None:
        return Check(gettext(NAME), Verdict.OK, gettext("Under way since %(when)s.") % {"when": when})
    if night.ok:
        return Check(gettext(NAME), Verdict.OK, gettext("Passed (%(when)s).") % {"when": when})
    return Check(
        gettext(NAME),
        Verdict.ILL,
        gettext("It failed (%(when)s): %(problem)s") % {"when": when, "problem": night.problem},
        gettext(AGAIN),
    )


def register() -> None:
    effects.register(
        effects.EffectKind(
            KIND, _request, run, _passed, _failed, repeatable=False, orphaned=_orphaned, queue="default"
        )
    )
