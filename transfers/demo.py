"""Fills an empty house with the demo's data. What is there already, edited or not, is left as it is."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model

from calls.events import SYSTEM
from calls.models import AgentProfile, Department, Membership, NumberRoute
from calls.services.configuration import publish_profile, save_row, set_many
from calls.telephony.gateway import Gateway
from calls.telephony.setup import PhoneLine, Plan, apply, plan
from config.launcher.demo import PASSWORD, USERS
from transfers import demo_data as data
from transfers import phone_line
from transfers.models import Endpoint, Manager, Policy, Shift

TRUNK_NAME = "Carrier simulator"


def _add(row: Model) -> None:
    row.full_clean()
    save_row(row, actor=SYSTEM)


@transaction.atomic
def seed() -> None:
    for one in data.DEPARTMENTS:
        _department(one)
    if not AgentProfile.objects.filter(department=None).exists():
        _profile(AgentProfile(**data.UNASSIGNED_PROFILE))
    for username in USERS:
        _account(username)
    for manager in data.MANAGERS:
        _manager(manager)


def _department(wanted: data.DemoDepartment) -> None:
    if Department.objects.filter(name=wanted.name).exists():
        return
    department = Department(name=wanted.name)
    _add(department)
    _add(Policy(department=department, **wanted.policy))
    if not NumberRoute.objects.filter(number=wanted.number).exists():
        _add(NumberRoute(number=wanted.number, department=department))
    _profile(AgentProfile(department=department, **wanted.profile))


def _profile(profile: AgentProfile) -> None:
    profile.full_clean()
    publish_profile(profile, actor=SYSTEM)


def _account(username: str) -> None:
    """A demo account; a password that somebody changed stays changed."""
    if User.objects.filter(username=username).exists():
        return
    role, departments = data.ROLES[username]
    user = User(username=username, first_name=username.capitalize())
    user.set_password(PASSWORD)
    _add(user)
    set_many(user, "groups", [Group.objects.get(name=role)], actor=SYSTEM)
    for department in Department.objects.filter(name__in=departments):
        _add(Membership(user=user, department=department))


def _manager(wanted: data.DemoManager) -> None:
    if Manager.objects.filter(name=wanted.name).exists():
        return
    user = User.objects.filter(username=wanted.user, manager=None).first() if wanted.user else None
    manager = Manager(name=wanted.name, priority=wanted.priority, user=user)
    _add(manager)
    set_many(manager, "departments", Department.objects.filter(name__in=wanted.departments), actor=SYSTEM)
    for position, way in enumerate(wanted.ways, start=1):
        _add(
            Endpoint(
                manager=manager,
                position=position,
                kind=way.kind,
                address=way.address,
                dtmf=way.dtmf,
                ring_time_s=way.ring_time_s,
            )
        )
    starts, ends = wanted.hours
    for day in wanted.weekdays:
        _add(Shift(manager=manager, weekday=day, starts=starts, ends=ends, time_zone=wanted.time_zone))


# ── the phone line ───────────────────────────────────────────────────────────────────────────────


def line() -> PhoneLine:
    numbers = (*(department.number for department in data.DEPARTMENTS), data.UNASSIGNED_NUMBER)
    return phone_line.line_of(
        address=data.CARRIER_ADDRESS, shown_numbers=(data.SHOWN_NUMBER,), dialled_numbers=numbers
    )


async def set_up_line(gateway: Gateway) -> Plan:
    """Raises GatewayError."""
    return await apply(gateway, await plan(gateway, line()))


def keep_trunk(made: Plan) -> None:
    """The simulator's trunk, with the id that LiveKit knows it by now."""
    phone_line.keep_trunk(made, actor=SYSTEM, name=TRUNK_NAME)
