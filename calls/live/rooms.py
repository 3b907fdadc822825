"""The live view of `/rooms`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import Q
from django.template.loader import render_to_string

from calls.access import Account, Scope, Sight, scope_of, sight_of
from calls.live import views
from calls.live.frames import Frame, Piece
from calls.live.views import Admission, View
from calls.models import Room
from calls.rooms import room_rows

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


def _render(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    if frame.kind != "room":
        return ()
    seen = cast(RoomsLens, lens)
    named = Q(pk=int(frame.id)) if frame.id.isdigit() else Q(name=frame.id)
    found = room_rows(seen.scope, seen.sight, only=named)
    if found:
        html = render_to_string("calls/_room.html", {"room": found[0]})
        return [Piece(target=f"room-{found[0].id}", version=found[0].version, html=html, list="rooms")]
    return [Piece(target=f"room-{pk}") for pk in Room.objects.filter(named).values_list("pk", flat=True)]
