"""Agent jobs and their link: opened by hello, facts applied in order and once, directives kept until applied."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from calls import tracing as traces
from calls.agents import protocol as p
from calls.agents import tracing
from calls.agents.logs import about
from calls.announcements import agent_reported, job_closed, job_opened
from calls.events import Actor, DirectiveFailed, JobClosed, JobOpened, record
from calls.link import registry
from calls.link.nudge import nudge
from calls.live.publish import changed
from calls.models import AgentJob, Call, Directive, Leg
from calls.services import calls as call_service
from calls.services.legs import ParticipantFact, RoomFact, leg_status, participant_left, participant_seen
from calls.services.snapshot import snapshot_of
from calls.services.transcript import said
from calls.states import CallState
from calls.timing import now

logger = logging.getLogger(__name__)

CHATTER = ("utterance", "speaking", "agent_state", "hold_progress", "directive_done")  # not for a trace
GOODBYE_LINGER = timedelta(seconds=1)


class NotOurs(Exception):
    """The job's room belongs to no call of ours, or its call has ended: it may leave."""


def open_link(hello: p.Hello) -> p.Welcome:
    """A connection of a job: the newest epoch wins, and a new job of the same part replaces the old one."""
    with transaction.atomic():
        known = AgentJob.objects.filter(pk=hello.job_id).values_list("call_id", flat=True).first()
        if known:
            call_service.locked(known)  # calls are locked first, everywhere
            return _reopened(AgentJob.objects.select_for_update(of=("self",)).get(pk=hello.job_id), hello)
        call = registry.call_of(hello)
        if call is None:
            raise NotOurs("no call")
        call = call_service.locked(call.pk)
        if not call.is_live:
            raise NotOurs("the call has ended")
        job = _new_job(call, hello)
        return p.Welcome(epoch=job.epoch, snapshot=registry.enriched(job, snapshot_of(job)))


def _reopened(job: AgentJob, hello: p.Hello) -> p.Welcome:
    """It was away, perhaps for so long that it was taken for dead: what it missed is still stored for it."""
    if job.closed_at and _part(job).filter(started_at__gt=job.started_at).exists():
        raise NotOurs("replaced")
    was_closed = job.closed_at is not None
    job.epoch, job.last_seen_at, job.closed_at = job.epoch + 1, now(), None
    job.down_last = max(job.down_last, hello.received)  # a database that lost commits counts on from what it has
    job.save(update_fields=("epoch", "last_seen_at", "closed_at", "down_last"))
    _applied(job, hello.received)
    if was_closed:
        _opened(job)
    return p.Welcome(epoch=job.epoch, received=job.up_received)


# The transfer job and the bridge job of an attempt are one part: whoever carries the audio now.
PARTS = ({p.Role.SUPPORT}, {p.Role.TRANSFER, p.Role.BRIDGE})


def _part(job: AgentJob) -> QuerySet[AgentJob]:
    """All that ever had this part, but for this one."""
    roles = next(part for part in PARTS if job.role in part)
    same = AgentJob.objects.filter(call_id=job.call_id, role__in=roles, attempt_id=job.attempt_id)
    return same.exclude(pk=job.pk)


def _new_job(call: Call, hello: p.Hello) -> AgentJob:
    at = now()
    job = AgentJob(
        id=hello.job_id,
        call=call,
        role=hello.role,
        attempt_id=hello.attempt_id,
        room_name=hello.room,
        agent_name=hello.agent_name[:80],
        started_at=at,
        last_seen_at=at,
    )
    for old in _part(job).filter(closed_at=None):
        close_job(old, reason="replaced")
    job.save(force_insert=True)
    _opened(job)
    return job


def _opened(job: AgentJob) -> None:
    record(JobOpened(role=job.role), actor=actor_of(job), call_id=job.call_id, attempt_id=job.attempt_id)
    call_service.touched(job.call)
    job_opened.send(sender=AgentJob, job=job)


def call_of(job_id: str) -> UUID | None:
    return AgentJob.objects.filter(pk=job_id).values_list("call_id", flat=True).first()


def levels_told(job_id: str, call_id: UUID, told: p.Levels) -> None:
    """How loud everybody is, to those who look at the call now, and nowhere else."""
    changed("levels", job_id, 1, call_id=str(call_id), words=told.model_dump_json())


def close_job(job: AgentJob, *, reason: str) -> None:
    """It left, was replaced, or is dead; once."""
    if not AgentJob.objects.filter(pk=job.pk, closed_at=None).update(closed_at=now()):
        return
    record(
        JobClosed(role=job.role, reason=reason),
        actor=actor_of(job),
        call_id=job.call_id,
        attempt_id=job.attempt_id,
    )
    if Call.objects.filter(pk=job.call_id).exclude(state=CallState.INACTIVE).update(wake_at=now()):
        call_service.touched(job.call)  # its pages say who is with the caller
    job_closed.send(sender=AgentJob, job=job)


def link_lost(job_id: str, epoch: int) -> None:
    """Its connection closed and no newer one came: it is gone, no need to wait for its silence."""
    with transaction.atomic():
        found = AgentJob.objects.filter(pk=job_id).values_list("call_id", flat=True).first()
        if found is None:
            return
        call_service.locked(found)
        job = AgentJob.objects.select_for_update(of=("self",)).get(pk=job_id)
        if job.epoch == epoch:
            close_job(job, reason="closed")


def actor_of(job: AgentJob) -> Actor:
    return Actor("ai" if job.role == p.Role.SUPPORT else "transfer_agent", job.pk)


def seen(job_id: str, epoch: int) -> bool:
    """A heartbeat; False when a newer connection or job has the link."""
    return bool(AgentJob.objects.filter(pk=job_id, epoch=epoch, closed_at=None).update(last_seen_at=now()))


def apply_up(job_id: str, epoch: int, frame: p.Up) -> int | None:
    """Apply one frame in its turn; returns what is safe up to now, or None when superseded."""
    with transaction.atomic():
        found = AgentJob.objects.filter(pk=job_id).values_list("call_id", flat=True).first()
        if found is None:
            return None
        call = call_service.locked(found)  # calls are locked first, everywhere
        job = AgentJob.objects.select_for_update(of=("self",)).get(pk=job_id)
        if job.epoch != epoch or job.closed_at:
            return None
        if frame.seq <= job.up_received:
            return job.up_received
        if frame.seq > job.up_received + 1:  # links send in order: what is between was committed once, and lost
            logger.warning("reports of an agent are lost", extra={"count": frame.seq - job.up_received - 1})
        AgentJob.objects.filter(pk=job_id).update(up_received=frame.seq, last_seen_at=now())
        Call.objects.filter(pk=call.pk).update(last_fact_at=now(), missed_listings=0)
        with about(call=call.pk, attempt=job.attempt_id, job=job.pk):
            _apply_surely(call, job, frame)
        return frame.seq


def _apply_surely(call: Call, job: AgentJob, frame: p.Up) -> None:
    """A frame that cannot be applied is passed over: sent again it would only fail again, for ever."""
    kind = frame.body.kind
    transfer = None if kind in CHATTER else traces.of_job(call.pk, job.attempt_id)
    try:
        with tracing.span(f"report {kind}", transfer), transaction.atomic():
            _apply(call, job, frame.body, frame.at)
    except (OperationalError, InterfaceError):  # the database is away: the agent keeps the frame
        raise
    except Exception as error:
        logger.exception("frame passed over", extra={"kind": frame.body.kind, "error": type(error).__name__})


def _apply(call: Call, job: AgentJob, body: p.UpBody, at: datetime) -> None:
    match body:
        case p.JobStarted():
            AgentJob.objects.filter(pk=job.pk).update(identity=body.identity)
        case p.CallerHere():
            _caller_here(job, body)
        case p.Utterance():
            said(call, body, attempt_id=job.attempt_id, at=at)
        case p.AgentState() if job.role == p.Role.SUPPORT:
            Call.objects.filter(pk=call.pk).update(agent_state=body.state)
            call_service.touched(call)
        case p.Speaking():
            Call.objects.filter(pk=call.pk).update(caller_speaking=body.active)
            call_service.touched(call)
        case p.FactLearned():
            call_service.learn_fact(call, key=body.key, value=body.value, actor=actor_of(job))
        case p.SipStatus():
            leg = Leg.objects.filter(room_name=job.room_name, identity=body.identity, left_at=None).first()
            if leg:
                leg_status(leg, body.status)
        case p.LegLeft():
            participant_left(_room_of(job, body.identity), identity=body.identity, reason=body.reason)
        case p.CallerSaidGoodbye():
            call_service.end_call(call, reason="goodbye", actor=actor_of(job), linger=GOODBYE_LINGER)
        case p.DirectiveDone():
            _settled(call, job, body.directive_id)
        case p.DirectiveFailed():
            directive = _settled(call, job, body.directive_id, body.error)
            if directive:
                record(
                    DirectiveFailed(directive=directive.body["kind"]),
                    actor=actor_of(job),
                    call_id=call.pk,
                    attempt_id=job.attempt_id,
                )
        case _:
            pass
    agent_reported.send(sender=AgentJob, job=job, body=body, at=at)


def _settled(call: Call, job: AgentJob, directive_id: UUID, error: str = "") -> Directive | None:
    """The agent has done it, or could not."""
    directive = Directive.objects.filter(pk=directive_id, job=job).first()
    if directive:
        Directive.objects.filter(pk=directive.pk).update(done_at=now(), error=error[:500])
        if directive.body["kind"] == "coach":
            call_service.shown(call)
    return directive


def _caller_here(job: AgentJob, body: p.CallerHere) -> None:
    """The agent's own eyes: by what the caller dialled its call gets its department, and the agent its profile."""
    participant_seen(
        RoomFact(name=job.room_name),
        ParticipantFact(
            identity=body.identity, sid=body.sid, kind=body.participant_kind, attributes=body.attributes
        ),
    )
    job.call.refresh_from_db()
    known = registry.enriched(job, snapshot_of(job))
    direct(job, f"know:{body.sid}", p.Know(snapshot=known))


def _room_of(job: AgentJob, identity: str) -> str:
    """The bridge's job sees two rooms: a manager leaves the consultation, anyone else the call."""
    manager = identity.startswith("manager-")
    if job.role in (p.Role.TRANSFER, p.Role.BRIDGE) and not manager:
        return str(job.call.room_name)
    return str(job.room_name)


# ── directives ───────────────────────────────────────────────────────────────────────────────────


def live_job(call_id: UUID, role: p.Role, attempt_id: UUID | None = None) -> AgentJob | None:
    jobs = AgentJob.objects.filter(call_id=call_id, role=role, closed_at=None)
    return (jobs.filter(attempt_id=attempt_id) if attempt_id else jobs).order_by("-started_at").first()


def addressee(call_id: UUID, role: p.Role, attempt_id: UUID | None = None) -> AgentJob | None:
    """Who is told: the live job, else the last one. If it comes back it is told then; another gets a snapshot."""
    live = live_job(call_id, role, attempt_id)
    if live:
        return live
    jobs = AgentJob.objects.filter(call_id=call_id, role=role)
    return (jobs.filter(attempt_id=attempt_id) if attempt_id else jobs).order_by("-started_at").first()


def direct(job: AgentJob | None, key: str, body: p.DirectiveBody) -> Directive | None:
    """Store a directive for a job, once by `key`; sent after commit. Without a job the snapshot will tell."""
    if job is None:
        return None
    with transaction.atomic(savepoint=False):
        job.down_last = AgentJob.objects.select_for_update(of=("self",)).get(pk=job.pk).down_last
        existing = Directive.objects.filter(job=job, key=key).first()
        if existing:
            return existing
        job.down_last += 1
        job.save(update_fields=("down_last",))
        directive = Directive.objects.create(
            job=job, seq=job.down_last, key=key, body=body.model_dump(mode="json"), created_at=now()
        )
        nudge(f"link:{job.pk}")
        return directive


def pending(job_id: str, after: int) -> list[p.Down]:
    """Directives beyond `after`, in order."""
    rows = Directive.objects.filter(job_id=job_id, seq__gt=after).order_by("seq")[:100]
    downs = [p.Down.model_validate({"seq": d.seq, "directive_id": d.pk, "body": d.body}) for d in rows]
    return _traced(job_id, downs) if downs and tracing.on() else downs


def _traced(job_id: str, downs: list[p.Down]) -> list[p.Down]:
    """With the trace that the agent's spans belong to."""
    job = AgentJob.objects.get(pk=job_id)
    transfer = traces.of_job(job.call_id, job.attempt_id)
    if transfer is None:
        return downs
    parent = tracing.traceparent(transfer)
    return [down.model_copy(update={"traceparent": parent}) for down in downs]


def _applied(job: AgentJob, seq: int) -> None:
    AgentJob.objects.filter(pk=job.pk, down_acked__lt=seq).update(down_acked=seq)


def acknowledged(job_id: str, seq: int) -> None:
    AgentJob.objects.filter(pk=job_id, down_acked__lt=seq).update(down_acked=seq)
