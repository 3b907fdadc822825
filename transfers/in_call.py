"""The effects on a manager's own leg in the caller's room: moved there, apart while on hold, out when it is over.

Under `relay` no manager is ever there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calls import effects
from calls.models import Effect
from calls.telephony.gateway import Gateway, GatewayError
from transfers.attempt_facts import merge_failed, stamp
from transfers.models import Attempt
from transfers.states import AttemptState


def _move_request(effect: Effect) -> Attempt | None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    return attempt if attempt.is_open and attempt.transfer.call.is_live else None


async def _move(gateway: Gateway, attempt: Attempt) -> None:
    """Once: an answer may have been lost, and who has been moved is not in the consultation any more."""
    there = await gateway.list_participants(attempt.transfer.call.room_name)
    if any(one.identity == attempt.manager_identity for one in there):
        return
    await gateway.move_participant(attempt.consult_room, attempt.manager_identity, attempt.transfer.call.room_name)


def _moved(effect: Effect, result: Any) -> None:
    stamp(Attempt.objects.get(pk=effect.subject_id), "bridged_at")


def _not_moved(effect: Effect, error: GatewayError) -> None:
    merge_failed(Attempt.objects.get(pk=effect.subject_id), error.code or "not moved")


@dataclass(frozen=True)
class Apart:
    room: str
    identities: tuple[str, str]
    apart: bool


def _apart_request(effect: Effect) -> Apart | None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    call = attempt.transfer.call
    if attempt.state != AttemptState.MERGED or not call.is_live:
        return None
    return Apart(
        call.room_name, (call.caller_identity, attempt.manager_identity), attempt.transfer.parked_at is not None
    )


async def _set_apart(gateway: Gateway, wanted: Apart) -> None:
    """Neither is sent the other's voice, or both are again."""
    there = {one.identity: one for one in await gateway.list_participants(wanted.room)}
    for listener, speaker in (wanted.identities, wanted.identities[::-1]):
        if listener in there and speaker in there:
            sids = [track.sid for track in there[speaker].tracks if track.kind == "audio"]
            await gateway.set_subscribed(wanted.room, listener, sids, subscribed=not wanted.apart)


def _manager_in_call(effect: Effect) -> Attempt | None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    return None if attempt.is_open or not attempt.transfer.call.is_live else attempt


async def _remove(gateway: Gateway, attempt: Attempt) -> None:
    await gateway.remove_participant(attempt.transfer.call.room_name, attempt.manager_identity)


def register() -> None:
    effects.register(effects.EffectKind("move", _move_request, _move, _moved, _not_moved))
    effects.register(effects.EffectKind("separate", _apart_request, _set_apart))
    effects.register(effects.EffectKind("remove_manager", _manager_in_call, _remove))
