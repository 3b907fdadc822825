"""Reads that decisions and pages share."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from calls import presence
from calls.agents.protocol import Role
from calls.models import AgentJob, Call, Department, Directive, Effect, EffectState, Leg, LegKind
from calls.timing import now
from transfers import desk_presence
from transfers.decide import Facts, waits_for_approval
from transfers.models import Attempt, Decision, Manager, Policy, Transfer
from transfers.queue_place import ahead_of
from transfers.roster import NOBODY, Ranking, Tried, rank
from transfers.states import AttemptState, TransferState

APPROVE = "transfers.approve_transfer"


def policy_of(department: Department | None) -> Policy:
    """The department's policy, or the defaults."""
    found: Policy | None = getattr(department, "policy", None)  # read with it, or else now
    return found or Policy(department=department)


def ranking_of(transfer: Transfer, policy: Policy) -> Ranking:
    attempts = transfer.attempts.order_by("nth").values_list("manager_id", "endpoint_id", "outcome")
    return rank(
        department=transfer.department,
        person=transfer.person,
        at=now(),
        tried=[Tried(*row) for row in attempts],
        next_endpoint_first=policy.next_endpoint_first,
        prefer=transfer.prefer_id,
        spare=transfer.spare_id,
        only_phone=transfer.endpoint_id,
        desks_too=transfer.kind != Transfer.Kind.COLD,
    )


def facts_of(transfer: Transfer, *, to_show: bool = False) -> Facts:
    """What `decide.next_step` needs in the transfer's state, read now; `to_show`: and the page's sentence."""
    policy, state, S = policy_of(transfer.department), transfer.state, TransferState
    attempt = transfer.attempts.select_related("manager").order_by("-nth").first()
    ranks = state == S.QUEUED or (to_show and transfer.is_open)
    ranking = ranking_of(transfer, policy) if ranks else NOBODY
    decided = attempt is not None and state in (S.CONNECTING, S.CONSULTING, S.MERGING)
    rung = attempt if state == S.CONNECTING and attempt and attempt.desk else None
    consulted = attempt if state == S.CONSULTING else None
    return Facts(
        now=now(),
        transfer=transfer,
        call=transfer.call,
        policy=policy,
        attempt=attempt,
        decision=Decision.objects.filter(attempt=attempt).first() if decided or _is_over(attempt) else None,
        ranking=ranking,
        attempts_made=attempt.nth if attempt else 0,
        agent_present=consulted is None or agent_present(consulted),
        agent_gone_at=_agent_gone_at(consulted) if consulted else None,
        leave_reason=_leave_reason(attempt) if attempt else "",
        supervisor_present=not waits_for_approval(transfer, policy) or supervisor_present(transfer),
        ahead=ahead_of(transfer) if state == S.QUEUED else 0,
        told_goodbye=state == S.CONNECTING and transfer.kind == Transfer.Kind.COLD and told_goodbye(transfer),
        caller_here=_caller_here(transfer.call),
        caller_unreached=transfer.caller_rung_at is not None and _caller_unreached(transfer),
        desk_lost_at=desk_presence.lost_at(rung.manager_id) if rung else None,
        redialled=attempt is not None and state == S.MERGED and _redialled(transfer, attempt),
    )


def _is_over(attempt: Attempt | None) -> bool:
    """Its decision is part of what the caller is told."""
    return attempt is not None and attempt.state == AttemptState.FAILED


def phone_leg(call: Call) -> Leg | None:
    """The caller's leg, if it is a telephone: nothing else can be referred."""
    legs = Leg.objects.filter(call=call, kind=LegKind.CALLER, left_at=None, by_phone=True)
    return legs.filter(identity=call.caller_identity).first()


def goodbye_key(transfer: Transfer) -> str:
    """Of the directive whose words come before a cold transfer."""
    return f"goodbye:{transfer.pk}"


def told_goodbye(transfer: Transfer) -> bool:
    """Whether those words have been said, or could not be."""
    return Directive.objects.filter(key=goodbye_key(transfer), done_at__isnull=False).exists()


def _caller_here(call: Call) -> bool:
    """A caller who called is; one who is called back has to pick up first."""
    if call.source != Call.Source.CALLBACK:
        return True
    legs = Leg.objects.filter(call=call, kind=LegKind.CALLER, room_name=call.room_name, left_at=None)
    return legs.filter(sip_status="active").exists()


def _caller_unreached(transfer: Transfer) -> bool:
    return Effect.objects.filter(kind="ring_caller", subject_id=transfer.pk, state=EffectState.FAILED).exists()


def _redialled(transfer: Transfer, attempt: Attempt) -> bool:
    """Whether this was the second call already to whoever was cut off from this caller."""
    before = transfer.follows
    same_caller = before is not None and before.call_id == transfer.call_id
    return same_caller and transfer.prefer_id == attempt.manager_id


def agent_present(attempt: Attempt) -> bool:
    """Whether the attempt's TransferAgent has a link that has not been judged dead."""
    return AgentJob.objects.filter(
        attempt_id=attempt.pk, role__in=(Role.TRANSFER, Role.BRIDGE), closed_at=None
    ).exists()


def _agent_gone_at(attempt: Attempt) -> datetime | None:
    jobs = AgentJob.objects.filter(attempt_id=attempt.pk)
    gone: datetime | None = jobs.aggregate(at=Max("closed_at"))["at"]
    return gone


def _leave_reason(attempt: Attempt) -> str:
    if attempt.leg_left_at is None:
        return ""
    legs = Leg.objects.filter(attempt_id=attempt.pk, kind=LegKind.MANAGER).exclude(left_at=None)
    return legs.order_by("-left_at").values_list("leave_reason", flat=True).first() or ""


def supervisor_present(transfer: Transfer) -> bool:
    """Whether anybody is there who may approve it."""
    here = {transfer.call.department_id, transfer.department_id}
    return presence.anybody_may(APPROVE, departments=here)


def open_transfer(call_id: UUID) -> Transfer | None:
    from transfers.states import OPEN_TRANSFER

    return Transfer.objects.filter(call_id=call_id, state__in=OPEN_TRANSFER).first()


def roster_names(call: Call, *, exclude_manager: UUID | None = None) -> list[tuple[str, list[str]]]:
    """Departments with the names of their active managers: what the AI of a call may name. Never a number."""
    rows = []
    for department in Department.objects.of(call).prefetch_related("managers"):
        people = [m.name for m in department.managers.all() if m.active and m.pk != exclude_manager]
        rows.append((department.name, people))
    return rows


def manager_named(call: Call, name: str, department: Department | None) -> Manager | None:
    """An active manager whom a call may go to, by name: of the department if there is one, else of any."""
    known = Department.objects.of(call)
    managers = Manager.objects.filter(name__iexact=name.strip(), active=True, departments__in=known)
    return (managers.filter(departments=department).first() if department else None) or managers.first()
