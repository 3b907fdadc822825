"""The effects of a ring: dial once, then close its room, which hangs the phone up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from calls import effects
from calls.models import Effect, EffectState
from calls.telephony.gateway import DialRequest, Gateway, GatewayError, Permanent, outcome_of
from calls.timing import now
from calls.webhook_trip import nobody
from transfers import dial_rules, rings
from transfers.models import Ring
from transfers.states import Outcome
from transfers.trunks import line_over

EMPTY_TIMEOUT_S = 120
DEPARTURE_TIMEOUT_S = 5


@dataclass(frozen=True)
class Wanted:
    effect: Effect
    metadata: str
    dial: DialRequest


def _request(effect: Effect) -> Wanted | None:
    ring = Ring.objects.select_for_update(of=("self",)).get(pk=effect.subject_id)
    if ring.state != Ring.State.ASKED:
        return None
    if rings.busy_manager(ring.address):
        rings.end(ring, outcome=Outcome.CANCELLED)
        return None
    why = dial_rules.admit(ring.address)
    if why:
        rings.end(ring, outcome=Outcome.NOT_ALLOWED, detail=why.detail)
        return None
    ring.state, ring.dialled_at = Ring.State.RINGING, now()
    ring.save(update_fields=("state", "dialled_at"))
    return Wanted(
        effect=effect,
        metadata=json.dumps({"patchbay": settings.PATCHBAY_INSTALLATION, "kind": "ring"}),
        dial=DialRequest(
            room=ring.room,
            identity=f"ring-{ring.pk}",
            name="Tried phone",
            to=ring.address,
            trunk=line_over(ring.trunk),
            ringing_timeout_s=ring.endpoint.ring_time_s if ring.endpoint else rings.RING_S,
        ),
    )


async def _dial(gateway: Gateway, wanted: Wanted) -> None:
    await gateway.create_room(
        wanted.dial.room,
        metadata=wanted.metadata,
        empty_timeout_s=EMPTY_TIMEOUT_S,
        departure_timeout_s=DEPARTURE_TIMEOUT_S,
        dispatches=(nobody(),),
    )
    if not await effects.in_thread(effects.still_mine, wanted.effect):
        raise Permanent("not wanted any more", code="canceled")
    await gateway.dial(wanted.dial)


def _answered(effect: Effect, result: Any) -> None:
    rings.end(Ring.objects.get(pk=effect.subject_id), outcome=rings.ANSWERED)


def _not_answered(effect: Effect, error: GatewayError) -> None:
    rings.end(
        Ring.objects.get(pk=effect.subject_id),
        outcome=outcome_of(error),
        sip_status=error.sip_status,
        detail=str(error),
    )


def _orphaned(effect: Effect) -> None:
    """Whoever dialled is gone with the answer: it is never dialled twice, and hung up."""
    if effects.settle_orphan(effect, state=EffectState.FAILED, note="lost"):
        rings.end(Ring.objects.get(pk=effect.subject_id), outcome=Outcome.LOST)


def _room(effect: Effect) -> str:
    return Ring.objects.get(pk=effect.subject_id).room


async def _close(gateway: Gateway, room: str) -> None:
    await gateway.delete_room(room)


def register() -> None:
    effects.register(
        effects.EffectKind(
            "ring",
            _request,
            _dial,
            _answered,
            _not_answered,
            repeatable=False,
            orphaned=_orphaned,
            queue="default",
        )
    )
    effects.register(effects.EffectKind("close_ring", _room, _close))
