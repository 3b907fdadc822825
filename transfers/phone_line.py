"""This installation's phone line on LiveKit: what is wanted of it, and its outbound trunk's row."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from calls.events import Actor
from calls.models import NumberRoute
from calls.telephony.gateway import E164
from calls.telephony.setup import PhoneLine, Plan
from transfers.models import Trunk
from transfers.roster_services import keep_stored_trunk

TRUNK_NAME = "LiveKit"


def line_of(**wanted: Any) -> PhoneLine:
    """A line of this installation; `wanted` as `PhoneLine` has it."""
    return PhoneLine(installation=settings.PATCHBAY_INSTALLATION, agent_name=settings.SUPPORT_AGENT_NAME, **wanted)


def line_of_settings(**wanted: Any) -> PhoneLine:
    """What is not among `wanted` comes from the settings; callers dial the departments' numbers besides."""
    username = wanted.pop("username", "") or settings.SIP_AUTH_USERNAME
    shown = wanted.pop("shown_numbers", ()) or ((settings.SIP_NUMBER,) if settings.SIP_NUMBER else ())
    dialled = dict.fromkeys((*wanted.pop("dialled_numbers", ()), *_department_numbers()))
    return line_of(
        address=wanted.pop("address", "") or settings.SIP_TRUNK_HOSTNAME,
        shown_numbers=shown,
        dialled_numbers=tuple(dialled),
        username=username,
        password=settings.SIP_AUTH_PASSWORD if username else "",
        outbound_id=wanted.pop("outbound_id", "") or settings.SIP_TRUNK_ID,
        **wanted,
    )


def _department_numbers() -> tuple[str, ...]:
    return tuple(NumberRoute.objects.order_by("number").values_list("number", flat=True))


def keep_trunk(made: Plan, *, actor: Actor, name: str = TRUNK_NAME) -> Trunk | None:
    """The row that managers are dialled over; None while LiveKit has no trunk for it."""
    if not made.outbound_id:
        return None
    numbers = (*made.line.shown_numbers, *made.outbound.numbers)
    shown = next((number for number in numbers if E164.fullmatch(number)), "")
    return keep_stored_trunk(made.outbound_id, name=name, sip_number=shown, actor=actor)
