"""The attempt's agent is sent again when it does not come, or is lost; after a merge as the bridge alone."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, QuerySet

from calls import effects
from calls.agents.protocol import DispatchMetadata, Role
from calls.dispatching import LOOK_AFTER, Sending, Wanted, is_patient, note, send_agent
from calls.models import AgentJob, Effect
from calls.telephony import tokens
from calls.telephony.gateway import GatewayError
from calls.timing import now
from transfers.attempt_facts import agent_lost
from transfers.decide import AGENT_LIMIT
from transfers.models import Attempt
from transfers.states import AttemptState

TRANSFER, BRIDGE = "dispatch_transfer", "dispatch_bridge"


def metadata_of(attempt: Attempt, role: Role) -> DispatchMetadata:
    """What a job of this attempt is told by its dispatch; the token to the call room is fresh each time."""
    room = attempt.transfer.call.room_name
    return DispatchMetadata(
        role=role,
        attempt_id=attempt.pk,
        call_room=room,
        bridge_token=tokens.bridge(attempt_id=attempt.pk, call_room=room),
    )


def look_later(attempt: Attempt) -> None:
    """The consultation room is being made: see in a while whether its agent came."""
    effects.ensure(TRANSFER, attempt.pk, due_at=now() + LOOK_AFTER)


def lost(attempt: Attempt) -> None:
    """Its job is gone: send another now, if one is needed."""
    merged = attempt.state == AttemptState.MERGED
    if merged and attempt.strategy != "relay":
        return  # nobody carries audio: the manager is in the call's room
    effects.hasten(BRIDGE if merged else TRANSFER, attempt.pk)


def _wanted(effect: Effect, *, role: Role) -> Wanted | None:
    attempt = Attempt.objects.select_related("transfer__call").get(pk=effect.subject_id)
    jobs = AgentJob.objects.filter(attempt_id=attempt.pk)
    right_time = (attempt.state == AttemptState.MERGED) == (role == Role.BRIDGE)
    here = jobs.filter(closed_at=None).exists()
    if here or not right_time or not attempt.is_open or not attempt.transfer.call.is_live:
        return None
    since = attempt.dialed_at or attempt.reserved_at
    return Wanted(
        room=attempt.consult_room,
        metadata=metadata_of(attempt, role),
        patient=is_patient(effect.kind, attempt.pk, first_at=since, jobs=jobs),
        last_chance_over=role == Role.TRANSFER and now() >= _missed_since(jobs, since) + AGENT_LIMIT,
    )


def _missed_since(jobs: QuerySet[AgentJob], first_at: datetime) -> datetime:
    """By time, not by how often one was sent: a server of agents that is started again misses several. A bridge is
    never given up."""
    gone: datetime | None = jobs.aggregate(at=Max("closed_at"))["at"]
    return max(gone, first_at) if gone else first_at


def _looked(effect: Effect, came: Sending) -> None:
    if came == Sending.NOBODY:
        agent_lost(Attempt.objects.select_related("transfer").get(pk=effect.subject_id))
        return
    note(effect, came)
    effects.again(effect, due_at=now() + LOOK_AFTER)


def _look_again(effect: Effect, error: GatewayError) -> None:
    effects.again(effect, due_at=now() + LOOK_AFTER)


def _wanted_transfer(effect: Effect) -> Wanted | None:
    return _wanted(effect, role=Role.TRANSFER)


def _wanted_bridge(effect: Effect) -> Wanted | None:
    return _wanted(effect, role=Role.BRIDGE)


def register() -> None:
    effects.register(effects.EffectKind(TRANSFER, _wanted_transfer, send_agent, _looked, _look_again))
    effects.register(effects.EffectKind(BRIDGE, _wanted_bridge, send_agent, _looked, _look_again))
