"""The live view of a manager's desk: what changes of it, and that it is open."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast
from uuid import UUID

from django.template.loader import render_to_string

from calls.access import Account
from calls.live import views
from calls.live.frames import Frame, Piece
from calls.live.views import Admission, View
from transfers import desk_windows
from transfers.access import Lens, lens_of
from transfers.callpage import talk
from transfers.desk import Desk, desk_of
from transfers.live import SHOWN_ONCE, mark_pieces, partial_pieces, turn_pieces
from transfers.models import Afterwards, Attempt, Manager
from transfers.states import OPEN_ATTEMPT

MICROPHONE = "mic"  # the view's id in a window whose sound was checked


def register() -> None:
    views.register("desk", View(_admit, views.each(_render), _here, desk_windows.closed))


def audiences(lens: Lens) -> frozenset[str]:
    """Their own rows, and the call that is with them now."""
    mine = Attempt.objects.filter(manager=lens.manager_id, state__in=OPEN_ATTEMPT)
    calls = {f"c:{call_id}" for call_id in mine.values_list("transfer__call_id", flat=True)}
    return frozenset({f"m:{lens.manager_id}"} | calls)


def _admit(user: Account, id: str) -> Admission | None:
    lens = lens_of(user)
    return Admission(audiences(lens), lens) if lens.manager_id else None


def _here(page_id: UUID, user: Account, id: str) -> None:
    lens = lens_of(user)
    if lens.manager_id:
        desk_windows.opened(page_id, lens.manager_id, microphone=id == MICROPHONE)


def _render(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    seen = cast(Lens, lens)
    if frame.kind == "utterance":
        return turn_pieces(int(frame.id), seen)
    if frame.kind == "partial":
        return partial_pieces(frame, seen)
    if frame.kind == "manager" and frame.id != str(seen.manager_id):
        return ()
    manager = Manager.objects.filter(pk=seen.manager_id).first() if seen.manager_id else None
    if manager is None:
        return ()
    return pieces(desk_of(seen, manager), seen)


def pieces(desk: Desk, lens: Lens) -> list[Piece]:
    """The words and the note are put in once: what is typed into them is not taken away."""
    parts = context(desk, lens)
    shown = [
        _piece("desk-now", "transfers/_desk_now.html", parts, desk.version),
        _piece("desk-today", "transfers/_desk_today.html", parts, desk.version),
    ]
    if desk.call is None:
        return shown
    of_call = desk.call.call.pk
    shown.append(_piece(f"desk-talk-{of_call}", "transfers/_desk_talk.html", parts, SHOWN_ONCE, "desk-talk"))
    if lens.sight.transcript:
        shown += mark_pieces(desk.call.transfer)
    if desk.call.noted:
        note = f"desk-note-{desk.call.attempt.pk}"
        shown.append(_piece(note, "transfers/_desk_note.html", parts, SHOWN_ONCE, "desk-notes"))
    return shown


def context(desk: Desk, lens: Lens) -> dict[str, Any]:
    return {
        "desk": desk,
        "sight": lens.sight,
        "talk": talk(lens, desk.call.call) if desk.call else (),
        "afterwards": Afterwards.choices,
    }


def _piece(target: str, template: str, parts: dict[str, Any], version: int, into: str = "") -> Piece:
    return Piece(target=target, version=version, html=render_to_string(template, parts), list=into)
