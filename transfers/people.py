"""The managers as the wallboard and the Escalate panel show them: who is free, and what the others do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext, gettext_noop

from calls.display import Display
from calls.models import Department
from calls.timing import midnight, now
from transfers import desk_presence, hours
from transfers.access import Lens
from transfers.escalation import target_value
from transfers.models import Attempt, Endpoint, Manager, Presence, Transfer
from transfers.roster import OF_DEPARTMENT, OF_MANAGER, cannot_be_reached, is_closed
from transfers.states import OPEN_ATTEMPT, AttemptState, Outcome

BUSY = {
    AttemptState.RESERVED: ("hold", "phone-outgoing", gettext_noop("dialling")),
    AttemptState.DIALING: ("hold", "phone-outgoing", gettext_noop("dialling")),
    AttemptState.RINGING: ("hold", "phone-ringing", gettext_noop("ringing")),
    AttemptState.SUMMARIZING: ("brief", "messages", gettext_noop("briefing")),
    AttemptState.MERGED: ("merged", "users", gettext_noop("with a caller")),
}


@dataclass(frozen=True)
class Day:
    """What came of calling a manager since midnight (UTC), rehearsals aside."""

    answered: int = 0
    missed: int = 0


@dataclass(frozen=True)
class Person:
    """A manager in one department. `free`: would be rung now; `off`: off shift or not active."""

    manager: Manager
    department_id: int
    display: Display
    free: bool = False
    off: bool = False
    busy: bool = False
    next_shift: datetime | None = None  # of somebody who is off
    day: Day = Day()

    @property
    def name(self) -> str:
        return self.manager.name

    @property
    def target(self) -> str:
        return target_value(self.department_id, self.manager.pk)


@dataclass(frozen=True)
class Group:
    """A department's managers: the busy first, then the free by rank, then the others."""

    department: Department
    people: tuple[Person, ...]

    @property
    def key(self) -> str:
        return str(self.department.pk)

    @property
    def free(self) -> int:
        return sum(person.free for person in self.people)

    @property
    def here(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if not person.off)

    @property
    def off(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.off)


def groups(lens: Lens, *, every: bool = False) -> Sequence[Group]:
    """The departments that this lens shows; `every` department for choosing where a caller goes."""
    departments = Department.objects.real() if every else lens.departments()
    rows = departments.prefetch_related(*OF_DEPARTMENT, *(f"managers__{name}" for name in OF_MANAGER)).order_by(
        "name"
    )
    busy = {a.manager_id: a for a in Attempt.objects.filter(state__in=OPEN_ATTEMPT)}
    at, today = now(), days()
    return [_group(department, busy, today, at) for department in rows]


def days(manager: Manager | None = None) -> Mapping[UUID, Day]:
    """Of every manager who was called today, or of one; those who were not are missing."""
    today = Transfer.objects.filter(requested_at__gte=midnight(), call__rehearsal=False)
    called = Attempt.objects.filter(transfer__in=today, **({"manager": manager} if manager else {}))
    counted = (
        called.order_by()
        .values("manager_id")
        .annotate(
            answered=Count("pk", filter=Q(answered_at__isnull=False)),
            missed=Count("pk", filter=Q(outcome=Outcome.NO_ANSWER)),
        )
    )
    return {row["manager_id"]: Day(row["answered"], row["missed"]) for row in counted}


def _group(department: Department, busy: dict[UUID, Attempt], today: Mapping[UUID, Day], at: datetime) -> Group:
    managers = [m for m in department.managers.all() if m.active]
    closed = is_closed(department, at)
    people = [
        person_of(m, department.pk, busy.get(m.pk), at, today.get(m.pk, Day()), closed=closed) for m in managers
    ]
    people.sort(key=lambda p: (p.off, not p.busy, not p.free, p.manager.priority, p.name))
    return Group(department, tuple(people))


def person_of(
    manager: Manager,
    department_id: int,
    attempt: Attempt | None,
    at: datetime,
    day: Day = Day(),
    *,
    closed: bool = False,
) -> Person:
    """As shown at `at`; `attempt` is the open one. Prefetch `OF_MANAGER`; `closed`: their department is."""
    one = partial(Person, manager, department_id, day=day)
    if attempt:
        role, icon, words = BUSY[AttemptState(attempt.state)]
        since = attempt.merged_at or attempt.answered_at or attempt.ringing_at or attempt.reserved_at
        return one(Display(role, icon, gettext(words), since=since), busy=True)
    if closed:
        return one(Display("ended", "moon", gettext("department closed")), off=True)
    calendar = hours.of_manager(manager)
    if not hours.on_shift(calendar, at):
        return one(
            Display("ended", "moon", gettext("off shift")), off=True, next_shift=hours.next_shift(calendar, at)
        )
    gone = manager.presence_until is None or manager.presence_until > at
    if manager.presence != Presence.AVAILABLE and gone:
        words = str(Presence(manager.presence).label).lower()
        reason = f" · {gettext(manager.presence_reason)}" if manager.presence_reason else ""
        return one(Display("ended", "circle-dashed", f"{words}{reason}", since=manager.presence_since))
    by_phone = any(e.kind != Endpoint.Kind.BROWSER for e in manager.endpoints.all())
    if not by_phone and not desk_presence.can_ring(manager.pk):
        return one(Display("ended", "phone-off", gettext(cannot_be_reached(manager))))
    idle = manager.last_call_ended_at
    words = gettext("free · idle") if idle else gettext("free")
    return one(Display("merged", "circle-check", words, since=idle or manager.presence_since), free=True)
