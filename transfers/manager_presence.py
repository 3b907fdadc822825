"""Whether a manager can be called: set by a person, by their own PIN, or by how an attempt went."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from calls.errors import Refused
from calls.events import SYSTEM, Actor, record
from calls.timing import now
from transfers import line
from transfers.models import Manager, Presence
from transfers.transfer_events import PresenceSet
from transfers.writing import manager_changed


def write(
    manager: Manager,
    presence: Presence,
    *,
    reason: str,
    until: datetime | None = None,
    actor: Actor = SYSTEM,
    call_id: UUID | None = None,
    **fields: object,
) -> None:
    """The one writer. Callers in line are looked at when somebody can be called again."""
    Manager.objects.filter(pk=manager.pk).update(
        presence=presence, presence_since=now(), presence_reason=reason[:80], presence_until=until, **fields
    )
    manager.refresh_from_db()
    record(
        PresenceSet(manager_id=str(manager.pk), presence=presence, until=until.isoformat() if until else ""),
        actor=actor,
        call_id=call_id,
        payload={"reason": reason} if reason else None,
    )
    manager_changed(manager)
    if presence == Presence.AVAILABLE:
        line.somebody_is_free(manager.departments.values_list("pk", flat=True))


def set_by_person(*, manager_id: UUID, user: User, presence: str, reason: str) -> Manager:
    """A supervisor says for somebody, with a reason, whether they are called. Raises Refused."""
    return set_for(manager_id=manager_id, actor=Actor.of(user), presence=presence, reason=reason)


def set_for(*, manager_id: UUID, actor: Actor, presence: str, reason: str) -> Manager:
    """A supervisor, or a program's key. Raises Refused."""
    if presence not in (Presence.AVAILABLE, Presence.AWAY):
        raise Refused(gettext("Choose available or away. Nothing was changed."))
    if not reason.strip():
        raise Refused(gettext("Say why: the manager and the history show it. Nothing was changed."))
    with transaction.atomic():
        manager = Manager.objects.select_for_update(of=("self",)).get(pk=manager_id)
        if manager.presence != presence:
            write(manager, Presence(presence), reason=reason.strip(), actor=actor, misses=0)
        return manager


LONGEST_AWAY = timedelta(days=90)


@transaction.atomic
def set_own(*, manager_id: UUID, presence: str, reason: str = "", until: datetime | None = None) -> Manager:
    """A manager says for themself; away needs a reason, `until` (aware) is optional. Raises Refused."""
    if presence not in (Presence.AVAILABLE, Presence.AWAY):
        raise Refused(gettext("Choose available or away. Nothing was changed."))
    away = presence == Presence.AWAY
    if away and not reason.strip():
        raise Refused(gettext("Say why you are away: your supervisors see it. Nothing was changed."))
    if away and until and not now() < until <= now() + LONGEST_AWAY:
        raise Refused(gettext("Choose a time that is still to come. Nothing was changed."))
    manager = Manager.objects.select_for_update(of=("self",)).get(pk=manager_id)
    actor = Actor("manager", str(manager.pk))
    why = reason.strip() if away else ""
    write(manager, Presence(presence), reason=why, until=until if away else None, actor=actor, misses=0)
    return manager


def available_by_pin(manager: Manager, *, call_id: UUID) -> None:
    """By a call from their own phone."""
    actor = Actor("manager", str(manager.pk))
    write(manager, Presence.AVAILABLE, reason="by their own call", actor=actor, call_id=call_id, misses=0)
