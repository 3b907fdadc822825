"""Reads that decisions and pages share."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from calls.agents.protocol import Role
from calls.models import AgentJob, Department
from calls.timing import now
from transfers.decide import Facts
from transfers.models import Attempt, Decision, Manager, Policy, Transfer
from transfers.roster import Ranking, rank
from transfers.states import TransferState

AGENT_SILENT = timedelta(seconds=2.5)


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
        outside_hours=ranking.outside_hours,
    )


def agent_present(attempt: Attempt) -> bool:
    """Whether the attempt's TransferAgent has a link that has not been judged dead."""
    return AgentJob.objects.filter(
        attempt_id=attempt.pk, role__in=(Role.TRANSFER, Role.BRIDGE), closed_at=None
    ).exists()


def open_transfer(call_id: UUID) -> Transfer | None:
    from transfers.states import OPEN_TRANSFER

    return Transfer.objects.filter(call_id=call_id, state__in=OPEN_TRANSFER).first()


def roster_names(*, exclude_manager: UUID | None = None) -> list[tuple[str, list[str]]]:
    """Departments with the names of their active managers: what an AI may name. Never a number."""
    rows = []
    for department in Department.objects.prefetch_related("managers"):
        people = [m.name for m in department.managers.all() if m.active and m.pk != exclude_manager]
        rows.append((department.name, people))
    return rows


def manager_named(name: str, department: Department | None) -> Manager | None:
    managers = Manager.objects.filter(name__iexact=name.strip(), active=True)
    return (managers.filter(departments=department).first() if department else None) or managers.first()
