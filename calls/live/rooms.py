"""The live view of `/rooms`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.template.loader import render_to_string

from calls.access import Account, Scope, Sight, scope_of, sight_of
from calls.live import views
from calls.live.frames import Frame, Piece
from calls.live.views import Admission, View
from calls.rooms import RoomRow, changed_rows

AUDIENCES = frozenset({"all"})


@dataclass(frozen=True)
class RoomsLens:
    scope: Scope
    sight: Sight


def register() -> None:
    views.register("rooms", View(_admit, _render))


def _admit(user: Account, id: str) -> Admission | None:
    scope = scope_of(user)
    if not scope.sees_calls:
        return None
    return Admission(AUDIENCES, RoomsLens(scope, sight_of(user)))


def _render(frames: Sequence[Frame], id: str, lens: Hashable) -> Sequence[Sequence[Piece]]:
    seen = cast(RoomsLens, lens)
    wanted = {int(frame.id) for frame in frames if frame.kind == "room"}
    found = {row.id: row for row in changed_rows(seen.scope, seen.sight, wanted)} if wanted else {}
    return [[_piece(int(frame.id), found)] if frame.kind == "room" else () for frame in frames]


def _piece(room_id: int, found: Mapping[int, RoomRow]) -> Piece:
    target, room = f"room-{room_id}", found.get(room_id)
    if room is None:
        return Piece(target=target)
    html = render_to_string("calls/_room.html", {"room": room})
    return Piece(target=target, version=room.version, html=html, list="rooms")
