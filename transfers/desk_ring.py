"""The effects of an attempt that rings on screen: make its consultation, and see whether a microphone is there.

No phone is dialled, so both may be done again by whoever takes them over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calls import effects
from calls.models import Effect
from calls.services.calls import locked
from calls.telephony.gateway import Gateway, GatewayError, Retryable
from calls.timing import now
from transfers import dial, dispatch
from transfers.attempt_facts import answered, ringing, unanswered
from transfers.models import Attempt
from transfers.states import AttemptState, Outcome
from transfers.writing import move_attempt

RING, LOOK = "ring_desk", "look_desk"


@dataclass(frozen=True)
class Consultation:
    attempt: Attempt
    room: dial.ConsultationRoom


def _ring_request(effect: Effect) -> Consultation | None:
    attempt = Attempt.objects.select_related("transfer__call", "manager").get(pk=effect.subject_id)
    if not locked(attempt.transfer.call_id).is_live:
        return None
    if attempt.state == AttemptState.RESERVED:
        move_attempt(attempt, AttemptState.DIALING, dialed_at=now())
        dispatch.look_later(attempt)
    if attempt.state != AttemptState.DIALING:
        return None
    return Consultation(attempt, dial.consultation_room(attempt))


async def _ring(gateway: Gateway, wanted: Consultation) -> Attempt:
    await dial.make_room(gateway, wanted.room)
    return wanted.attempt


def _rings(effect: Effect, attempt: Attempt) -> None:
    ringing(attempt)
    attempt.refresh_from_db()
    if not attempt.is_open:  # closed before its room was made
        dial.close_now(attempt)


def _does_not_ring(effect: Effect, error: GatewayError) -> None:
    attempt = Attempt.objects.select_related("transfer").get(pk=effect.subject_id)
    unanswered(attempt, outcome=Outcome.UNREACHABLE, sip_status=None, retryable=isinstance(error, Retryable))
    dial.close_now(attempt)


# ── look: whether they are there with a microphone, should their agent not tell ──────────────────


def _looked(effect: Effect, participant: Any) -> None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    if participant:
        dial.saw(attempt, sid=participant.sid, kind=participant.kind, attributes={})
        if any(track.kind == "audio" for track in participant.tracks):
            answered(attempt)
            return
    effects.again(effect, due_at=now() + dial.LOOK_EVERY)


def register() -> None:
    effects.register(effects.EffectKind(RING, _ring_request, _ring, _rings, _does_not_ring))
    effects.register(effects.EffectKind(LOOK, dial.look_request, dial.look, _looked, dial.look_again))
