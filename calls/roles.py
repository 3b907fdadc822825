"""The four roles: groups of Django that a migration makes, each with its permissions.

What an account then sees is `calls.access`; this module only names the roles and fills the groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

ACTIONS = ("add", "change", "delete", "view")


class Role(StrEnum):
    """Names of groups. A supervisor's departments are memberships, a manager's person is on the roster."""

    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# Given to one account beside its roles: what is a permission of its own in the table of roles.
EXTRA_PERMISSIONS = ("view_transcript", "view_full_number", "listen_call", "export_calls")


def every_action(*models: str) -> tuple[str, ...]:
    """ "add_manager", "change_manager"… for each of `models`."""
    return tuple(f"{action}_{model}" for model in models for action in ACTIONS)


def grant(apps: Any, using: str, app: str, roles: Mapping[str, Sequence[str]]) -> None:
    """Give permissions of `app` to groups, making both where they are missing (for migrations).

    `apps` is the migration's; codenames are of its models as they were then. Django makes permissions only
    after all migrations have run, and leaves alone those it finds. An unknown codename raises LookupError.
    """
    known = _known(apps, app)
    for role, codenames in roles.items():
        group, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=role)
        for codename in codenames:
            if codename not in known:
                raise LookupError(f"{app} has no permission {codename}")
            model, name = known[codename]
            group.permissions.add(_permission(apps, using, app, model, codename, name))


def _known(apps: Any, app: str) -> dict[str, tuple[str, str]]:
    """Every permission of the app: codename to (model, name), as Django would make them."""
    known: dict[str, tuple[str, str]] = {}
    for model in apps.get_app_config(app).get_models():
        meta = model._meta
        named = meta.verbose_name_raw
        known |= {f"{a}_{meta.model_name}": (meta.model_name, f"Can {a} {named}") for a in ACTIONS}
        known |= {codename: (meta.model_name, name) for codename, name in meta.permissions}
    return known


def _permission(apps: Any, using: str, app: str, model: str, codename: str, name: str) -> Any:
    types, permissions = (
        apps.get_model("contenttypes", "ContentType").objects.using(using),
        apps.get_model("auth", "Permission").objects.using(using),
    )
    kind, _ = types.get_or_create(app_label=app, model=model)
    permission, _ = permissions.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
    return permission
