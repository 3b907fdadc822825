"""Accounts of each role for tests."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, User

from calls.models import Department, Membership
from calls.roles import Role, grant


def account(role: Role | None, *departments: Department, name: str = "") -> User:
    """A new account with a role, supervising `departments`; read again, so that nothing of it is cached."""
    user = User.objects.create_user(name or f"a-{role or 'nobody'}", password="of-no-importance")
    if role:
        user.groups.add(_group(role))
    for department in departments:
        Membership.objects.create(user=user, department=department)
    return User.objects.get(pk=user.pk)


def _group(role: Role) -> Group:
    """The migration's group; a test with real transactions before this one may have emptied the tables."""
    if not Group.objects.filter(name=role, permissions__isnull=False).exists():
        calls, transfers = (import_module(f"{app}.migrations.{n}") for app, n in _MIGRATIONS)
        grant(apps, "default", "calls", calls.ROLES)
        grant(apps, "default", "auth", calls.ACCOUNTS)
        grant(apps, "default", "transfers", transfers.ROLES)
    return Group.objects.get(name=role)


_MIGRATIONS = (("calls", "0004_roles"), ("transfers", "0002_roles"))
