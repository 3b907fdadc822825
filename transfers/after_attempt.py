"""What an attempt means for the manager afterwards: time to write things up, or away when nobody ever answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from calls.timing import now
from transfers.models import Attempt, Manager, Policy, Presence
from transfers.roster import next_shift
from transfers.states import Outcome
from transfers.writing import manager_touched

NOT_TODAY = "not today"


def talked(attempt: Attempt, policy: Policy) -> None:
    """They were on the phone with us: idle from now on, and wrapping up for as long as the department says."""
    fields: dict[str, object] = {"last_call_ended_at": now(), "misses": 0}
    if policy.wrap_up_s and attempt.manager.presence == Presence.AVAILABLE:
        fields |= _presence(Presence.WRAPPING_UP, "after a call", now() + timedelta(seconds=policy.wrap_up_s))
    _write(attempt, fields)


def missed(attempt: Attempt, policy: Policy) -> None:
    """Nobody answered: after so many in a row they are away, until their next shift or a supervisor."""
    if attempt.outcome != Outcome.NO_ANSWER:
        return
    Manager.objects.filter(pk=attempt.manager_id).update(misses=F("misses") + 1)
    attempt.manager.refresh_from_db()
    limit = policy.away_after_misses
    if limit and attempt.manager.misses >= limit and attempt.manager.presence == Presence.AVAILABLE:
        reason = f"{attempt.manager.misses} unanswered calls"
        _write(attempt, _presence(Presence.AWAY, reason, back_at(attempt.manager)) | {"misses": 0})


def not_today(attempt: Attempt) -> None:
    """Key 9: away until the next shift after today, or until a supervisor says otherwise."""
    _write(attempt, _presence(Presence.AWAY, NOT_TODAY, back_at(attempt.manager)))


def back_at(manager: Manager) -> datetime:
    """When their next shift begins; without shifts the next day (UTC)."""
    tomorrow = (now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return next_shift(list(manager.shifts.all()), now()) or tomorrow


def _presence(presence: Presence, reason: str, until: datetime) -> dict[str, object]:
    return {
        "presence": presence,
        "presence_since": now(),
        "presence_reason": reason,
        "presence_until": until,
    }


def _write(attempt: Attempt, fields: dict[str, object]) -> None:
    Manager.objects.filter(pk=attempt.manager_id).update(**fields)
    attempt.manager.refresh_from_db()
    manager_touched(attempt)
