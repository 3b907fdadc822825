"""Who may see which calls, and how much of them: the one place that turns an account into a scope."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q

from calls.compiled import Argument, Rows
from calls.models import ApiKey, Membership

Account = User | AnonymousUser

VIEW_CALLS = "calls.view_call"
VIEW_EVERY_DEPARTMENT = "calls.view_every_department"
SUPERVISE = "calls.supervise_call"
LISTEN = "calls.listen_call"


@dataclass(frozen=True)
class Sight:
    """What may be shown of a call and what may be done: one rendering serves everyone with the same sight."""

    full_number: bool = False
    transcript: bool = False
    escalate: bool = False
    approve: bool = False
    cancel: bool = False
    supervise: bool = False
    listen: bool = False
    refer: bool = False
    park: bool = False
    call_back: bool = False
    presence: bool = False
    administer: bool = False


@dataclass(frozen=True)
class Scope:
    """Which departments' calls an account sees. Unassigned calls are seen by everyone who sees calls at all."""

    sees_calls: bool = False
    every_department: bool = False
    departments: frozenset[int] = frozenset()

    def of_department(self, field: str = "department") -> Q:
        """The condition on a row's department."""
        if self.every_department:
            return Q()
        if not self.sees_calls:
            return Q(pk__in=())
        return Q(**{f"{field}__in": self.departments}) | Q(**{f"{field}__isnull": True})

    def covers(self, department_id: int | None) -> bool:
        if self.every_department:
            return True
        return self.sees_calls and (department_id is None or department_id in self.departments)


def may(user: Account, permission: str) -> bool:
    return bool(user.is_authenticated and user.has_perm(permission))


def sight_of(user: Account) -> Sight:
    return Sight(
        full_number=may(user, "calls.view_full_number"),
        transcript=may(user, "calls.view_transcript"),
        escalate=may(user, "transfers.request_transfer"),
        approve=may(user, "transfers.approve_transfer"),
        cancel=may(user, "transfers.cancel_transfer"),
        supervise=may(user, SUPERVISE),
        listen=may(user, LISTEN),
        refer=may(user, "transfers.refer_call"),
        park=may(user, "transfers.park_call"),
        call_back=may(user, "transfers.handle_callback"),
        presence=may(user, "transfers.set_presence"),
        administer=isinstance(user, User) and user.is_staff,
    )


def scope_of(user: Account) -> Scope:
    """Read once a request or subscription: the departments come from the database."""
    if not user.is_authenticated:
        return Scope()
    sees, every = may(user, VIEW_CALLS), may(user, VIEW_EVERY_DEPARTMENT)
    mine = _departments_of(user=user.pk) if sees and not every else ()
    return Scope(sees_calls=sees or every, every_department=every, departments=frozenset(pk for (pk,) in mine))


_departments_of = Rows(
    lambda: Membership.objects.filter(user=Argument("user")).order_by().values_list("department_id")
)


def sight_of_key(key: ApiKey) -> Sight:
    """A key sees and does what its scopes name."""
    scopes = frozenset(key.scopes)
    return Sight(
        full_number="calls:number" in scopes,
        transcript="calls:transcript" in scopes,
        escalate="transfers:request" in scopes,
        approve="transfers:decide" in scopes,
        cancel="transfers:cancel" in scopes,
        presence="presence:write" in scopes,
    )


def scope_of_key(key: ApiKey) -> Scope:
    """Its departments; without any, the unassigned calls only. What it may read of them, its scopes say."""
    mine = () if key.every_department else key.departments.values_list("pk", flat=True)
    return Scope(sees_calls=True, every_department=key.every_department, departments=frozenset(mine))
