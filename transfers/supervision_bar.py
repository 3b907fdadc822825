"""What the call page shows of supervision: what may be done now, who is in the call, what the AI was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext

from calls.access import Sight
from calls.models import Call, Supervision
from calls.services.coaching import Whisper, whispers
from calls.services.supervised import open_ones
from calls.states import CallerWith, SupervisionMode
from transfers.models import Attempt
from transfers.supervising import ON_THE_LINE, heard_by, room_of


@dataclass(frozen=True)
class Watcher:
    """Somebody in the call. Their own browser finds itself by `grant`, and follows when `room` changes."""

    grant: UUID
    name: str
    words: str
    icon: str
    since: datetime
    room: str
    heard_by: str


@dataclass(frozen=True)
class SupervisionBar:
    """What may be done now; `manager` names whoever is on the line."""

    version: int
    watchers: tuple[Watcher, ...]
    whispers: tuple[Whisper, ...]
    manager: str
    listens: bool
    listens_aside: bool
    whispers_to_ai: bool
    whispers_to_manager: bool
    joins_in: bool
    takes_over: bool

    @property
    def is_empty(self) -> bool:
        return not (self.listens or self.whispers_to_ai or self.watchers or self.whispers)


ICONS = {
    SupervisionMode.LISTEN: "ear",
    SupervisionMode.WHISPER: "message-2-share",
    SupervisionMode.BARGE: "microphone",
    SupervisionMode.TAKE_OVER: "headset",
}


def supervision_bar(call: Call, newest: Attempt | None, sight: Sight) -> SupervisionBar:
    """`newest` is the call's newest attempt."""
    there = list(open_ones().filter(call=call))
    attempt = newest if newest and newest.state in ON_THE_LINE else None
    taken = any(one.mode == SupervisionMode.TAKE_OVER for one in there)
    speaks = sight.listen and sight.supervise and call.is_live and not taken
    with_agent = call.caller_with in (CallerWith.AI, CallerWith.HOLD)
    told = whispers(call) if sight.supervise else ()
    return SupervisionBar(
        version=_version(call) + sum(one.outcome != "waiting" for one in told),
        watchers=tuple(_watcher(one, attempt) for one in there),
        whispers=told,
        manager=attempt.manager.name if attempt else "",
        listens=sight.listen and call.is_live,
        listens_aside=sight.listen and call.is_live and attempt is not None,
        whispers_to_ai=sight.supervise and call.is_live and with_agent,
        whispers_to_manager=speaks and attempt is not None,
        joins_in=speaks,
        takes_over=speaks,
    )


def _version(call: Call) -> int:
    """Grows with every change of any grant."""
    return int(Supervision.objects.filter(call=call).aggregate(n=Sum("version"))["n"] or 0)


def _watcher(grant: Supervision, attempt: Attempt | None) -> Watcher:
    mode = SupervisionMode(grant.mode)
    manager = attempt.manager.name if attempt else gettext("the manager")
    words = {
        SupervisionMode.LISTEN: gettext("listens to %(manager)s") if grant.attempt_id else gettext("listens"),
        SupervisionMode.WHISPER: gettext("whispers to %(manager)s"),
        SupervisionMode.BARGE: gettext("has joined in"),
        SupervisionMode.TAKE_OVER: gettext("has taken over")
        if grant.joined_at
        else gettext("is about to take over"),
    }[mode] % {"manager": manager}
    return Watcher(
        grant=grant.pk,
        name=grant.user.get_username(),
        words=words,
        icon=ICONS[mode],
        since=grant.joined_at or grant.opened_at,
        room=room_of(grant),
        heard_by=heard_by(grant, attempt),
    )
