"""The rooms of the server as last seen, ours or not: what `/rooms` shows. Nothing else is decided by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from calls.compiled import Argument, Objects, insert_once
from calls.live.publish import changed
from calls.models import Call, Room
from calls.parsed import uuid
from calls.services.calls import live_call
from calls.services.legs import RoomFact
from calls.telephony.gateway import ParticipantInfo, RoomInfo, Track
from calls.timing import now
from calls.versions import count_up

KEEP_GONE = timedelta(hours=1)
NO_CALL = ("check", "ring")  # rooms of ours in which LiveKit, or a phone line, is tried
Entry = dict[str, Any]


def entry(one: ParticipantInfo) -> Entry:
    """A participant as the row keeps them."""
    return {
        "identity": one.identity,
        "sid": one.sid,
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "joined_at": one.joined_at.isoformat() if one.joined_at else None,
        "tracks": [_track(track) for track in one.tracks],
        "sip": {name: value for name, value in sorted(one.attributes.items()) if name.startswith("sip.")},
    }


def _track(track: Track) -> Entry:
    return {"sid": track.sid, "kind": track.kind, "source": track.source, "muted": track.muted}


def _write(info: RoomInfo, now_there: Callable[[Room], Sequence[Entry] | None], *, at: datetime) -> None:
    """A room is there. `now_there` says who is in it, or None: this word is older than the row."""
    with transaction.atomic(savepoint=False):
        room = _there.first(name=info.name) or Room(name=info.name, seen_at=at, version=0)
        entries = now_there(room)
        if entries is None:
            return
        fresh = {**_identity(info, room), "participants": list(entries), "gone_at": None}
        if info.created_at:
            fresh["created_at"] = info.created_at
        differing = {name: value for name, value in fresh.items() if getattr(room, name) != value}
        if not differing and room.version:
            return
        differing["seen_at"] = max(room.seen_at, at)
        if room.pk:
            _save(room, **differing)
        elif not _made(room, **differing):
            _write(info, now_there, at=at)  # another process was first


_there = Objects(
    Room, lambda: Room.objects.select_for_update(of=("self",)).filter(name=Argument("name")).order_by()
)


def _made(room: Room, **fresh: Any) -> bool:
    for name, value in (fresh | {"version": 1}).items():
        setattr(room, name, value)
    if not insert_once(room):
        return False
    _tell(room)
    return True


def _save(room: Room, **fresh: Any) -> None:
    count_up(room, **fresh)
    _tell(room)


def _tell(room: Room) -> None:
    changed("room", str(room.pk), room.version)


def _identity(info: RoomInfo, room: Room) -> dict[str, Any]:
    """What the room is: by its metadata, or because a call of ours is in it. A track's webhook has neither."""
    ours = RoomFact(info.name, info.sid, info.metadata).ours
    known = room.sid == info.sid and room.kind != Room.Kind.FOREIGN
    if known and (ours is None or room.call_id):
        return {"sid": info.sid}
    if ours is not None and ours.get("kind") == "consult":
        call_id = uuid(str(ours.get("call", "")))
        call = Call.objects.filter(pk=call_id).first() if call_id else None
        kind = Room.Kind.CONSULT
    else:
        call = live_call(info.name) or (room.call if known else None)
        of_a_call = call or (ours is not None and ours.get("kind") not in NO_CALL)
        kind = Room.Kind.CALL if of_a_call else Room.Kind.FOREIGN
    return {
        "sid": info.sid,
        "kind": kind,
        "call_id": call.pk if call else None,
        "attempt_id": uuid(str((ours or {}).get("attempt", ""))),
    }


def started(info: RoomInfo, *, at: datetime) -> None:
    _write(info, lambda room: room.participants, at=at)


def joined(info: RoomInfo, who: ParticipantInfo, *, at: datetime) -> None:
    _write(info, lambda room: [*_without(room, who), entry(who)], at=at)


def left(info: RoomInfo, who: ParticipantInfo, *, at: datetime) -> None:
    _write(info, lambda room: _without(room, who), at=at)


def _without(room: Room, who: ParticipantInfo) -> list[Entry]:
    return [one for one in room.participants if one["sid"] != who.sid]


def track_changed(info: RoomInfo, who: ParticipantInfo, track: Track, *, at: datetime, published: bool) -> None:
    """Somebody began or stopped to send a track."""

    def after(room: Room) -> list[Entry]:
        return [_with_track(e, track, published) if e["sid"] == who.sid else e for e in room.participants]

    _write(info, after, at=at)


def _with_track(one: Entry, track: Track, published: bool) -> Entry:
    others = [t for t in one["tracks"] if t["sid"] != track.sid]
    return {**one, "tracks": [*others, _track(track)] if published else others}


def listed(info: RoomInfo, who: Iterable[ParticipantInfo], *, at: datetime) -> None:
    """The whole truth of a room, of a listing begun at `at`; a webhook that came since knows better."""
    entries = sorted((entry(one) for one in who), key=lambda e: (e["joined_at"] or "", e["identity"]))
    _write(info, lambda room: None if room.seen_at > at else entries, at=at)


def gone(name: str, *, sid: str = "", at: datetime) -> None:
    """The server closed it. Who was in it is forgotten at once, the row after an hour."""
    with transaction.atomic(savepoint=False):
        room = _there.first(name=name)
        if room is None or room.gone_at or room.seen_at > at or (sid and room.sid and room.sid != sid):
            return
        _save(room, gone_at=at, participants=[])


def forget_gone() -> None:
    Room.objects.filter(gone_at__lt=now() - KEEP_GONE).delete()
