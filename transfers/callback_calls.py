"""A callback as it is made: the claimer has taken it, now the caller is rung into the call's room."""

from __future__ import annotations

from dataclasses import dataclass

from calls import effects
from calls.agents import protocol as p
from calls.models import Effect, EffectState
from calls.services.legs import ParticipantFact, RoomFact, participant_seen
from calls.services.links import direct, live_job
from calls.telephony.gateway import DialRequest, DialResult, Gateway, GatewayError, Permanent
from calls.timing import now
from transfers import dial_rules
from transfers.decide import Facts
from transfers.dialling import Refusal
from transfers.models import Transfer
from transfers.states import TransferState
from transfers.trunks import line_over
from transfers.waking import wake
from transfers.writing import touched

RING_S = 40
CALLING = "Thank you. I am calling them now. Please stay on the line."


def caller_identity(transfer: Transfer) -> str:
    return f"caller-{transfer.call_id}"


def ring_caller(facts: Facts) -> None:
    """Once; the SupportAgent is sent for at the same time, so that somebody is there when they pick up."""
    transfer, attempt = facts.transfer, facts.attempt
    assert attempt is not None
    transfer.caller_rung_at = now()
    transfer.save(update_fields=("caller_rung_at",))
    effects.ensure("ring_caller", transfer.pk)
    effects.ensure("dispatch_support", transfer.call_id)
    job = live_job(transfer.call_id, p.Role.TRANSFER, attempt.pk)
    direct(job, f"calling:{transfer.pk}", p.Say(text=CALLING, interruptible=False))
    touched(transfer)


@dataclass(frozen=True)
class Wanted:
    """`why_not`: the dialling rules refuse it, and that is how it ends."""

    dial: DialRequest
    why_not: Refusal | None


def _request(effect: Effect) -> Wanted | None:
    transfer = Transfer.objects.select_related("call").get(pk=effect.subject_id)
    call = transfer.call
    if transfer.state != TransferState.CONSULTING or not call.is_live:
        return None
    dial = DialRequest(
        room=call.room_name,
        identity=caller_identity(transfer),
        name="Caller",
        to=call.caller_number,
        trunk=line_over(None),
        ringing_timeout_s=RING_S,
    )
    return Wanted(dial, dial_rules.admit(dial.to))


async def _dial(gateway: Gateway, wanted: Wanted) -> DialResult:
    if wanted.why_not:
        raise Permanent(wanted.why_not.detail, code="not_allowed")
    return await gateway.dial(wanted.dial)


def _answered(effect: Effect, result: DialResult) -> None:
    transfer = Transfer.objects.select_related("call").get(pk=effect.subject_id)
    if result.participant_sid:
        participant_seen(
            RoomFact(name=transfer.call.room_name),
            ParticipantFact(
                identity=caller_identity(transfer),
                sid=result.participant_sid,
                kind="sip",
                attributes={"sip.callStatus": "active"},
            ),
        )
    wake(transfer.pk)


def _not_answered(effect: Effect, error: GatewayError) -> None:
    """The settled effect is the fact (`selectors.facts_of`)."""
    wake(effect.subject_id)


def _orphaned(effect: Effect) -> None:
    """Whoever rang them is gone. Never again: if they pick up, their leg says so; else the limit passes."""
    effects.settle_orphan(effect, state=EffectState.DONE, note="adopted")


def register() -> None:
    effects.register(
        effects.EffectKind(
            "ring_caller",
            _request,
            _dial,
            _answered,
            _not_answered,
            repeatable=False,
            orphaned=_orphaned,
            queue="default",
        )
    )
