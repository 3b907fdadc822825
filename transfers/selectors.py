"""Reads that decisions and pages share."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from calls import presence
from calls.agents.protocol import Role
from calls.models import AgentJob, Call, Department, Leg, LegKind
from calls.timing import now
from transfers.decide import Facts
from transfers.models import Attempt, Decision, Manager, Policy, Transfer
from transfers.roster import Ranking, rank
from transfers.states import TransferState

APPROVE = "transfers.approve_transfer"


def policy_of(department: Department | None) -> Policy:
    """The department's policy, or the defaults."""
    found = Policy.objects.filter(department=department).first() if department else None
    return found or Policy(department=department)


def ranking_of(transfer: Transfer) -> Ranking:
    tried = frozenset(transfer.attempts.values_list("manager_id", flat=True))
    return rank(department=transfer.department, person=transfer.person, at=now(), exclude=tried)


def facts_of(transfer: Transfer) -> Facts:
    """Everything `decide.next_step` and the page's sentence need, read now."""
    attempt = transfer.attempts.select_related("manager").order_by("-nth").first()
    ranks = transfer.state in (TransferState.REQUESTED, TransferState.QUEUED, TransferState.CONNECTING)
    ranking = ranking_of(transfer) if ranks or transfer.is_open else Ranking((), ())
    return Facts(
        now=now(),
        transfer=transfer,
        call=transfer.call,
        policy=policy_of(transfer.department),
        attempt=attempt,
        decision=Decision.objects.filter(attempt=attempt).first() if attempt else None,
        candidates=ranking.candidates,
        attempts_made=transfer.attempts.count(),
        agent_present=attempt is None or agent_present(attempt),
        agent_gone_at=_agent_gone_at(attempt) if attempt else None,
        leave_reason=_leave_reason(attempt) if attempt else "",
        supervisor_present=transfer.state != TransferState.REQUESTED or supervisor_present(transfer),
        outside_hours=ranking.outside_hours,
    )


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
