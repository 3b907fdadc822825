"""What the Escalate panel shows before anything is asked for: the targets, the draft, and what would happen."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext

from calls.errors import Refused
from calls.models import Call, Department
from calls.timing import now
from transfers.decide import Facts
from transfers.models import Manager, Transfer
from transfers.roster import rank
from transfers.selectors import policy_of
from transfers.states import TransferState
from transfers.words import sentence


@dataclass(frozen=True)
class Target:
    """Where a caller is to go: a department, or one person of it."""

    department: Department | None = None
    person: Manager | None = None


def target_value(department_id: int | None, person_id: UUID | None = None) -> str:
    """The value of a choice, as `parse_target` reads it; empty: nothing is chosen."""
    if department_id is None:
        return ""
    return f"p:{person_id}:{department_id}" if person_id else f"d:{department_id}"


def parse_target(value: str) -> Target:
    """`d:<department>` or `p:<manager>:<department>`; raises Refused for anything that is not there."""
    kind, _, rest = value.partition(":")
    manager_id, _, department_id = rest.rpartition(":")
    try:
        department = Department.objects.get(pk=int(department_id))
        if kind == "d" and not manager_id:
            return Target(department)
        person = Manager.objects.get(pk=UUID(manager_id), active=True, departments=department)
    except (ValueError, Department.DoesNotExist, Manager.DoesNotExist) as error:
        raise Refused(gettext("Choose a department or a person. Nothing was changed.")) from error
    return Target(department, person)


def what_would_happen(call: Call, target: Target) -> str:
    """The sentence of a transfer that does not exist yet, asked for by a person: nobody has to approve."""
    ranking = rank(department=target.department, person=target.person, at=now())
    return sentence(
        Facts(
            now=now(),
            transfer=Transfer(
                call=call, department=target.department, person=target.person, state=TransferState.QUEUED
            ),
            call=call,
            policy=policy_of(target.department),
            ranking=ranking,
        )
    )
