"""The live views of the wallboard and the call page: who hears what, and the pieces a frame changes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from math import log10
from typing import cast
from uuid import UUID

from django.http import Http404
from django.template.loader import render_to_string
from django.utils.translation import gettext

from calls.access import Account, may
from calls.agents.protocol import Levels
from calls.live import views
from calls.live.frames import Frame, Piece
from calls.live.views import Admission, View
from calls.models import Utterance
from calls.timing import now
from transfers import board_summary, callback_list, people, waiting
from transfers.access import Lens, board_audiences, lens_of
from transfers.board import Need, needs
from transfers.callpage import Mark, Said, Thread, call_side, marks, said, take_overs
from transfers.history import history_row
from transfers.models import Attempt, Manager, Transfer
from transfers.people import person_of
from transfers.roster import OF_DEPARTMENT, OF_MANAGER, is_closed
from transfers.selectors import APPROVE
from transfers.states import OPEN_ATTEMPT
from transfers.strip_html import StripHtml, changed_htmls

METER_DB = 60.0
SHOWN_ONCE = -1  # below every version: put in if missing, never replaced


def register() -> None:
    views.register("wallboard", View(_admit_board, _render_board, summary=_board_summary))
    views.register("waiting", View(_admit_waiting, views.each(_render_waiting)))
    views.register("callbacks", View(_admit_board, views.each(_render_callbacks)))
    views.register("history", View(_admit_board, views.each(_render_history)))
    views.register("call", View(_admit_call, views.each(_render_call)))
    views.register("transfer", View(_admit_transfer, views.each(_render_transfer)))


# ── the wallboard ────────────────────────────────────────────────────────────────────────────────


def _admit_board(user: Account, id: str) -> Admission | None:
    lens = lens_of(user)
    audiences = board_audiences(lens)
    return Admission(audiences, lens) if audiences else None


def _render_board(frames: Sequence[Frame], id: str, lens: Hashable) -> Sequence[Sequence[Piece]]:
    """The calls of all frames are read together: hundreds of live ones change dozens of times a second."""
    seen = cast(Lens, lens)
    of_calls = [(UUID(f.call_id), f.kind) for f in frames if f.kind != "manager" and f.call_id]
    call_ids = {call_id for call_id, _ in of_calls}
    live = _live(call_ids, seen)
    asked = {call_id for call_id, kind in of_calls if _may_need(kind, live.get(call_id))}
    waiting = needs(seen, call_ids=asked) if asked else ()
    strips = {call_id: _strip(call_id, live.get(call_id)) for call_id in call_ids}
    return [_of_board(frame, strips, waiting, seen) for frame in frames]


def _board_summary(id: str, lens: Hashable) -> str:
    return board_summary.html(cast(Lens, lens))


def _may_need(kind: str, strip: StripHtml | None) -> bool:
    """Most calls that change wait for nobody, and show it."""
    return kind == "transfer" or (kind == "call" and strip is not None and strip.state == "approval")


def _of_board(frame: Frame, strips: Mapping[UUID, Piece], waiting: Sequence[Need], lens: Lens) -> list[Piece]:
    if frame.kind == "manager":
        return [*_person(UUID(frame.id), lens), *_calls_of_manager(UUID(frame.id), lens)]
    if frame.call_id is None:
        return []
    call_id = UUID(frame.call_id)
    here = [need for need in waiting if need.transfer.call_id == call_id]
    return [strips[call_id], *_needs_of(frame, here, lens)]


def _live(call_ids: Collection[UUID], lens: Lens) -> Mapping[UUID, StripHtml]:
    return {strip.id: strip for strip in changed_htmls(lens, call_ids)} if call_ids else {}


def _strip(call_id: UUID, strip: StripHtml | None) -> Piece:
    if strip is None:
        return Piece(target=f"strip-{call_id}")
    return Piece(target=f"strip-{call_id}", version=strip.version, html=strip.html, list="strips")


def _needs_of(frame: Frame, waiting: Sequence[Need], lens: Lens) -> list[Piece]:
    if frame.kind == "call":  # who looks at it
        return [_need_piece(need, lens) for need in waiting]
    if frame.kind != "transfer":
        return []
    found = [need for need in waiting if str(need.id) == frame.id]
    return [_need_piece(found[0], lens)] if found else [Piece(target=f"need-{frame.id}")]


def _need_piece(need: Need, lens: Lens) -> Piece:
    html = render_to_string("transfers/_need.html", {"need": need, "sight": lens.sight})
    return Piece(target=f"need-{need.id}", version=need.version, html=html, list="needs")


def _person(manager_id: UUID, lens: Lens) -> list[Piece]:
    manager = Manager.objects.filter(pk=manager_id).prefetch_related(*OF_MANAGER).first()
    if manager is None:
        return []
    attempt = Attempt.objects.filter(manager=manager, state__in=OPEN_ATTEMPT).first()
    day, pieces = people.days(manager).get(manager.pk, people.Day()), []
    for department in lens.departments().filter(managers=manager).prefetch_related(*OF_DEPARTMENT):
        at = now()
        person = person_of(manager, department.pk, attempt, at, day, closed=is_closed(department, at))
        html = render_to_string("transfers/_person.html", {"person": person, "sets_presence": lens.sight.presence})
        pieces.append(Piece(target=f"person-{department.pk}-{manager_id}", version=manager.version, html=html))
    return pieces


def _calls_of_manager(manager_id: UUID, lens: Lens) -> list[Piece]:
    """A manager who sees only their own transfers learns of a new one by their own row."""
    if lens.manager_id != manager_id:
        return []
    mine = Attempt.objects.filter(manager=manager_id).order_by("-reserved_at")
    newest = list(mine.values_list("transfer__call_id", flat=True)[:1])
    live = _live(newest, lens)
    return [_strip(call_id, live.get(call_id)) for call_id in newest]


# ── the bar of every page ────────────────────────────────────────────────────────────────────────


def _admit_waiting(user: Account, id: str) -> Admission | None:
    return _admit_board(user, id) if may(user, APPROVE) else None


def _render_waiting(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    if frame.kind != "transfer":
        return ()
    html = render_to_string("transfers/_waiting_mark.html", {"mark": waiting.mark(cast(Lens, lens))})
    return [Piece(target="waiting", html=html)]


# ── the history ──────────────────────────────────────────────────────────────────────────────────


def _render_history(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    """A row that is shown changes; a new one appears on the newest page alone, which has the list."""
    if frame.kind != "transfer":
        return ()
    row = history_row(cast(Lens, lens), UUID(frame.id))
    if row is None:
        return ()
    html = render_to_string("transfers/_history_row.html", {"row": row})
    return [Piece(target=f"row-{frame.id}", version=row.version, html=html, list="history-rows")]


# ── the callbacks ────────────────────────────────────────────────────────────────────────────────


def _render_callbacks(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    if frame.kind != "callback":
        return ()
    seen = cast(Lens, lens)
    row = callback_list.row(seen, frame.id)
    if row is None or not row.callback.is_open:
        return [Piece(target=f"callback-{frame.id}")]
    html = render_to_string("transfers/_callback.html", {"row": row, "sight": seen.sight})
    return [Piece(target=f"callback-{frame.id}", version=row.version, html=html, list="callbacks")]


# ── the call page ────────────────────────────────────────────────────────────────────────────────


def _admit_call(user: Account, id: str) -> Admission | None:
    lens = lens_of(user)
    try:
        call_id = UUID(id)
    except ValueError:
        return None
    if not lens.calls().filter(pk=call_id).exists():
        return None
    return Admission(frozenset({f"c:{call_id}"}), lens)


def _render_call(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    seen = cast(Lens, lens)
    if frame.kind == "utterance":
        return turn_pieces(int(frame.id), seen)
    if frame.kind == "partial":
        return partial_pieces(frame, seen)
    if frame.kind == "levels":
        return levels_pieces(frame)
    try:
        side = call_side(seen, UUID(id))
    except Http404:
        return ()
    html = render_to_string("transfers/_call_side.html", {"side": side, "sight": seen.sight})
    pieces = [Piece(target=f"call-side-{id}", version=side.version, html=html)]
    if seen.sight.transcript:
        pieces += mark_pieces(side.transfer) if side.transfer else []
        pieces += _marks(take_overs(side.call), side.call.pk)
    return pieces


def mark_pieces(transfer: Transfer) -> list[Piece]:
    """What happened to the caller, as lines between the words."""
    return _marks(marks(transfer), transfer.call_id)


def _marks(lines: Sequence[Mark], call_id: UUID) -> list[Piece]:
    return [_once(mark.id, "transfers/_mark.html", {"mark": mark}, f"talk-{call_id}") for mark in lines]


def turn_pieces(utterance_id: int, lens: Lens) -> list[Piece]:
    if not lens.sight.transcript:
        return []
    row = Utterance.objects.filter(pk=utterance_id).first()
    if row is None:
        return []
    names = _names(row.call_id)
    turn = said(row, names)
    talk_list = f"talk-{row.call_id}"
    if row.side != "consultation" or row.attempt_id is None:
        return [_said(turn, talk_list), Piece(target=_partial(row.speaker))]
    thread = Thread(row.attempt_id, names.get(row.attempt_id, gettext("a manager")), row.started_at, ())
    return [
        _once(f"thread-{thread.id}", "transfers/_thread.html", {"thread": thread}, talk_list),
        _said(turn, f"thread-lines-{thread.id}"),
        Piece(target=_partial(row.speaker, str(thread.id))),
    ]


def partial_pieces(frame: Frame, lens: Lens) -> list[Piece]:
    """The words of a turn that is not over, where they will stand when it is."""
    if not (lens.sight.transcript and frame.call_id):
        return []
    speaker, _, attempt = frame.id.partition(":")
    attempt_id = UUID(attempt) if attempt else None
    row = Utterance(speaker=speaker, text=frame.words, attempt_id=attempt_id, started_at=now())
    turn = said(row, _names(UUID(frame.call_id)) if speaker == "manager" else {})
    target = _partial(speaker, attempt)
    html = render_to_string("transfers/_partial.html", {"turn": turn, "id": target})
    into = f"thread-lines-{attempt}" if attempt else f"talk-{frame.call_id}"
    return [Piece(target=target, html=html, list=into)]


def levels_pieces(frame: Frame) -> list[Piece]:
    """How loud everybody is whom one of the call's agents hears, by this moment."""
    if not frame.call_id:
        return []
    names = _names(UUID(frame.call_id))
    people = [
        {"name": _called(one.identity, names), "muted": one.muted, "percent": _height(one.level)}
        for one in Levels.model_validate_json(frame.words).people
    ]
    target = f"levels-{frame.id}"
    html = render_to_string("transfers/_levels.html", {"id": target, "people": people})
    return [Piece(target=target, html=html, list=f"levels-{frame.call_id}")]


def _height(level: float) -> int:
    """In percent of a meter from -60 dB to full scale, as loudness is heard."""
    return max(0, round(100 + 20 * log10(level) / METER_DB * 100)) if level > 0 else 0


def _called(identity: str, names: dict[UUID | None, str]) -> str:
    """What a page calls a participant of a room."""
    head, _, rest = identity.partition("-")
    if head == "manager":
        return next((name for attempt, name in names.items() if str(attempt) == rest), gettext("Manager"))
    return {
        "support": gettext("AI"),
        "agent": gettext("AI"),
        "supervisor": gettext("Supervisor"),
    }.get(head, gettext("Caller"))


def _partial(speaker: str, attempt: str = "") -> str:
    return f"partial-{speaker}-{attempt}"


def _names(call_id: UUID) -> dict[UUID | None, str]:
    return dict(Attempt.objects.filter(transfer__call=call_id).values_list("pk", "manager__name"))


def _said(turn: Said, into: str) -> Piece:
    return _once(f"say-{turn.id}", "transfers/_said.html", {"turn": turn}, into)


def _once(target: str, template: str, context: dict[str, object], into: str) -> Piece:
    return Piece(target=target, version=SHOWN_ONCE, html=render_to_string(template, context), list=into)


# ── a transfer's page ────────────────────────────────────────────────────────────────────────────


def _admit_transfer(user: Account, id: str) -> Admission | None:
    lens = lens_of(user)
    try:
        found = lens.transfers().filter(pk=UUID(id)).values_list("call_id", flat=True).first()
    except ValueError:
        return None
    return Admission(frozenset({f"c:{found}"}), lens) if found else None


def _render_transfer(frame: Frame, id: str, lens: Hashable) -> Sequence[Piece]:
    """Words come as pieces; the page itself is fetched again (see `live.js`: a piece without a place)."""
    if frame.kind == "utterance":
        return turn_pieces(int(frame.id), cast(Lens, lens))
    return [Piece(target="", version=frame.version)] if frame.kind == "transfer" and frame.id == id else ()
