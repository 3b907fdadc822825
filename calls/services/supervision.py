"""Supervisors in a call: a grant is opened by a click, joined by its leg, and ended once.

Whoever listens changes nothing of the call: no row of it is written for them. What the others mean for the call
is done when they are there, not when they click: `steering`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext, gettext_noop

from calls import effects
from calls.compiled import Argument, Exists
from calls.errors import Refused
from calls.events import SYSTEM, Actor, SupervisionEnded, SupervisionJoined, SupervisionOpened, record
from calls.hints import each
from calls.models import Call, Leg, Supervision
from calls.services import steering
from calls.services.calls import locked, shown
from calls.services.legs import SUPERVISING
from calls.services.supervised import open_ones
from calls.services.watch import web_was_there
from calls.states import SUPERVISION_TRANSITIONS
from calls.states import SupervisionEnd as End
from calls.states import SupervisionMode as Mode
from calls.states import SupervisionState as State
from calls.timing import now

UNUSED_AFTER = timedelta(seconds=10)  # from the click to being in the room
AWAY_FOR = timedelta(seconds=5)
SILENT_FOR = timedelta(seconds=10)  # of a browser that has taken over: LiveKit would notice after 20 s
REMOVED_AGAIN_AFTER = timedelta(seconds=1)


# ── what a person does ───────────────────────────────────────────────────────────────────────────


def start(*, call_id: UUID, user: User, mode: Mode, key: UUID, attempt_id: UUID | None = None) -> Supervision:
    """A grant for one call; the same `key` is the same grant. Raises Refused.

    `attempt_id`: on the side of that manager, who is known to be there. What the user did before in the call ends,
    and what they said in another, if they are to speak.
    """
    try:
        with transaction.atomic():
            call = locked(call_id)
            again = Supervision.objects.filter(request_key=key, user=user).first()
            if again:
                return _still_open(again)
            if not call.is_live:
                raise Refused(gettext("The call has ended, so there is nobody to hear. Nothing was changed."))
            _nobody_in_the_way(call, user, mode)
            if mode != Mode.LISTEN:
                _not_with_another_caller(call, user)
            for earlier in open_ones().filter(call=call, user=user):
                end(earlier, End.REPLACED, actor=Actor.of(user))
            grant = _open(call, user, mode, key, attempt_id)
    except IntegrityError as error:
        raise Refused(gettext("This click came twice, in two calls. Nothing was changed; try again.")) from error
    if mode != Mode.LISTEN:
        _silent_elsewhere(grant)
    return grant


WHY_OVER = {
    End.STOPPED: gettext_noop("You have left this call."),
    End.GAVE_BACK: gettext_noop("The AI has the caller again."),
    End.UNUSED: gettext_noop(
        "It took too long to connect, so you are not in the call. Nothing in it was changed; try again."
    ),
    End.LOST: gettext_noop(
        "Your connection was lost, so you left the call. If you had taken it over, the AI has it again."
    ),
    End.REPLACED: gettext_noop("You do something else now, perhaps in another window."),
    End.TAKEN_OVER: gettext_noop(
        "Another supervisor has taken the call over, so nobody else speaks in it. You can listen."
    ),
    End.SIDE_OVER: gettext_noop("The manager has left the line, so there is nobody to hear or to be heard by."),
    End.CALL_ENDED: gettext_noop("The call has ended."),
}


def _still_open(grant: Supervision) -> Supervision:
    if not grant.is_open:
        raise Refused(gettext(WHY_OVER[End(grant.end_reason)]))
    return grant


def _nobody_in_the_way(call: Call, user: User, mode: Mode) -> None:
    """Who has taken over is alone with the caller. Raises Refused."""
    taken = open_ones().filter(call=call, mode=Mode.TAKE_OVER).first()
    if taken is None:
        return
    if taken.user_id == user.pk:
        raise Refused(gettext("You have taken this call over. Give the caller back first. Nothing was changed."))
    if mode != Mode.LISTEN:
        name = taken.user.get_username()
        raise Refused(
            gettext("%(name)s has taken this call over: nobody else speaks in it. Nothing was changed.")
            % {"name": name}
        )


def _not_with_another_caller(call: Call, user: User) -> None:
    """Who has taken a caller over speaks to nobody else. Raises Refused."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # in another window they may click just now
    if open_ones().filter(user=user, mode=Mode.TAKE_OVER).exclude(call=call).exists():
        raise Refused(
            gettext(
                "You talk to another caller, perhaps in another window. Give them back first. Nothing was changed."
            )
        )


def _silent_elsewhere(grant: Supervision) -> None:
    """One voice is not heard in two calls: what the user said in others ends. No other call may be locked now."""
    spoken = open_ones().filter(user=grant.user, opened_at__lte=grant.opened_at).exclude(mode=Mode.LISTEN)
    for earlier in spoken.exclude(call=grant.call).values_list("pk", flat=True):
        with transaction.atomic():
            found = _locked(earlier)
            if found.is_open:
                end(found, End.REPLACED, actor=Actor.of(grant.user))


def _open(call: Call, user: User, mode: Mode, key: UUID, attempt_id: UUID | None) -> Supervision:
    at = now()
    grant = Supervision.objects.create(
        call=call, user=user, mode=mode, request_key=key, attempt_id=attempt_id, opened_at=at, seen_at=at
    )
    record(
        SupervisionOpened(grant_id=str(grant.pk), mode=mode, side="consultation" if attempt_id else "call"),
        actor=Actor.of(user),
        call_id=call.pk,
        attempt_id=attempt_id,
    )
    shown(call)
    return grant


def stop(*, grant_id: UUID, user: User) -> None:
    """By whoever it belongs to; a second time changes nothing. Who has taken over gives the caller back by it."""
    with transaction.atomic():
        grant = _locked(grant_id)
        if grant.user_id == user.pk:
            taken = grant.mode == Mode.TAKE_OVER and grant.state == State.JOINED
            end(grant, End.GAVE_BACK if taken else End.STOPPED, actor=Actor.of(user))


def renewed(*, grant_id: UUID, user: User) -> Supervision:
    """One's own grant, to connect (again) with. Raises Refused when it has ended, DoesNotExist if it never was."""
    return _still_open(Supervision.objects.select_related("call", "user").get(pk=grant_id, user=user))


def seen(*, grant_id: UUID, user: User) -> bool:
    """The browser's beat; False when the grant has ended."""
    mine = Supervision.objects.filter(pk=grant_id, user=user).exclude(state=State.ENDED)
    return bool(mine.update(seen_at=now()))


# ── what the server says ─────────────────────────────────────────────────────────────────────────


def on_leg_joined(*, leg: Leg, **_: Any) -> None:
    """They are in a room: for the first time, again, or with a token of a grant that has ended."""
    grant_id = grant_in(leg.identity) if leg.kind in SUPERVISING else None
    if grant_id is None:
        return
    grant = _locked(grant_id) if Supervision.objects.filter(pk=grant_id).exists() else None
    if grant is None or not grant.is_open:
        remove(grant_id)
    elif grant.state == State.OPENED:
        _joined(grant)
    else:
        Supervision.objects.filter(pk=grant_id).update(away_since=None)


def _joined(grant: Supervision) -> None:
    if not _move(grant, State.JOINED, joined_at=now(), seen_at=now()):
        return
    record(
        SupervisionJoined(grant_id=str(grant.pk), mode=grant.mode),
        actor=Actor.of(grant.user),
        call_id=grant.call_id,
        attempt_id=grant.attempt_id,
    )
    if grant.mode == Mode.TAKE_OVER:
        others = open_ones().filter(call=grant.call_id, mode__in=(Mode.BARGE, Mode.WHISPER))
        for other in others:
            end(other, End.TAKEN_OVER, actor=Actor.of(grant.user))
        steering.take_over(grant)
    elif grant.mode == Mode.BARGE:
        steering.barge(grant, on=True)


def on_leg_left(*, leg: Leg, **_: Any) -> None:
    """Perhaps only to come back: a connection that broke, or another room of the same side."""
    grant_id = grant_in(leg.identity) if leg.kind in SUPERVISING else None
    elsewhere = Leg.objects.filter(identity=leg.identity, left_at=None).exclude(pk=leg.pk)
    if grant_id and not elsewhere.exists():
        Supervision.objects.filter(pk=grant_id, state=State.JOINED).update(away_since=now())


def speaks(identity: str) -> None:
    """Somebody publishes a track: a whisper is for one pair of ears."""
    grant_id = grant_in(identity)
    if grant_id and open_ones().filter(pk=grant_id, mode=Mode.WHISPER).exists():
        effects.once_more("keep_aside", grant_id, pause=timedelta(0))


def on_call_ended(*, call: Call, **_: Any) -> None:
    if _watched(call=call.pk):  # hardly any is
        for grant in open_ones().filter(call=call):
            end(grant, End.CALL_ENDED)


_watched = Exists(lambda: open_ones().filter(call=Argument("call")))


def side_over(attempt_id: UUID) -> None:
    """The manager on whose side they were has gone."""
    for grant in open_ones().filter(attempt_id=attempt_id):
        end(grant, End.SIDE_OVER)


def check_present(identities: Iterable[str]) -> None:
    """Whoever a listing shows in a room has a grant that has not ended, or is removed."""
    found = {grant_id for identity in identities if (grant_id := grant_in(identity))}
    if found:
        welcome = open_ones().filter(pk__in=found).values_list("pk", flat=True)
        for grant_id in found - set(welcome):
            remove(grant_id, pause=REMOVED_AGAIN_AFTER)


def grant_in(identity: str) -> UUID | None:
    """The grant's id that a supervisor's identity carries."""
    head, _, tail = identity.partition("-")
    try:
        return UUID(tail) if head in ("listen", "supervisor") else None
    except ValueError:
        return None


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def tick() -> None:
    """The clock's part: who did not come, and who has been away for too long."""
    grants = list(open_ones())
    if grants:
        at, judges_silence = now(), web_was_there()
        each([one for one in grants if overdue(one, at, judges_silence)], _end_by_time)


def overdue(grant: Supervision, at: datetime, judges_silence: bool) -> End | None:
    """How an open grant ends by itself at this time, if it does."""
    if grant.state == State.OPENED:
        return End.UNUSED if at >= grant.opened_at + UNUSED_AFTER else None
    if grant.away_since and at >= grant.away_since + AWAY_FOR:
        return End.LOST
    silent = grant.mode == Mode.TAKE_OVER and at >= grant.seen_at + SILENT_FOR
    return End.LOST if silent and judges_silence else None


def _end_by_time(found: Supervision) -> None:
    with transaction.atomic():
        grant = _locked(found.pk)
        reason = overdue(grant, now(), judges_silence=True) if grant.is_open else None
        if reason:
            end(grant, reason)


# ── the one end ──────────────────────────────────────────────────────────────────────────────────


def end(grant: Supervision, reason: End, *, actor: Actor = SYSTEM) -> bool:
    """Once; whoever is still in a room by it is removed, and what they meant for the call is over."""
    was_there, at = grant.state == State.JOINED, now()
    if not _move(grant, State.ENDED, ended_at=at, end_reason=reason):
        return False
    seconds = (at - grant.joined_at).total_seconds() if grant.joined_at else 0.0
    record(
        SupervisionEnded(grant_id=str(grant.pk), mode=grant.mode, reason=reason, seconds=round(seconds, 1)),
        actor=actor,
        call_id=grant.call_id,
        attempt_id=grant.attempt_id,
    )
    remove(grant.pk)
    if was_there and grant.mode == Mode.BARGE:
        steering.barge(grant, on=False)
    elif was_there and grant.mode == Mode.TAKE_OVER:
        steering.give_back(grant, actor=actor)
    return True


def remove(grant_id: UUID, *, pause: timedelta = timedelta(0)) -> None:
    """From every room that they are in, unless that was done less than `pause` ago."""
    effects.once_more("remove_supervisor", grant_id, pause=pause)


def _locked(grant_id: UUID) -> Supervision:
    """With its call, which is locked first, for the rest of the transaction."""
    call = locked(Supervision.objects.values_list("call_id", flat=True).get(pk=grant_id))
    grant = Supervision.objects.select_for_update(of=("self",)).select_related("user").get(pk=grant_id)
    grant.call = call
    return grant


def _move(grant: Supervision, to: State, **fields: Any) -> bool:
    """Along the table by compare-and-set, with `fields`; False if it is there, or beyond it, already."""
    source = State(grant.state)
    if to not in SUPERVISION_TRANSITIONS[source]:
        return False
    moved = Supervision.objects.filter(pk=grant.pk, state=source).update(
        state=to, version=F("version") + 1, **fields
    )
    if moved:
        call, user = grant.call, grant.user
        grant.refresh_from_db()
        grant.call, grant.user = call, user
        shown(call)
    return bool(moved)
