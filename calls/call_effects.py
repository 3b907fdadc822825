"""The effects of `calls`: open and close its room, dispatch a SupportAgent, keep supervisors in their place."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from calls import effects
from calls.agents.protocol import DispatchMetadata, Role
from calls.dispatching import Wanted, is_patient, note, send_agent
from calls.models import AgentJob, Call, Effect, Leg, Supervision
from calls.telephony.gateway import Gateway, Permanent

EMPTY_TIMEOUT_S = 300


def _room_to_close(effect: Effect) -> str | None:
    call = Call.objects.get(pk=effect.subject_id)
    return None if call.is_live else call.room_name


async def _close_room(gateway: Gateway, room: str) -> None:
    await gateway.delete_room(room)


def _room_without_agent(effect: Effect) -> Wanted | None:
    call = Call.objects.get(pk=effect.subject_id)
    jobs = AgentJob.objects.filter(call=call, role=Role.SUPPORT)
    if not call.is_live or jobs.filter(closed_at=None).exists():
        return None
    return Wanted(
        room=call.room_name,
        metadata=DispatchMetadata(role=Role.SUPPORT),
        patient=is_patient(effect.kind, call.pk, first_at=call.started_at, jobs=jobs),
        agent_name=jobs.order_by("-started_at").values_list("agent_name", flat=True).first()
        or settings.SUPPORT_AGENT_NAME,
    )


@dataclass(frozen=True)
class OpenRoom:
    name: str
    metadata: str


def _room_to_open(effect: Effect) -> OpenRoom | None:
    call = Call.objects.select_related("department").get(pk=effect.subject_id)
    if not call.is_live:
        return None
    metadata = {
        "patchbay": settings.PATCHBAY_INSTALLATION,
        "kind": "call",
        "source": call.source,
        "department": call.department.name if call.department else "",
    }
    return OpenRoom(call.room_name, json.dumps(metadata))


async def _open_room(gateway: Gateway, room: OpenRoom) -> None:
    """Nobody is in it until the manager has taken the callback: the server must not close it before."""
    await gateway.create_room(room.name, metadata=room.metadata, empty_timeout_s=EMPTY_TIMEOUT_S)


def _supervisors_legs(effect: Effect) -> list[tuple[str, str]] | None:
    """Where somebody is by a grant that has ended, or never was."""
    grant = Supervision.objects.filter(pk=effect.subject_id).first()
    if grant and grant.is_open:
        return None
    identities = (f"listen-{effect.subject_id}", f"supervisor-{effect.subject_id}")
    legs = Leg.objects.filter(identity__in=identities, left_at=None)
    return list(legs.values_list("room_name", "identity")) or None


async def _remove_supervisor(gateway: Gateway, legs: list[tuple[str, str]]) -> None:
    for room, identity in legs:
        await gateway.remove_participant(room, identity)


@dataclass(frozen=True)
class Aside:
    """A whisper: in this room, by this identity, for this one alone."""

    room: str
    identity: str
    to: str


def _aside(effect: Effect) -> Aside | None:
    grant = Supervision.objects.filter(pk=effect.subject_id).first()
    if grant is None or not grant.is_open:
        return None
    leg = Leg.objects.filter(identity=grant.identity, left_at=None).order_by("-joined_at").first()
    return Aside(leg.room_name, grant.identity, grant.manager_identity) if leg else None


async def _keep_aside(gateway: Gateway, aside: Aside) -> None:
    """Their browser lets nobody else subscribe; the server is told as well."""
    there = await gateway.list_participants(aside.room)
    sids = [track.sid for one in there if one.identity == aside.identity for track in one.tracks]
    for one in there:
        if sids and one.identity not in (aside.identity, aside.to):
            with suppress(Permanent):  # who has left meanwhile
                await gateway.set_subscribed(aside.room, one.identity, sids, subscribed=False)


def register() -> None:
    effects.register(effects.EffectKind("keep_aside", _aside, _keep_aside))
    effects.register(effects.EffectKind("remove_supervisor", _supervisors_legs, _remove_supervisor))
    effects.register(effects.EffectKind("open_call_room", _room_to_open, _open_room))
    effects.register(effects.EffectKind("close_call_room", _room_to_close, _close_room))
    effects.register(effects.EffectKind("dispatch_support", _room_without_agent, send_agent, note))
