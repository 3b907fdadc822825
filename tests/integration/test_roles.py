"""The design's table of roles, as permissions and as what each account's scope covers."""

from __future__ import annotations

import pytest

from calls.access import scope_of
from calls.models import Department
from calls.roles import Role
from tests.people import account

S, M, A, ADM = Role.SUPERVISOR, Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR
SUPERVISES = (
    "transfers.request_transfer",
    "transfers.approve_transfer",
    "transfers.cancel_transfer",
    "calls.supervise_call",
    "calls.listen_call",
    "transfers.set_presence",
    "transfers.refer_call",
    "transfers.park_call",
)
ROSTER = ("transfers.change_manager", "transfers.add_shift", "transfers.delete_endpoint")
SETTINGS = (
    "calls.change_department",
    "calls.add_agentprofile",
    "calls.delete_numberroute",
    "transfers.change_policy",
    "transfers.change_trunk",
    "auth.change_user",
)
TABLE = {
    "calls.view_call": {S, A, ADM},
    "calls.view_every_department": {A, ADM},
    "calls.view_transcript": {S, M, A, ADM},
    "calls.view_full_number": {A, ADM},
    "calls.verify_audit": {S, A, ADM},
    "calls.export_calls": {S, A, ADM},
    "transfers.view_callback": {S, M, A, ADM},
    "transfers.handle_callback": {S, M, ADM},
    **{key: {S, ADM} for key in SUPERVISES},
    **{key: {S, ADM} for key in ROSTER},
    **{key: {ADM} for key in SETTINGS},
    # the record is nobody's to change
    "calls.change_event": set(),
    "calls.delete_call": set(),
    "transfers.change_transfer": set(),
    "transfers.delete_attempt": set(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says_and_no_more(role: Role) -> None:
    user = account(role)
    assert {p for p in TABLE if user.has_perm(p)} == {p for p, roles in TABLE.items() if role in roles}


@pytest.mark.django_db
def test_an_account_without_a_role_may_do_nothing() -> None:
    user = account(None)
    assert not user.get_all_permissions()
    scope = scope_of(user)
    assert not scope.covers(None)
    assert not scope.covers(1)


@pytest.mark.django_db
def test_a_scope_covers_own_departments_and_unassigned() -> None:
    own, other = Department.objects.create(name="Own"), Department.objects.create(name="Other")
    seen = {role: scope_of(account(role, own)) for role in Role}
    covers = {role: [scope.covers(d) for d in (own.pk, other.pk, None)] for role, scope in seen.items()}
    assert covers[S] == [True, False, True]
    assert covers[A] == covers[ADM] == [True, True, True]
    assert covers[M] == [False, False, False]  # own transfers only, which is the roster's to tell
