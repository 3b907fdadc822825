"""The rehearsals' own department with one manager: made once, reached differently in each run.

Nobody else is led there, so that a rehearsal disturbs nobody; its profile may be edited like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Model

from calls.events import Actor
from calls.locks import Lock
from calls.models import AgentProfile, Call, Department
from calls.services.calls import end_call, locked, open_call, profile_of
from calls.services.configuration import delete_row, publish_profile, save_row, set_many
from calls.states import CallState
from transfers.demo_data import ACCOUNT, CARRIER_ADDRESS, NAME, SHOWN_NUMBER
from transfers.models import Endpoint, Manager, Policy, Presence, Trunk
from transfers.rehearsal.errors import CannotRehearse
from transfers.rehearsal.scenarios import Scenario
from transfers.roster_services import roster_changed, save_trunk

ACTOR = Actor("system", "rehearsal")
DEPARTMENT = "Rehearsal"
MANAGER, SECOND = "Rehearsal manager", "Robin (rehearsal)"  # whom a manager can name aloud

PROFILE = {
    "greeting": "Hello, this is a rehearsal. How can I help you?",
    "persona": "Brief and friendly.",
    "facts": [NAME, ACCOUNT],
    "sections": ["who", "reason", "facts"],
    "word_limit": 30,
    "introduction": "You are now connected. Goodbye.",
}
POLICY = {
    "approval": Policy.Approval.AUTO,
    "max_attempts": 1,
    "hold_limit_s": 120,
    "consultation_limit_s": 90,
    "hold_line": "Please hold the line.",
}


@dataclass(frozen=True)
class House:
    department: Department
    manager: Manager
    trunk: str  # for people: which line is dialled over
    introduction: str


@contextmanager
def alone() -> Iterator[None]:
    """One rehearsal at a time: the lock lives as long as its own connection. Raises CannotRehearse."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(Lock.REHEARSALS)])
            got = cursor.fetchone()[0]
            if not got:
                raise CannotRehearse("Another rehearsal is running. Wait for its end (a minute or two).")
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [int(Lock.REHEARSALS)])
    finally:
        own.close()


def end_earlier() -> None:
    """Calls that a killed rehearsal left behind; those with a manager have no department, and are a person's."""
    for call in Call.objects.filter(rehearsal=True, department__isnull=False).exclude(state=CallState.INACTIVE):
        with transaction.atomic():
            end_call(locked(call.pk), reason="rehearsal_over", actor=ACTOR)


def person(manager: Manager) -> User:
    """The manager's account: nobody can log in with it."""
    if manager.user is None:
        account = User(username="rehearsal", is_active=False)
        account.set_unusable_password()
        known = User.objects.filter(username=account.username).first()
        if known is None:
            save_row(account, actor=ACTOR)
        manager.user = known or account
        _add(manager)
    return manager.user


@transaction.atomic
def earlier_call() -> Call:
    """One that is over, in which a callback may have been promised."""
    made = open_call(f"call-rehearsed-{uuid4()}", source=Call.Source.TEST, rehearsal=True)
    end_call(locked(made.pk), reason="rehearsal_over", actor=ACTOR)
    return made


@transaction.atomic
def prepare(scenario: Scenario, *, address: str, trunk: str, second: str = "") -> House:
    """`address` is rung, over the `stored` or `inline` trunk; empty: as other calls go. Raises CannotRehearse.

    `second` is the address of a second manager, called after the first.
    """
    department = own_department()
    _follow(scenario, department)
    line = _trunk(trunk)
    manager = _manager(department, MANAGER, active=True)
    other = _manager(department, SECOND, active=bool(second))
    try:
        _reach(manager, scenario, address, line)
        if second:
            _reach(other, scenario, second, line)
    except ValidationError as error:
        raise CannotRehearse(f"{address} cannot be called: {' '.join(error.messages)}") from error
    profile = profile_of(department)
    return House(
        department=department,
        manager=manager,
        trunk=str(line or Trunk.objects.filter(is_default=True).first() or "of the environment"),
        introduction=profile.introduction if profile else "",
    )


def _add(row: Model) -> None:
    row.full_clean()
    save_row(row, actor=ACTOR)


def own_department() -> Department:
    """The rehearsals', with its policy and profile."""
    found = Department.objects.filter(rehearsal=True).first()
    if found:
        return found
    taken = Department.objects.filter(name=DEPARTMENT).exists()
    made = Department(name=f"{DEPARTMENT} (Patchbay)" if taken else DEPARTMENT, rehearsal=True)
    _add(made)
    _add(Policy(department=made, **POLICY))
    profile = AgentProfile(department=made, **PROFILE)
    profile.full_clean()
    publish_profile(profile, actor=ACTOR)
    return made


def _follow(scenario: Scenario, department: Department) -> None:
    """The policy is the scenario's: what somebody changed is put back."""
    policy, wanted = department.policy, {**POLICY, **scenario.policy}
    if any(getattr(policy, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(policy, name, value)
        _add(policy)


def _manager(department: Department, name: str, *, active: bool) -> Manager:
    """Free and there, whatever the last rehearsal left."""
    manager = department.managers.filter(name=name).first()
    if manager is None:
        manager = Manager(name=name, priority=1 if name == MANAGER else 2)
        _add(manager)
        set_many(manager, "departments", [department], actor=ACTOR)
    manager.active, manager.presence, manager.presence_reason = active, Presence.AVAILABLE, ""
    manager.presence_until, manager.misses = None, 0
    _add(manager)
    return manager


def _reach(manager: Manager, scenario: Scenario, address: str, trunk: Trunk | None) -> None:
    """One way to reach them: this one."""
    endpoint = manager.endpoints.first() or Endpoint(manager=manager)
    for other in manager.endpoints.exclude(pk=endpoint.pk):
        delete_row(other, actor=ACTOR)
    endpoint.kind = Endpoint.Kind.SIP_URI if address.startswith("sip") else Endpoint.Kind.PHONE
    endpoint.address, endpoint.dtmf = address, scenario.dtmf
    endpoint.ring_time_s, endpoint.trunk = scenario.ring_time_s, trunk
    _add(endpoint)
    roster_changed(manager)


def _trunk(kind: str) -> Trunk | None:
    match kind:
        case "stored":
            return (
                Trunk.objects.filter(kind=Trunk.Kind.STORED).order_by("-is_default", "name").first() or _stored()
            )
        case "inline":
            return _inline()
    if not (
        Trunk.objects.filter(is_default=True).exists() or settings.SIP_TRUNK_ID or settings.SIP_TRUNK_HOSTNAME
    ):
        raise CannotRehearse("There is no phone line yet. Add a trunk in the administration, or set SIP_TRUNK_ID.")
    return None


def _stored() -> Trunk:
    if not settings.SIP_TRUNK_ID:
        raise CannotRehearse("There is no stored trunk. Add one in the administration, or set SIP_TRUNK_ID.")
    return _kept(Trunk(name="Rehearsal, stored", kind=Trunk.Kind.STORED, trunk_id=settings.SIP_TRUNK_ID))


def _inline() -> Trunk:
    """Of the environment; in the demo, of the simulator."""
    host = settings.SIP_TRUNK_HOSTNAME or (CARRIER_ADDRESS if settings.CARRIER_URL else "")
    number = settings.SIP_NUMBER or (SHOWN_NUMBER if settings.CARRIER_URL else "")
    if not host or not number:
        raise CannotRehearse("An inline trunk needs SIP_TRUNK_HOSTNAME and SIP_NUMBER. Set them and try again.")
    return _kept(
        Trunk(
            name="Rehearsal, inline",
            kind=Trunk.Kind.INLINE,
            hostname=host,
            auth_username=settings.SIP_AUTH_USERNAME,
            sip_number=number,
        )
    )


def _kept(wanted: Trunk) -> Trunk:
    known = Trunk.objects.filter(name=wanted.name).first()
    if known:
        wanted.pk, wanted._state.adding = known.pk, False
    wanted.full_clean()
    save_trunk(wanted, actor=ACTOR)
    return wanted
