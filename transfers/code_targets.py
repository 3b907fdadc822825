"""Whom an agent's code wants to be called: a phone of the roster, or one that TASK_DIAL_ALLOW allows."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError

from calls.agents.protocol import DialTarget
from calls.errors import Refused
from calls.events import Actor
from calls.models import Call
from calls.services.configuration import save_row
from calls.validation import phone_number
from transfers import dial_rules, validation
from transfers.models import Attempt, Endpoint, Manager, Presence, Trunk
from transfers.models.roster import MAX_RING_S
from transfers.roster_services import save_trunk
from transfers.states import OPEN_ATTEMPT

CODE = Actor("ai")
SHORTEST_RING_S = 5
NOT_ALLOWED = (
    "Nobody is called: this address is no phone of the roster, and the console's TASK_DIAL_ALLOW does not allow "
    "it. Add it to a manager in the administration, or to TASK_DIAL_ALLOW."
)
NO_SUCH_LINE = (
    "Nobody is called: the console has no phone line with this host name. Add it in the administration, under "
    "Phone lines; without a password there it is the console's SIP_AUTH_PASSWORD."
)
T = TypeVar("T")


def endpoint_for(call: Call, target: DialTarget) -> Endpoint:
    """The roster's as it is; for an allowed address one of a guest's, with what the code says. Raises Refused."""
    sip = target.to.strip().lower().startswith(("sip:", "sips:"))
    address = _valid(validation.sip_uri if sip else phone_number, target.to)
    of_roster = Endpoint.objects.filter(
        address=address, manager__active=True, manager__departments__rehearsal=call.rehearsal
    ).order_by("manager__priority", "position")
    found = of_roster.select_related("manager").first()
    if found:
        return found
    if not any(fnmatchcase(address, pattern) for pattern in settings.TASK_DIAL_ALLOW):
        raise Refused(NOT_ALLOWED)
    why = dial_rules.refusal(address)
    if why:
        raise Refused(f"Nobody is called: {why.words}.")
    return _guest(address, target, kind=Endpoint.Kind.SIP_URI if sip else Endpoint.Kind.PHONE)


def _valid(check: Callable[[Any], T], given: object) -> T:
    try:
        return check(given)
    except ValidationError as error:
        raise Refused(f"Nobody is called. {' '.join(error.messages)}") from error


def _guest(address: str, target: DialTarget, *, kind: Endpoint.Kind) -> Endpoint:
    """Somebody who is on no roster; another one if the first is being called for another caller."""
    busy = Attempt.objects.filter(state__in=OPEN_ATTEMPT).values("manager")
    endpoint = Endpoint.objects.filter(address=address, manager__guest=True).exclude(manager__in=busy).first()
    if endpoint is None:
        manager = Manager(
            name=f"Outside number …{address[-4:]}" if kind == Endpoint.Kind.PHONE else "Outside address"
        )
        manager.guest = True
        save_row(manager, actor=CODE)
        endpoint = Endpoint(manager=manager, kind=kind, address=address)
    elif endpoint.manager.presence != Presence.AVAILABLE:  # whoever did not answer is not away
        endpoint.manager.presence, endpoint.manager.misses = Presence.AVAILABLE, 0
        save_row(endpoint.manager, actor=CODE)
    endpoint.trunk = _trunk(target)
    endpoint.dtmf = _valid(validation.dtmf_digits, target.dtmf) if target.dtmf else ""
    endpoint.headers = _valid(validation.sip_headers, target.headers)
    if target.ringing_timeout_s:
        endpoint.ring_time_s = round(min(max(target.ringing_timeout_s, SHORTEST_RING_S), MAX_RING_S))
    save_row(endpoint, actor=CODE)
    return endpoint


def _trunk(target: DialTarget) -> Trunk | None:
    """None: the console's own."""
    if target.hostname:
        inline = Trunk.objects.filter(kind=Trunk.Kind.INLINE, hostname=target.hostname).first()
        if inline is None:
            raise Refused(NO_SUCH_LINE)
        return inline
    if not target.trunk_id:
        return None
    number = _valid(phone_number, target.sip_number) if target.sip_number else ""
    same = Trunk.objects.filter(kind=Trunk.Kind.STORED, trunk_id=target.trunk_id)
    known = (same.filter(sip_number=number) if number else same).first()
    if known:
        return known
    name = " ".join(filter(None, (f"{target.trunk_id} (named by an agent)", number)))
    made = Trunk(name=name[:80], kind=Trunk.Kind.STORED, trunk_id=target.trunk_id, sip_number=number)
    save_trunk(made, actor=CODE)
    return made
