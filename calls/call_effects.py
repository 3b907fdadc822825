"""The effects of `calls`: close a call's room, dispatch a SupportAgent."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from calls import effects
from calls.agents.protocol import DispatchMetadata, Role
from calls.models import Call, Effect
from calls.telephony.gateway import Gateway


def _room_to_close(effect: Effect) -> str | None:
    call = Call.objects.get(pk=effect.subject_id)
    return None if call.is_live else call.room_name


async def _close_room(gateway: Gateway, room: str) -> None:
    await gateway.delete_room(room)


def _room_without_agent(effect: Effect) -> str | None:
    call = Call.objects.get(pk=effect.subject_id)
    return call.room_name if call.is_live else None


async def _dispatch(gateway: Gateway, room: str) -> None:
    """Clear dispatches that came to nothing, then make one."""
    for old in await gateway.list_dispatch(room):
        await gateway.delete_dispatch(room, old.id)
    metadata: Any = DispatchMetadata(role=Role.SUPPORT).model_dump_json()
    await gateway.create_dispatch(room, settings.AGENT_NAME, metadata)


def register() -> None:
    effects.register(effects.EffectKind("close_call_room", _room_to_close, _close_room))
    effects.register(effects.EffectKind("dispatch_support", _room_without_agent, _dispatch))
