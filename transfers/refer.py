"""Cold transfer: the AI tells the caller, and their own carrier calls a manager instead of us (SIP REFER)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calls import effects
from calls.agents import protocol as p
from calls.events import SYSTEM, record
from calls.models import Effect, EffectState
from calls.services.links import addressee, direct
from calls.telephony.gateway import Gateway, GatewayError, Uncertain
from calls.timing import now
from transfers import dial_rules
from transfers.decide import Facts
from transfers.models import Endpoint, ReferResult, Transfer
from transfers.roster import Candidate
from transfers.selectors import goodbye_key, phone_leg
from transfers.states import TransferState
from transfers.transfer_events import ReferAnswered, ReferAsked
from transfers.waking import wake
from transfers.writing import move_transfer, touched

GOODBYE = "I am transferring you to a colleague now. Please stay on the line. Goodbye."


def begin(facts: Facts, candidate: Candidate) -> None:
    """Tell the caller first."""
    transfer = facts.transfer
    move_transfer(transfer, TransferState.CONNECTING, refer_to_id=candidate.endpoint_id, queue_left_at=now())
    direct(
        addressee(transfer.call_id, p.Role.SUPPORT),
        goodbye_key(transfer),
        p.Say(text=GOODBYE, interruptible=False),
    )


def ask(facts: Facts) -> None:
    transfer = facts.transfer
    transfer.refer_asked_at = now()
    transfer.save(update_fields=("refer_asked_at",))
    record(ReferAsked(), actor=SYSTEM, call_id=transfer.call_id, transfer_id=transfer.pk)
    effects.ensure("refer", transfer.pk)
    touched(transfer)


@dataclass(frozen=True)
class Referral:
    room: str
    identity: str
    to: str


def _request(effect: Effect) -> Referral | None:
    transfer = Transfer.objects.select_related("call", "refer_to").get(pk=effect.subject_id)
    if transfer.state != TransferState.CONNECTING or not transfer.call.is_live:
        return None
    if transfer.refer_to is None or phone_leg(transfer.call) is None:
        _answered(transfer, ReferResult.REFUSED)
        return None
    if dial_rules.refusal(transfer.refer_to.address):
        _answered(transfer, ReferResult.REFUSED)
        return None
    return Referral(transfer.call.room_name, transfer.call.caller_identity, address(transfer.refer_to))


def address(endpoint: Endpoint) -> str:
    """As SIP wants it: `tel:` and E.164, or the SIP address itself."""
    return f"tel:{endpoint.address}" if endpoint.kind == Endpoint.Kind.PHONE else endpoint.address


async def _act(gateway: Gateway, referral: Referral) -> None:
    await gateway.transfer_sip(referral.room, referral.identity, referral.to)


def _done(effect: Effect, result: Any) -> None:
    _answered(Transfer.objects.get(pk=effect.subject_id), ReferResult.DONE)


def _failed(effect: Effect, error: GatewayError) -> None:
    lost = isinstance(error, Uncertain)
    _answered(
        Transfer.objects.get(pk=effect.subject_id),
        ReferResult.UNKNOWN if lost else ReferResult.REFUSED,
        sip_status=error.sip_status,
    )


def _orphaned(effect: Effect) -> None:
    """Whoever asked is gone with the answer; it is never asked twice."""
    if effects.settle_orphan(effect, state=EffectState.FAILED, note="lost"):
        _answered(Transfer.objects.get(pk=effect.subject_id), ReferResult.UNKNOWN)


def _answered(transfer: Transfer, result: ReferResult, *, sip_status: int | None = None) -> None:
    if not Transfer.objects.filter(pk=transfer.pk, refer_result="").update(refer_result=result):
        return
    record(
        ReferAnswered(result=result, sip_status=sip_status),
        actor=SYSTEM,
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
    )
    wake(transfer.pk)


def register() -> None:
    effects.register(
        effects.EffectKind(
            "refer", _request, _act, _done, _failed, repeatable=False, orphaned=_orphaned, queue="default"
        )
    )
