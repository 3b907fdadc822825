"""What an attempt means for the manager afterwards: time to write things up, or away when nobody ever answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from calls.timing import midnight, now
from transfers import desk_presence, hours, line, manager_presence
from transfers.models import Attempt, Manager, Policy, Presence
from transfers.states import Outcome
from transfers.writing import manager_touched

NOTE_TIME = timedelta(minutes=10)  # nobody is lost to callers behind a note that is never written
NOT_TODAY = "not today"


def talked(attempt: Attempt, policy: Policy) -> None:
    """They were on the phone with us: idle from now on, and wrapping up for as long as the department says."""
    manager = attempt.manager
    manager.refresh_from_db()
    practice = attempt.transfer.call.is_practice  # which counts for nothing
    writes_up = None if practice else _writes_up(attempt, policy)
    if not practice:
        Manager.objects.filter(pk=manager.pk).update(last_call_ended_at=now(), misses=0)
    if writes_up and manager.presence == Presence.AVAILABLE:
        until = now() + writes_up
        manager_presence.write(manager, Presence.WRAPPING_UP, reason="after a call", until=until)
        return
    manager.refresh_from_db()
    manager_touched(attempt)
    line.somebody_is_free(manager.departments.values_list("pk", flat=True))


def _writes_up(attempt: Attempt, policy: Policy) -> timedelta | None:
    """As long as the department says; without that, whoever has their desk open until they have noted the call."""
    if policy.wrap_up_s:
        return timedelta(seconds=policy.wrap_up_s)
    return NOTE_TIME if attempt.merged_at and desk_presence.is_open(attempt.manager_id) else None


def missed(attempt: Attempt, policy: Policy) -> None:
    """Nobody answered: after so many in a row they are away, until their next shift or a supervisor."""
    if attempt.outcome != Outcome.NO_ANSWER or attempt.transfer.call.is_practice:
        return
    manager = attempt.manager
    Manager.objects.filter(pk=manager.pk).update(misses=F("misses") + 1)
    manager.refresh_from_db()
    limit = policy.away_after_misses
    if limit and manager.misses >= limit and manager.presence == Presence.AVAILABLE:
        reason = f"{manager.misses} unanswered calls"
        manager_presence.write(manager, Presence.AWAY, reason=reason, until=back_at(manager), misses=0)


def not_today(attempt: Attempt) -> None:
    """Key 9: away until the next shift after today, or until a supervisor or their own PIN says otherwise."""
    manager = attempt.manager
    if attempt.transfer.call.is_practice:
        return
    manager_presence.write(manager, Presence.AWAY, reason=NOT_TODAY, until=back_at(manager))


def back_at(manager: Manager) -> datetime:
    """When their next shift begins; without shifts the next day (UTC)."""
    return hours.next_shift(hours.of_manager(manager), now()) or midnight() + hours.DAY
