"""Who sees which calls and transfers: supervisors, a transfer's own managers, auditors, administrators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from calls.access import Account, Scope, Sight, scope_of, scope_of_key, sight_of, sight_of_key
from calls.compiled import Argument, Rows
from calls.models import ApiKey, Call, Department
from calls.states import CallState
from transfers.models import Attempt, Callback, Manager, Transfer
from transfers.states import OPEN_ATTEMPT

NO_DEPARTMENT = 0  # where a department is a mere number


@dataclass(frozen=True)
class Lens:
    """Everything that decides what an account sees: accounts with the same lens see the same."""

    scope: Scope
    sight: Sight
    manager_id: UUID | None = None

    @property
    def is_of_manager_alone(self) -> bool:
        """Whether it shows what somebody was called for, and nothing else."""
        return self.manager_id is not None and not self.scope.sees_calls

    def calls(self) -> QuerySet[Call]:
        """By the call's department, the department it is being transferred to, or an attempt to reach oneself."""
        if self.scope.every_department:
            return Call.objects.all()
        of_call = Transfer.objects.filter(call=OuterRef("pk"))
        seen = self.scope.of_department() | Q(Exists(of_call.filter(department__in=self.scope.departments)))
        if self.manager_id:
            mine = Attempt.objects.filter(transfer__call=OuterRef("pk"), manager=self.manager_id)
            seen |= Q(Exists(mine))
        return Call.objects.filter(seen)

    def transfers(self) -> QuerySet[Transfer]:
        if self.scope.every_department:
            return Transfer.objects.all()
        if self.is_of_manager_alone:  # alone, this can be a join: in an OR it never is
            return Transfer.objects.filter(pk__in=self._of_ones_own())
        seen = self._of_departments()
        if self.manager_id:
            seen |= Q(Exists(Attempt.objects.filter(transfer=OuterRef("pk"), manager=self.manager_id)))
        return Transfer.objects.filter(seen)

    def attempts(self) -> QuerySet[Attempt]:
        """All of the transfers that it sees, whoever was called; without a look at those."""
        if self.scope.every_department:
            return Attempt.objects.all()
        seen = self._of_departments()
        if self.manager_id:
            seen |= Q(transfer__in=self._of_ones_own())
        return Attempt.objects.filter(seen)

    def _of_departments(self) -> Q:
        """Of transfers, and of attempts, which know the departments of theirs."""
        mine = self.scope.departments
        if not self.scope.sees_calls:
            return Q(pk__in=())
        return Q(call_department__in=(NO_DEPARTMENT, *mine)) | Q(department__in=mine)

    def _of_ones_own(self) -> QuerySet[Attempt, Any]:
        return Attempt.objects.filter(manager=self.manager_id).order_by().values("transfer")

    def callbacks(self) -> QuerySet[Callback]:
        """Of one's departments; a manager's are those on whose roster they are."""
        if self.scope.every_department:
            return Callback.objects.all()
        seen = self.scope.of_department() if self.scope.sees_calls else Q(pk__in=())
        if self.manager_id:
            mine = Manager.objects.filter(pk=self.manager_id).values("departments")
            seen |= Q(department__in=mine)  # no join: it would ask for DISTINCT, of every column
        return Callback.objects.filter(seen)

    def departments(self) -> QuerySet[Department]:
        """Whose managers are shown."""
        real = Department.objects.real()
        if self.scope.every_department:
            return real
        if self.scope.sees_calls:
            return real.filter(pk__in=self.scope.departments)
        return real.filter(managers=self.manager_id) if self.manager_id else real.none()


def lens_of(user: Account) -> Lens:
    manager = next((pk for (pk,) in _manager_of(user=user.pk or 0)), None)
    return Lens(scope=scope_of(user), sight=sight_of(user), manager_id=manager)


_manager_of = Rows(
    lambda: Manager.objects.filter(user_id=Argument("user"), active=True).order_by("pk").values_list("pk")[:1]
)


def lens_of_key(key: ApiKey) -> Lens:
    return Lens(scope=scope_of_key(key), sight=sight_of_key(key))


def board_audiences(lens: Lens) -> frozenset[str]:
    """What a wallboard seen through this lens listens to."""
    heard: set[str] = set()
    if lens.scope.sees_calls:
        # A rehearsal's call is shown while it lasts, though its department is not.
        every = Department.objects.all() if lens.scope.every_department else lens.departments()
        heard = {"d:0"} | {f"d:{pk}" for pk in every.values_list("pk", flat=True)}
        heard |= {f"c:{pk}" for pk in _transferred_here(lens.scope)}
    if lens.manager_id:
        mine = Attempt.objects.filter(manager=lens.manager_id, state__in=OPEN_ATTEMPT)
        heard.add(f"m:{lens.manager_id}")
        heard |= {f"c:{call_id}" for call_id in mine.values_list("transfer__call_id", flat=True)}
    return frozenset(heard)


def _transferred_here(scope: Scope) -> Iterable[UUID]:
    """Live calls of other departments that are shown because they were transferred: their frames go elsewhere."""
    if scope.every_department:
        return ()
    of_others = Call.objects.exclude(state=CallState.INACTIVE).exclude(scope.of_department())
    asked = Transfer.objects.filter(call__in=of_others, department__in=scope.departments)
    return asked.values_list("call_id", flat=True)
