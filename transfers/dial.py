"""The effects of an attempt: dial once, look after an adopted dial, close the consultation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from calls import effects
from calls.agents.protocol import Role
from calls.events import SYSTEM, record
from calls.models import Effect, EffectState, Leg, WebhookDelivery
from calls.owners import SILENT_AFTER
from calls.services.calls import locked
from calls.services.legs import ParticipantFact, RoomFact, participant_left, participant_seen
from calls.telephony.gateway import (
    DialRequest,
    DialResult,
    Dispatch,
    Gateway,
    GatewayError,
    Permanent,
    Retryable,
    Uncertain,
    outcome_of,
)
from calls.timing import now
from transfers import dial_rules, dispatch
from transfers.attempt_facts import answered, unanswered
from transfers.models import Attempt
from transfers.states import UNANSWERED, AttemptState, Outcome
from transfers.transfer_events import DialAdopted
from transfers.trunks import line_to
from transfers.writing import move_attempt

ADOPT_WITHIN = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=1)
EMPTY_TIMEOUT_S = 120
DEPARTURE_TIMEOUT_S = 5


@dataclass(frozen=True)
class ConsultationRoom:
    """A room to make, with an agent in it."""

    name: str
    metadata: str
    agent: Dispatch


@dataclass(frozen=True)
class ConsultationDial:
    """The room to make and the dial into it."""

    effect: Effect
    room: ConsultationRoom
    dial: DialRequest


def room_metadata(attempt: Attempt) -> str:
    """What makes a consultation room ours, and whose it is."""
    return json.dumps(
        {
            "patchbay": settings.PATCHBAY_INSTALLATION,
            "kind": "consult",
            "call": str(attempt.transfer.call_id),
            "attempt": str(attempt.pk),
        }
    )


def consultation_room(attempt: Attempt) -> ConsultationRoom:
    agent = Dispatch(
        agent_name=settings.AGENT_NAME, metadata=dispatch.metadata_of(attempt, Role.TRANSFER).model_dump_json()
    )
    return ConsultationRoom(attempt.consult_room, room_metadata(attempt), agent)


async def make_room(gateway: Gateway, room: ConsultationRoom) -> None:
    await gateway.create_room(
        room.name,
        metadata=room.metadata,
        empty_timeout_s=EMPTY_TIMEOUT_S,
        departure_timeout_s=DEPARTURE_TIMEOUT_S,
        dispatches=(room.agent,),
    )


def _dial_request(effect: Effect) -> ConsultationDial | None:
    """Only the one who moves the attempt to `dialing` dials it."""
    attempts = Attempt.objects.filter(pk=effect.subject_id)
    if not locked(attempts.values_list("transfer__call_id", flat=True).get()).is_live:
        return None
    attempt = attempts.select_related("transfer__call", "endpoint", "manager").get()
    if attempt.endpoint is None:  # taken away since it was chosen
        unanswered(attempt, outcome=Outcome.UNREACHABLE, sip_status=None, retryable=False)
        return None
    why = dial_rules.admit(attempt.endpoint.address)
    if why:
        unanswered(attempt, outcome=Outcome.NOT_ALLOWED, sip_status=None, retryable=False, detail=why.detail)
        return None
    if not move_attempt(attempt, AttemptState.DIALING, dialed_at=now()):
        return None
    dispatch.look_later(attempt)
    endpoint = attempt.endpoint
    return ConsultationDial(
        effect=effect,
        room=consultation_room(attempt),
        dial=DialRequest(
            room=attempt.consult_room,
            identity=attempt.manager_identity,
            name="Manager",
            to=endpoint.address,
            trunk=line_to(endpoint),
            dtmf=endpoint.dtmf,
            ringing_timeout_s=attempt.ring_time_s,
        ),
    )


async def _dial(gateway: Gateway, request: ConsultationDial) -> DialResult:
    await make_room(gateway, request.room)
    if not await effects.in_thread(_still_wanted, request.effect):
        raise Permanent("not wanted any more", code="canceled")
    return await gateway.dial(request.dial)


def _still_wanted(effect: Effect) -> bool:
    """The last look before the phone rings: whoever was stopped for a while must not dial late."""
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    return effects.still_mine(effect) and attempt.state in UNANSWERED and attempt.transfer.call.is_live


def close_now(attempt: Attempt) -> None:
    """Its room is closed, though it may have been before: a dial that came late made it again."""
    effects.once_more("close_consult", attempt.pk, pause=timedelta(0))


def _answered(effect: Effect, result: DialResult) -> None:
    """Its answer is a leg too: who hangs up before any webhook came has left, not never been there."""
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    if result.participant_sid:
        saw(attempt, sid=result.participant_sid, kind="sip", attributes={"sip.callStatus": "active"})
    answered(attempt)
    attempt.refresh_from_db()
    if not attempt.is_open:
        close_now(attempt)


def _not_answered(effect: Effect, error: GatewayError) -> None:
    attempt = Attempt.objects.get(pk=effect.subject_id)
    if isinstance(error, Uncertain) and attempt.is_open:  # it may ring all the same: only the leg tells
        effects.ensure("look", attempt.pk)
        return
    unanswered(
        attempt,
        outcome=Outcome(outcome_of(error)),
        sip_status=error.sip_status,
        retryable=isinstance(error, Retryable),
    )
    close_now(attempt)


def _dial_orphaned(effect: Effect) -> None:
    """The dialler died. Never dial again: adopt what is there, or call it lost and try the next."""
    attempt = Attempt.objects.get(pk=effect.subject_id)
    if attempt.state == AttemptState.RESERVED:  # died before anything could be posted: nobody dialled
        Effect.objects.filter(pk=effect.pk, state=EffectState.CLAIMED, token=effect.token).update(
            state=EffectState.DUE, owner=None, token=None
        )
        return
    if attempt.state not in UNANSWERED or _leg_seen(attempt):
        if effects.settle_orphan(effect, state=EffectState.DONE, note="adopted"):
            record(
                DialAdopted(),
                actor=SYSTEM,
                call_id=attempt.transfer.call_id,
                transfer_id=attempt.transfer_id,
                attempt_id=attempt.pk,
            )
            effects.ensure("look", attempt.pk)
        return
    silent_since = effect.owner.beat_at + SILENT_AFTER if effect.owner else now() - ADOPT_WITHIN
    if now() < silent_since + ADOPT_WITHIN:
        effects.ensure("look", attempt.pk)
        return
    if effects.settle_orphan(effect, state=EffectState.FAILED, note="lost"):
        unanswered(attempt, outcome=Outcome.LOST, sip_status=None, retryable=True)
        effects.ensure("close_consult", attempt.pk)


def _leg_seen(attempt: Attempt) -> bool:
    where = {"room_name": attempt.consult_room, "identity": attempt.manager_identity}
    return (
        Leg.objects.filter(**where).exists()
        or WebhookDelivery.objects.filter(type="participant_joined", **where).exists()
    )


# ── look: the leg's attributes and departure, every second, while no dial is being awaited ───────


def look_request(effect: Effect) -> Attempt | None:
    attempt = Attempt.objects.get(pk=effect.subject_id)
    return attempt if attempt.state in UNANSWERED else None


async def look(gateway: Gateway, attempt: Attempt) -> Any:
    participants = await gateway.list_participants(attempt.consult_room)
    return next((one for one in participants if one.identity == attempt.manager_identity), None)


def saw(attempt: Attempt, *, sid: str, kind: str, attributes: Mapping[str, str]) -> None:
    """The manager's leg is in the consultation."""
    participant_seen(
        RoomFact(name=attempt.consult_room, metadata=room_metadata(attempt)),
        ParticipantFact(identity=attempt.manager_identity, sid=sid, kind=kind, attributes=attributes),
    )


def _dial_came_to_nothing(attempt: Attempt) -> bool:
    """Its answer was lost, and a second later there is still no leg."""
    failed = Effect.objects.filter(kind="dial", subject_id=attempt.pk, state=EffectState.FAILED)
    return failed.filter(done_at__lte=now() - ADOPT_WITHIN).exists()


def _looked(effect: Effect, participant: Any) -> None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    if participant is None:
        if Leg.objects.filter(room_name=attempt.consult_room, identity=attempt.manager_identity).exists():
            participant_left(attempt.consult_room, identity=attempt.manager_identity, reason="gone")
            return
        if _dial_came_to_nothing(attempt):
            unanswered(attempt, outcome=Outcome.LOST, sip_status=None, retryable=True)
            effects.ensure("close_consult", attempt.pk)
            return
    else:
        saw(attempt, sid=participant.sid, kind=participant.kind, attributes=participant.attributes)
    effects.again(effect, due_at=now() + LOOK_EVERY)


def look_again(effect: Effect, error: GatewayError) -> None:
    effects.again(effect, due_at=now() + LOOK_EVERY)


# ── close the consultation ───────────────────────────────────────────────────────────────────────


def _closed_room(effect: Effect) -> str | None:
    attempt = Attempt.objects.get(pk=effect.subject_id)
    return None if attempt.is_open else attempt.consult_room


async def _close(gateway: Gateway, room: str) -> None:
    await gateway.delete_room(room)


def register() -> None:
    effects.register(
        effects.EffectKind(
            "dial",
            _dial_request,
            _dial,
            _answered,
            _not_answered,
            repeatable=False,
            orphaned=_dial_orphaned,
            queue="default",
        )
    )
    effects.register(effects.EffectKind("look", look_request, look, _looked, look_again))
    effects.register(effects.EffectKind("close_consult", _closed_room, _close))
