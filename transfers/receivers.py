"""What `transfers` does about the facts that `calls` announces, in their transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from calls import announcements, clock, effects
from calls.agents import protocol as p
from calls.compiled import Argument, Rows
from calls.events import SYSTEM, Repaired, record
from calls.models import AgentJob, Call, Leg, LegKind
from calls.reconcile import RECONCILER
from calls.services.links import close_job
from transfers import attempt_facts, callback_calls, callbacks, dispatch, merge, pin, refer, requests, services
from transfers.models import Attempt, HandOver, Transfer
from transfers.selectors import facts_of, open_transfer
from transfers.states import LIVE_TRANSFER, AttemptState, TransferState
from transfers.transfer_events import BriefingSpoken, HoldProgressed
from transfers.waking import wake

CLOSE_AGAIN_AFTER = timedelta(seconds=1)


def register() -> None:
    """Connect the receivers, the effects, the link's extension and the clock's part; once, at start."""
    from transfers import desk_ring, dial, in_call, link_extension, ring_effect, supervising, tasks
    from transfers.rehearsal import nightly

    announcements.agent_reported.connect(on_report)
    announcements.call_ended.connect(on_call_ended)
    announcements.leg_left.connect(on_leg_left)
    announcements.leg_joined.connect(on_leg)
    announcements.leg_status_changed.connect(on_leg)
    announcements.job_opened.connect(on_job_opened)
    announcements.job_closed.connect(on_job_closed)
    announcements.consult_room_seen.connect(on_consult_room)
    announcements.taken_over.connect(supervising.on_taken_over)
    announcements.barging.connect(supervising.on_barging)
    dial.register()
    desk_ring.register()
    in_call.register()
    refer.register()
    callback_calls.register()
    dispatch.register()
    ring_effect.register()
    link_extension.register()
    nightly.register()
    clock.every_tick(tasks.wake_transfers)
    clock.every_tick(clock.seldom(tasks.measure_transfers, seconds=1))
    clock.every_tick(clock.seldom(nightly.look, seconds=nightly.LOOKED_FOR_EVERY_S))


def on_call_ended(*, call: Call, **_: Any) -> None:
    for (transfer_id,) in _live_of(call=call.pk):
        wake(transfer_id)


_live_of = Rows(
    lambda: Transfer.objects.filter(call=Argument("call"), state__in=LIVE_TRANSFER).values_list("pk").order_by()
)


def on_leg(*, leg: Leg, **_: Any) -> None:
    """A manager's leg: ringing and active are facts of its attempt, and so is being in the caller's room."""
    attempt = _attempt_of_leg(leg)
    if attempt is None:
        return
    if leg.room_name != attempt.consult_room:
        if attempt.strategy != "relay" and leg.room_name == attempt.transfer.call.room_name:
            attempt_facts.stamp(attempt, "bridged_at")
        return
    if leg.sip_status == "ringing":
        attempt_facts.ringing(attempt)
    elif leg.sip_status == "active":
        attempt_facts.answered(attempt)


def on_leg_left(*, leg: Leg, **_: Any) -> None:
    attempt = _attempt_of_leg(leg)
    if attempt and not _only_changes_rooms(attempt, leg):
        attempt_facts.stamp(attempt, "leg_left_at")


def _only_changes_rooms(attempt: Attempt, leg: Leg) -> bool:
    """Where the manager's own leg goes to the caller's room, leaving the consultation is the way there."""
    joining = attempt.transfer.state in (TransferState.MERGING, TransferState.MERGED)
    return joining and attempt.strategy != "relay" and leg.room_name == attempt.consult_room


def on_consult_room(*, attempt_id: UUID, room_name: str, **_: Any) -> None:
    """A room whose attempt is over: left over, or made again by a dial that was answered too late."""
    attempt = Attempt.objects.filter(pk=attempt_id).select_related("transfer").first()
    if attempt is None or attempt.consult_room != room_name or attempt.is_open:
        return
    if effects.once_more("close_consult", attempt.pk, pause=CLOSE_AGAIN_AFTER):
        record(
            Repaired(what="consultation"),
            actor=RECONCILER,
            call_id=attempt.transfer.call_id,
            transfer_id=attempt.transfer_id,
            attempt_id=attempt.pk,
        )


def _attempt_of_leg(leg: Leg) -> Attempt | None:
    if leg.kind != LegKind.MANAGER or leg.attempt_id is None:
        return None
    return Attempt.objects.filter(pk=leg.attempt_id).select_related("transfer__call", "manager").first()


def _attempt_of_job(job: AgentJob) -> Attempt | None:
    found = Attempt.objects.select_related("transfer__call", "manager")
    return found.filter(pk=job.attempt_id).first() if job.attempt_id else None


def on_job_opened(*, job: AgentJob, **_: Any) -> None:
    """An attempt's agent came: in the middle of a merge it has to know at once that it is to carry audio."""
    attempt = _attempt_of_job(job)
    if attempt is None:
        return
    if attempt.transfer.state == TransferState.MERGING and attempt.is_open:
        merge.begin(facts_of(attempt.transfer))
    wake(attempt.transfer_id)


def on_job_closed(*, job: AgentJob, **_: Any) -> None:
    attempt = _attempt_of_job(job)
    if attempt is None:
        return
    if attempt.is_open and attempt.transfer.call.is_live:
        dispatch.lost(attempt)
    wake(attempt.transfer_id)


def on_report(*, job: AgentJob, body: p.UpBody, at: datetime, **_: Any) -> None:
    match body:
        case p.TransferRequested():
            requests.ask(job.call, body)
        case p.TransferWithdrawn():
            services.agent_withdrew(job.call, body.request_id)
        case p.KeyPressed() if job.role == p.Role.SUPPORT:
            pin.pressed(job.call, body.digit)
        case p.CallbackRequested():
            callbacks.ask(job.call, body)
        case p.HandedOver():
            attempt = _attempt_of_job(job) or _joined_attempt(job.call)
            if attempt:
                attempt_facts.hand_over(attempt, HandOver(body.to))
        case p.BriefingDrafted():
            _drafted(body)
        case p.DirectiveDone():
            _directive_done(job)
        case p.CallerWantsBack():
            services.caller_wants_back(job.call)
        case p.HoldProgress():
            transfer = open_transfer(job.call_id)
            record(
                HoldProgressed(count=body.count),
                actor=SYSTEM,
                call_id=job.call_id,
                transfer_id=transfer.pk if transfer else None,
            )
        case p.DirectiveFailed() if job.attempt_id:
            _directive_failed(job, body)
        case p.BridgeDown() if job.attempt_id:
            _bridge_down(job, body)
        case p.SipStatus() if job.attempt_id:
            _on_the_line(job, body)
        case p.BriefingStep() | p.ManagerDecision() | p.BridgeUp() | p.Heard() if job.attempt_id:
            attempt = Attempt.objects.select_related("transfer__call", "manager").get(pk=job.attempt_id)
            _on_consultation(attempt, body)
        case _:
            pass


def _joined_attempt(call: Call) -> Attempt | None:
    """Without a bridge the manager is in the caller's room, and the SupportAgent sees their keys."""
    joined = Attempt.objects.filter(transfer__call=call, state=AttemptState.MERGED)
    return joined.select_related("transfer__call", "manager").first()


def _drafted(body: p.BriefingDrafted) -> None:
    from transfers import briefing
    from transfers.models import BriefingVersion

    transfer = Transfer.objects.filter(pk=body.transfer_id).first()
    if transfer and transfer.is_open:
        briefing.save(transfer, body.text, author=BriefingVersion.Author.AI)


def _bridge_down(job: AgentJob, body: p.BridgeDown) -> None:
    """Before the two are joined they cannot be; afterwards another job has to take the line up."""
    attempt = _attempt_of_job(job)
    if attempt is None:
        return
    if attempt.state == AttemptState.MERGED:
        close_job(job, reason="bridge_down")
    else:
        attempt_facts.merge_failed(attempt, body.reason)


def _directive_done(job: AgentJob) -> None:
    """Words were said that a cold transfer may wait for."""
    cold = Transfer.objects.filter(call=job.call, kind=Transfer.Kind.COLD, state=TransferState.CONNECTING).first()
    if cold:
        wake(cold.pk)


def _on_the_line(job: AgentJob, body: p.SipStatus) -> None:
    """A phone's status is its leg's. Of a browser the agent says so when its microphone is there."""
    attempt = _attempt_of_job(job)
    if attempt and attempt.desk and (body.identity, body.status) == (attempt.manager_identity, "active"):
        attempt_facts.answered(attempt)


def _directive_failed(job: AgentJob, body: p.DirectiveFailed) -> None:
    attempt = _attempt_of_job(job)
    if attempt and job.directives.filter(pk=body.directive_id, key=f"merge:{attempt.pk}").exists():
        attempt_facts.merge_failed(attempt, body.error)


STEP_FIELDS = {"started": "briefing_started_at", "spoken": "briefing_spoken_at"}


def _on_consultation(attempt: Attempt, body: p.UpBody) -> None:
    match body:
        case p.BriefingStep():
            if body.step in STEP_FIELDS:
                attempt_facts.stamp(attempt, STEP_FIELDS[body.step])
            record(
                BriefingSpoken(step=body.step),
                actor=SYSTEM,
                call_id=attempt.transfer.call_id,
                transfer_id=attempt.transfer_id,
                attempt_id=attempt.pk,
            )
        case p.ManagerDecision():
            attempt_facts.decide(attempt, body)
        case p.BridgeUp():
            attempt_facts.stamp(attempt, "bridged_at")
        case p.Heard():
            attempt_facts.stamp(attempt, "heard_at")
        case _:
            pass
