"""Who would be called now, and why: the ranking of a department's managers at a moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext, gettext_noop

from calls.models import Department
from transfers import desk_presence, hours
from transfers.models import Attempt, Endpoint, Manager, Presence
from transfers.states import OPEN_ATTEMPT, Outcome


@dataclass(frozen=True)
class Candidate:
    """A manager who can be called now, at their first endpoint that can be dialled."""

    manager_id: UUID
    name: str
    endpoint_id: int
    ring_time_s: int
    priority: int
    desk: bool = False  # rung on screen


@dataclass(frozen=True)
class Tried:
    """A phone that was called already in this transfer, and what came of it."""

    manager_id: UUID
    endpoint_id: int | None
    outcome: str


@dataclass(frozen=True)
class PassedOver:
    manager_id: UUID
    name: str
    reason: str  # in English: it is compared and kept

    @property
    def why(self) -> str:
        """For who looks now."""
        return gettext(self.reason)


@dataclass(frozen=True)
class Ranking:
    """`candidates` in the order of calling; `passed_over` with the reason of each."""

    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...]

    def as_json(self) -> list[dict[str, Any]]:
        rows = [asdict(c) | {"passed_over": ""} for c in self.candidates]
        rows += [asdict(p) | {"passed_over": p.reason} for p in self.passed_over]
        return [{k: str(v) if isinstance(v, UUID) else v for k, v in row.items() if k != "reason"} for row in rows]

    @property
    def outside_hours(self) -> bool:
        return not self.candidates and any(p.reason in (OFF_SHIFT, CLOSED) for p in self.passed_over)

    @property
    def soon_free(self) -> bool:
        """Whether somebody may be waited for: at work, and busy only for now."""
        return any(p.reason in (BUSY, WRAPPING_UP) for p in self.passed_over)


OF_MANAGER = ("shifts", "exceptions", "endpoints")  # what has to be read with a row
OF_DEPARTMENT = ("opening_hours", "holidays")

NOBODY = Ranking((), ())
OFF_SHIFT, BUSY, WRAPPING_UP = (
    gettext_noop("off shift"),
    gettext_noop("busy with another caller"),
    gettext_noop("wrapping up"),
)
TRIED, CLOSED = gettext_noop("already tried"), gettext_noop("the department is closed now")
# After these the same person may be reached on another phone; after the others they have answered for themselves.
ANOTHER_PHONE_MAY_HELP = frozenset(
    {
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.VOICEMAIL,
        Outcome.UNREACHABLE,
        Outcome.INVALID_NUMBER,
        Outcome.NOT_ALLOWED,
        Outcome.TRUNK_ERROR,
        Outcome.LOST,
    }
)


def is_closed(department: Department, at: datetime) -> bool:
    """Whether it is outside the department's hours: prefetch `OF_DEPARTMENT`."""
    return not hours.on_shift(hours.of_department(department), at)


def rank(
    *,
    department: Department | None,
    person: Manager | None,
    at: datetime,
    tried: Collection[Tried] = (),
    next_endpoint_first: bool = False,
    prefer: UUID | None = None,
    spare: UUID | None = None,
    only_phone: int | None = None,
    desks_too: bool = True,
) -> Ranking:
    """Whom to call, first to last: every first phone before any second one, priority, then longest idle.

    `tried` are this transfer's attempts so far. `next_endpoint_first`: the last one's next phone comes before
    another manager. `prefer` comes first and is called wherever they are; `spare` is not called. `only_phone` is
    the one endpoint that may be dialled, at any hour of the department. Desks are rung where one is open with a
    checked microphone, unless the caller's own carrier is to call (`desks_too`).
    """
    wanted = Q()
    if person is not None:
        wanted = Q(pk=person.pk)
    elif department is not None:
        wanted = Q(pk__in=department.managers.values("pk")) | Q(pk=prefer)
    rows = Manager.objects.filter(wanted).order_by("priority", "name")
    managers = rows.prefetch_related(*OF_MANAGER)
    closed = department is not None and only_phone is None and is_closed(department, at)
    busy = frozenset(Attempt.objects.filter(state__in=OPEN_ATTEMPT).values_list("manager_id", flat=True))
    desks = desk_presence.rung_desks() if desks_too else frozenset()
    last = list(tried)[-1].manager_id if tried and next_endpoint_first else None
    candidates, passed = [], []
    for manager in managers:
        before = [one for one in tried if one.manager_id == manager.pk]
        endpoint = _next_phone(manager, before, only_phone, desk_rings=manager.pk in desks)
        insist = manager.pk == prefer
        why = _why_not(
            manager, endpoint, at=at, busy=busy, tried=bool(before), insist=insist, closed=closed and not insist
        )
        if manager.pk == spare:
            why = gettext_noop("asked for somebody else")
        if why or endpoint is None:
            passed.append(PassedOver(manager.pk, manager.name, why))
            continue
        idle_since = manager.last_call_ended_at or datetime.min.replace(tzinfo=at.tzinfo)
        leads = manager.pk == last or (manager.pk == prefer and not before)
        order = (not leads, len(before), manager.priority, idle_since)
        candidates.append((order, _candidate(manager, endpoint)))
    candidates.sort(key=lambda row: row[0])
    return Ranking(tuple(row[1] for row in candidates), tuple(passed))


def _candidate(manager: Manager, endpoint: Endpoint) -> Candidate:
    desk = endpoint.kind == Endpoint.Kind.BROWSER
    return Candidate(manager.pk, manager.name, endpoint.pk, endpoint.ring_time_s, manager.priority, desk)


def _next_phone(
    manager: Manager, before: Collection[Tried], only: int | None, *, desk_rings: bool
) -> Endpoint | None:
    """The first that can be reached and was not called yet; a browser can where its desk rings."""
    called = {one.endpoint_id for one in before}
    if any(one.outcome not in ANOTHER_PHONE_MAY_HELP for one in before):
        return None
    phones = (e for e in manager.endpoints.all() if desk_rings or e.kind != Endpoint.Kind.BROWSER)
    return next((e for e in phones if e.pk not in called and only in (None, e.pk)), None)


def _why_not(
    manager: Manager,
    endpoint: Endpoint | None,
    *,
    at: datetime,
    busy: frozenset[UUID],
    tried: bool,
    insist: bool,
    closed: bool,
) -> str:
    if tried and endpoint is None:
        return TRIED
    if not manager.active:
        return gettext_noop("not active")
    gone = not insist and (not manager.presence_until or manager.presence_until > at)
    if manager.presence == Presence.WRAPPING_UP and gone:
        return WRAPPING_UP
    if manager.presence == Presence.AWAY and gone:
        return gettext_noop("away")
    if manager.pk in busy:
        return BUSY
    if closed:
        return CLOSED
    if not insist and not hours.on_shift(hours.of_manager(manager), at):
        return OFF_SHIFT
    return "" if endpoint else cannot_be_reached(manager)


def cannot_be_reached(manager: Manager) -> str:
    """Why there is no way to call them, in English: prefetch their endpoints."""
    return gettext_noop("desk is closed") if manager.endpoints.all() else gettext_noop("no phone to call")
