"""Accounts of each role for tests."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from calls.models import Department, Membership
from calls.roles import Role


def account(role: Role | None, *departments: Department, name: str = "") -> User:
    """A new account with a role, supervising `departments`; read again, so that nothing of it is cached."""
    user = User.objects.create_user(name or f"a-{role or 'nobody'}", password="of-no-importance")
    if role:
        user.groups.add(Group.objects.get(name=role))
    for department in departments:
        Membership.objects.create(user=user, department=department)
    return User.objects.get(pk=user.pk)
