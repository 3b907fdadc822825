"""The rooms of the server as last seen, ours and others, as an account may see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from calls.access import Scope, Sight
from calls.compiled import Argument, ObjectsFor, OneOf
from calls.display import masked
from calls.models import Room

MOST = 600
ICONS = {"sip": "phone", "agent": "robot", "standard": "user", "egress": "download", "ingress": "upload"}
ROLE = {Room.Kind.CALL: "ai", Room.Kind.CONSULT: "brief", Room.Kind.FOREIGN: "ended"}


@dataclass(frozen=True)
class ParticipantRow:
    identity: str
    kind: str
    icon: str
    state: str
    joined_at: datetime | None
    tracks: tuple[str, ...]
    sip: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoomRow:
    id: int
    name: str
    kind: str
    role: str
    call_id: UUID | None
    created_at: datetime | None
    participants: tuple[ParticipantRow, ...]
    version: int
    sort: str


def rooms_in(scope: Scope) -> QuerySet[Room]:
    """Rooms that exist now: those of calls in scope, and every room that is nobody's call."""
    if not (scope.sees_calls or scope.every_department):
        return Room.objects.none()
    of_calls = Q(call=None) if scope.every_department else Q(call=None) | _of_department(scope)
    seen = Room.objects.filter(gone_at=None)
    return seen if scope.every_department else seen.filter(of_calls)


def _of_department(scope: Scope) -> Q:
    return Q(call__department__in=scope.departments) | Q(call__isnull=False, call__department=None)


def room_rows(scope: Scope, sight: Sight) -> Sequence[RoomRow]:
    rows = rooms_in(scope).order_by("kind", "-created_at", "name")[:MOST]
    return [_row(room, sight) for room in rows]


def changed_rows(scope: Scope, sight: Sight, ids: Collection[int]) -> Sequence[RoomRow]:
    """Those of these rooms that are there, in any order."""
    return [_row(room, sight) for room in _of_ids.all(scope, ids=list(ids))]


def _of_ids_in(scope: Scope) -> QuerySet[Room]:
    return rooms_in(scope).filter(OneOf(F("pk"), Argument("ids")))


_of_ids = ObjectsFor(Room, _of_ids_in)


def _row(room: Room, sight: Sight) -> RoomRow:
    order = {Room.Kind.CALL: 0, Room.Kind.CONSULT: 1}.get(Room.Kind(room.kind), 2)
    return RoomRow(
        id=room.pk,
        name=masked(room.name, sight),
        kind=room.get_kind_display(),
        role=ROLE[Room.Kind(room.kind)],
        call_id=room.call_id,
        created_at=room.created_at,
        participants=tuple(_participant(p, sight) for p in room.participants),
        version=room.version,
        sort=f"{order}-{9e9 - (room.created_at.timestamp() if room.created_at else 0):015.3f}-{room.name}",
    )


def _participant(data: Mapping[str, Any], sight: Sight) -> ParticipantRow:
    kind = str(data.get("kind") or "standard").lower()
    sip = data.get("sip") or {}
    tracks = []
    for track in data.get("tracks") or ():
        source = str(track.get("source") or track.get("kind") or "track").lower().replace("_", " ")
        tracks.append(gettext("%(track)s, muted") % {"track": source} if track.get("muted") else source)
    return ParticipantRow(
        identity=masked(str(data.get("identity") or data.get("name") or "?"), sight),
        kind=kind,
        icon=ICONS.get(kind, "user"),
        state=str(data.get("state") or "").lower(),
        joined_at=_time(data.get("joined_at")),
        tracks=tuple(tracks),
        sip=tuple((name.removeprefix("sip."), masked(_text(value), sight)) for name, value in sorted(sip.items())),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _time(value: Any) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else None
