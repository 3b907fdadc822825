"""What the server says of rooms and participants: from webhooks, listings and agents alike.

Every function may be called with the same fact again, late or out of order, and then changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from calls.announcements import leg_joined, leg_left, leg_status_changed
from calls.compiled import Argument, Exists, Objects, OneOf, Update, insert
from calls.events import SYSTEM, LegJoined, LegLeft, record
from calls.models import Call, Leg, LegKind
from calls.services.calls import (
    NO_AGENT_AFTER,
    Caller,
    end_call,
    known_by,
    live_call,
    locked,
    open_call,
    touched,
)
from calls.states import CallState
from calls.timing import now


@dataclass(frozen=True)
class RoomFact:
    """A room as a webhook or a listing names it."""

    name: str
    sid: str = ""
    metadata: str = ""

    @property
    def ours(self) -> Mapping[str, str] | None:
        """The metadata if it carries this installation's id. A name proves nothing."""
        try:
            data = json.loads(self.metadata) if self.metadata else {}
        except ValueError:
            return None
        mine = isinstance(data, dict) and data.get("patchbay") == settings.PATCHBAY_INSTALLATION
        return data if mine else None


@dataclass(frozen=True)
class ParticipantFact:
    """A participant as a webhook or a listing names them. `kind` is LiveKit's: sip, agent, standard…"""

    identity: str
    sid: str
    kind: str = "standard"
    attributes: Mapping[str, str] = field(default_factory=dict)
    joined_at: datetime | None = None


PREFIXES = {
    "transfer-": LegKind.TRANSFER,
    "bridge-": LegKind.BRIDGE,
    "manager-": LegKind.MANAGER,
    "listen-": LegKind.LISTENER,
    "supervisor-": LegKind.SUPERVISOR,
}


# They only come to a call: nothing of it changes by them, and `supervision` says what follows.
SUPERVISING = (LegKind.LISTENER, LegKind.SUPERVISOR)


def leg_kind(participant: ParticipantFact) -> LegKind:
    """By identity, which only our tokens and dials give; a caller is a phone or a test caller."""
    if participant.identity == "support":
        return LegKind.SUPPORT
    for prefix, kind in PREFIXES.items():
        if participant.identity.startswith(prefix):
            return kind
    if participant.kind == "agent":  # somebody's own agent has the identity that LiveKit gives it
        return LegKind.SUPPORT if participant.identity.startswith("agent-") else LegKind.OTHER
    return LegKind.CALLER


def attempt_of(identity: str) -> UUID | None:
    """The attempt's id that an identity or a consultation room's name carries."""
    head, _, tail = identity.partition("-")
    if head not in ("transfer", "bridge", "manager", "consult"):
        return None
    try:
        return UUID(tail)
    except ValueError:
        return None


def call_for(room: RoomFact, *, lock: bool = False) -> Call | None:
    """The live call a room belongs to: opened for a call room of ours, found for a consultation's.

    With `lock` it is locked for the rest of the transaction.
    """
    ours = room.ours
    if ours is not None and ours.get("kind") == "consult":
        call_id = ours.get("call")
        calls = Call.objects.select_for_update(of=("self",)) if lock else Call.objects.all()
        return calls.filter(pk=call_id).first() if call_id else None
    known = live_call(room.name, lock=lock)
    if known or ours is None:
        return known
    if not room.name.startswith("call-") or _is_over(room):
        return None
    return open_call(
        room.name,
        room_sid=room.sid,
        source=Call.Source.TEST if ours.get("source") == "test" else Call.Source.PHONE,
        rehearsal=bool(ours.get("rehearsal")),
        department=ours.get("department", ""),
    )


def _is_over(room: RoomFact) -> bool:
    """Late word of a room whose call has ended opens no new one."""
    return bool(room.sid) and _ended(room_name=room.name, room_sid=room.sid)


def _ended_in_room() -> QuerySet[Call]:
    room = {"room_name": Argument("room_name"), "room_sid": Argument("room_sid")}
    return Call.objects.filter(state=CallState.INACTIVE, **room)


_ended = Exists(_ended_in_room)


def participant_seen(room: RoomFact, participant: ParticipantFact) -> Leg | None:
    """A participant is in a room. None if the room is not ours."""
    status = participant.attributes.get("sip.callStatus", "")
    with transaction.atomic(savepoint=False):
        leg = _of_sid.first(sid=participant.sid)
        if leg is None:
            call = call_for(room, lock=True)
            if call is None:
                return None
            leg = _join(call, room, participant)
        elif status and status != leg.sip_status:
            locked(leg.call_id)  # what follows of it changes the call's transfer
        if status:
            leg_status(leg, status)
        return leg


_of_sid = Objects(Leg, lambda: Leg.objects.filter(participant_sid=Argument("sid")))


def _join(call: Call, room: RoomFact, participant: ParticipantFact) -> Leg:
    """The call is locked: whoever tells of the same participant at this moment waits, and finds them here."""
    known = _of_sid.first(sid=participant.sid)
    if known:
        return known
    kind = leg_kind(participant)
    leg = Leg(
        participant_sid=participant.sid,
        call=call,
        attempt_id=attempt_of(participant.identity),
        kind=kind,
        identity=participant.identity,
        room_name=room.name,
        by_phone=participant.kind == "sip",
        joined_at=participant.joined_at or now(),
    )
    insert(leg)
    _replace_earlier(leg)
    record(LegJoined(leg_kind=kind), actor=SYSTEM, call_id=call.pk, attempt_id=leg.attempt_id)
    if kind not in SUPERVISING:
        _seen_in_call(call, leg, room, participant)
    leg_joined.send(sender=Leg, leg=leg)
    return leg


def _seen_in_call(call: Call, leg: Leg, room: RoomFact, participant: ParticipantFact) -> None:
    at = now()
    fresh: dict[str, Any] = {"last_fact_at": at, "missed_listings": 0}
    if room.sid and room.name == call.room_name:
        fresh["room_sid"] = room.sid
    if leg.kind == LegKind.CALLER and room.name == call.room_name and call.is_live:
        attributes = participant.attributes
        caller = Caller(
            identity=participant.identity,
            number=attributes.get("sip.phoneNumber", ""),
            dialled=attributes.get("sip.trunkPhoneNumber", ""),
        )
        fresh |= known_by(call, caller)
        fresh["wake_at"] = at + NO_AGENT_AFTER  # `calls.services.watch` looks for a missing SupportAgent
    touched(call, **fresh)


def _replace_earlier(leg: Leg) -> None:
    """The server lets one participant of an identity be in a room: whoever comes again never left."""
    _left_before(room_name=leg.room_name, identity=leg.identity, id=leg.pk, at=now())


def _others_of_name() -> QuerySet[Leg]:
    there = _present_in_room().filter(identity=Argument("identity"))
    return there.exclude(pk=Argument("id"))


_left_before = Update(_others_of_name, left_at=Argument("at"), leave_reason="replaced")


ORDER = ("", "dialing", "ringing", "automation", "active", "hangup")


def _before() -> QuerySet[Leg]:
    return Leg.objects.filter(OneOf(F("sip_status"), Argument("earlier")), pk=Argument("id"))


_goes_on = Update(_before, sip_status=Argument("status"))


def leg_status(leg: Leg, status: str) -> None:
    """A leg's `sip.callStatus`: only ever forward, whatever order the facts come in."""
    if status not in ORDER:
        return
    earlier = ORDER[: ORDER.index(status)]
    if _goes_on(id=leg.pk, earlier=list(earlier), status=status):
        leg.sip_status = status
        leg_status_changed.send(sender=Leg, leg=leg)


# The server's reasons for ending a connection whose participant is back already, or about to be: whoever
# does not come back is missed by two listings.
MAY_BE_BACK = frozenset({"duplicate_identity", "server_shutdown", "migration", "state_mismatch"})


def _present_in_room() -> QuerySet[Leg]:
    return Leg.objects.filter(room_name=Argument("room_name"), left_at=None)


_present = Objects(Leg, _present_in_room)
_left = Update(
    lambda: Leg.objects.filter(pk=Argument("id"), left_at=None),
    left_at=Argument("at"),
    leave_reason=Argument("reason"),
)


def participant_left(
    room_name: str,
    *,
    identity: str = "",
    participant_sid: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> None:
    """A participant left a room; by sid where known, else the present one of that identity."""
    if reason.lower() in MAY_BE_BACK:
        return
    legs = _present.all(room_name=room_name)
    with transaction.atomic(savepoint=False):
        for found in legs:
            if (found.participant_sid != participant_sid) if participant_sid else (found.identity != identity):
                continue
            call = locked(found.call_id)
            found.left_at, found.leave_reason = at or now(), reason[:40]
            if not _left(id=found.pk, at=found.left_at, reason=found.leave_reason):
                continue
            record(
                LegLeft(leg_kind=found.kind, reason=reason[:40]),
                actor=SYSTEM,
                call_id=call.pk,
                attempt_id=found.attempt_id,
            )
            leg_left.send(sender=Leg, leg=found)
            last = found.kind == LegKind.CALLER and found.identity == call.caller_identity
            ended = last and end_call(call, reason="caller_left")
            if not ended and found.kind not in SUPERVISING:
                touched(call)


def room_finished(room_name: str, *, room_sid: str = "") -> None:
    """The server closed a room: everyone in it has left; a call whose room it was has ended.

    A room that came back with a new sid is the same call, so a late word of the old one changes nothing.
    """
    with transaction.atomic(savepoint=False):
        call = live_call(room_name, lock=True)
        if call and room_sid and call.room_sid and call.room_sid != room_sid:
            return
        for leg in _present.all(room_name=room_name):
            participant_left(room_name, participant_sid=leg.participant_sid, reason="room_finished")
        if call:
            end_call(call, reason="room_finished")
