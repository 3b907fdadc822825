"""The effects of `calls`: close a call's room, dispatch a SupportAgent."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings

from calls import effects
from calls.agents.protocol import DispatchMetadata, Role
from calls.dispatching import Wanted, is_patient, note, send_agent
from calls.models import AgentJob, Call, Effect
from calls.telephony.gateway import Gateway

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


def register() -> None:
    effects.register(effects.EffectKind("open_call_room", _room_to_open, _open_room))
    effects.register(effects.EffectKind("close_call_room", _room_to_close, _close_room))
    effects.register(effects.EffectKind("dispatch_support", _room_without_agent, send_agent, note))
