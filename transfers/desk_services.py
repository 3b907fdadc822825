"""What a manager does on screen with a call that asks for them: answers, asks, takes it there, and notes it.

A decision is the one row of an attempt that keys and voice write, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from calls import effects
from calls.agents import protocol as p
from calls.errors import Refused
from calls.events import Actor, record
from calls.services.calls import locked
from calls.services.links import addressee, direct, live_job
from calls.telephony import tokens
from calls.timing import now
from transfers import attempt_facts, manager_presence
from transfers.desk_ring import LOOK
from transfers.models import Afterwards, Attempt, Decision, HandOver, Manager, Presence, Transfer
from transfers.states import UNANSWERED, AttemptState, Outcome, TransferState
from transfers.transfer_events import AcceptedOnScreen, AttemptNoted
from transfers.waking import wake
from transfers.writing import manager_touched, touched

LOOK_AFTER = timedelta(seconds=1)  # for a microphone of which no agent tells
LONGEST_QUESTION, LONGEST_NOTE = 300, 4000
OVER = {
    Outcome.NO_ANSWER: gettext_noop("It rang for as long as it may"),
    Outcome.CANCELLED: gettext_noop("The caller no longer needs you"),
    Outcome.HUNG_UP: gettext_noop("You hung up"),
    Outcome.DECLINED: gettext_noop("You declined it"),
    Outcome.REDIRECTED: gettext_noop("You sent it to somebody else"),
}


@dataclass(frozen=True)
class Line:
    """Where a browser goes to talk: LiveKit's address, and a token for one room."""

    url: str
    token: str
    room: str


@contextmanager
def _of(manager: Manager, attempt_id: UUID) -> Iterator[Attempt]:
    """The manager's own attempt, its call locked, in one transaction. Raises Refused."""
    with transaction.atomic():
        mine = Attempt.objects.filter(manager=manager).select_related("transfer__call", "manager")
        found = mine.filter(pk=attempt_id).first()
        if found is None:
            raise Refused(gettext("This call is not yours. Nothing was changed."))
        locked(found.transfer.call_id)
        yield mine.get(pk=attempt_id)


def _undecided(attempt: Attempt) -> None:
    if not attempt.is_open:
        outcome = Outcome(attempt.outcome) if attempt.outcome else None
        why = OVER.get(outcome, gettext_noop("It was ended")) if outcome else gettext_noop("The call is over")
        raise Refused(gettext("%(why)s. Your click changed nothing.") % {"why": gettext(why)})
    decision = Decision.objects.filter(attempt=attempt).first()
    if decision:
        raise Refused(
            gettext("You have answered already (%(answer)s). Your click changed nothing.")
            % {"answer": decision.kind.replace("_", " ")}
        )


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def accept(*, manager: Manager, attempt_id: UUID, tab: str) -> Attempt:
    """Counts once they are on the line; here (`tab`, a window) with a microphone, or on the phone beside it."""
    with _of(manager, attempt_id) as attempt:
        _taken_here(attempt, tab)
        decided = Decision.objects.filter(attempt=attempt, kind=p.DecisionKind.ACCEPT).exists()
        if attempt.accepted_at or decided:
            return attempt  # a second click
        _undecided(attempt)
        attempt.accepted_at = now()
        attempt.save(update_fields=("accepted_at",))
        record(
            AcceptedOnScreen(),
            actor=Actor("manager", str(manager.pk)),
            call_id=attempt.transfer.call_id,
            transfer_id=attempt.transfer_id,
            attempt_id=attempt.pk,
        )
        if attempt.desk and attempt.state == AttemptState.SUMMARIZING:
            attempt_facts.decide(attempt, _decision(p.DecisionKind.ACCEPT))
        else:
            direct(_agent(attempt), f"accepted:{attempt.pk}", p.Accepted())
        _told(attempt)
        return attempt


def listen(*, manager: Manager, attempt_id: UUID, tab: str) -> Attempt:
    """Take the consultation here and hear the briefing first; nothing is decided."""
    with _of(manager, attempt_id) as attempt:
        if not attempt.desk:
            raise Refused(gettext("Pick up your phone: the briefing is spoken there."))
        _taken_here(attempt, tab)
        if attempt.state in UNANSWERED:
            _undecided(attempt)
            _told(attempt)
        return attempt


def _taken_here(attempt: Attempt, tab: str) -> None:
    """A microphone is in one window: the first that takes the call."""
    if not attempt.desk or not attempt.is_open:
        return
    if attempt.desk_tab not in ("", tab):
        raise Refused(gettext("You have taken this call in another window. It goes on there."))
    if not attempt.desk_tab:
        attempt.desk_tab = tab[:40]
        attempt.save(update_fields=("desk_tab",))
        effects.ensure(LOOK, attempt.pk, due_at=now() + LOOK_AFTER)


def decline(*, manager: Manager, attempt_id: UUID, reason: str) -> Attempt:
    """At once, whether their phone rings still or they are on it."""
    return _answer(manager, attempt_id, _decision(p.DecisionKind.DECLINE, reason=reason.strip()))


def redirect(*, manager: Manager, attempt_id: UUID, department: str, person: str) -> Attempt:
    """By the names of the roster, as an agent hears them."""
    where = {"redirect_department": department, "redirect_person": person}
    return _answer(manager, attempt_id, _decision(p.DecisionKind.REDIRECT, **where))


def _answer(manager: Manager, attempt_id: UUID, body: p.ManagerDecision) -> Attempt:
    with _of(manager, attempt_id) as attempt:
        _undecided(attempt)
        attempt_facts.decide(attempt, body)
        _told(attempt)
        return attempt


def _decision(kind: p.DecisionKind, **fields: str) -> p.ManagerDecision:
    return p.ManagerDecision(decision=kind, via="screen", **fields)  # type: ignore[arg-type]


def _agent(attempt: Attempt):  # type: ignore[no-untyped-def]
    return addressee(attempt.transfer.call_id, p.Role.TRANSFER, attempt.pk)


def _told(attempt: Attempt) -> None:
    wake(attempt.transfer_id)
    touched(attempt.transfer)
    manager_touched(attempt)


# ── on the line ──────────────────────────────────────────────────────────────────────────────────


def line_for(*, manager: Manager, attempt_id: UUID, tab: str) -> Line:
    """A token, minted for this click: for the consultation, then for the caller's room. Raises Refused."""
    with _of(manager, attempt_id) as attempt:
        if not attempt.desk or not attempt.is_open or attempt.desk_tab != tab:
            raise Refused(gettext("This call is not taken in this window."))
        in_call = attempt.strategy == "rejoin" and in_callers_room(attempt.transfer)
        room = attempt.transfer.call.room_name if in_call else attempt.consult_room
        token = tokens.browser_manager(attempt_id=attempt.pk, room=room, in_call=in_call)
        return Line(settings.LIVEKIT_URL, token, room)


def in_callers_room(transfer: Transfer) -> bool:
    """Whether a manager who comes over by themself belongs there now."""
    return transfer.state in (TransferState.MERGING, TransferState.MERGED)


def ask(*, manager: Manager, attempt_id: UUID, key: UUID, text: str) -> None:
    """A typed question for the transfer agent; the same `key` is asked once."""
    words = " ".join(text.split())[:LONGEST_QUESTION]
    if not words:
        raise Refused(gettext("Type a question first."))
    with _of(manager, attempt_id) as attempt:
        _undecided(attempt)
        job = live_job(attempt.transfer.call_id, p.Role.TRANSFER, attempt.pk)
        if job is None:
            raise Refused(gettext("The transfer agent is not there yet. Ask again in a moment."))
        direct(job, f"asked:{key}", p.Asked(text=words))  # which writes it down, as what is spoken


def hand_over(*, manager: Manager, attempt_id: UUID, to: str) -> None:
    """What `*0` and `*1` do on a telephone."""
    if to not in HandOver.values:
        raise Refused(gettext("Choose who takes the caller. Nothing was changed."))
    with _of(manager, attempt_id) as attempt:
        if attempt.state != AttemptState.MERGED:
            raise Refused(gettext("You are not with the caller any more. Your click changed nothing."))
        attempt_facts.hand_over(attempt, HandOver(to))


# ── the note ─────────────────────────────────────────────────────────────────────────────────────


def keep_note(*, manager: Manager, attempt_id: UUID, text: str) -> None:
    """What is typed during the call and after it, as far as it goes."""
    with _of(manager, attempt_id) as attempt:
        Attempt.objects.filter(pk=attempt.pk, noted_at=None).update(note=text.strip()[:LONGEST_NOTE])


def finish(*, manager: Manager, attempt_id: UUID, afterwards: str, note: str) -> Attempt:
    """Noted: they can be called again. The same click again changes nothing."""
    if afterwards not in Afterwards.values:
        raise Refused(gettext("Choose how it went. Nothing was saved."))
    with _of(manager, attempt_id) as attempt:
        if attempt.is_open:
            raise Refused(gettext("You are still in this call. The note is kept; finish when it is over."))
        if attempt.noted_at is None:
            _note(attempt, afterwards, note.strip()[:LONGEST_NOTE])
        manager.refresh_from_db()
        if manager.presence == Presence.WRAPPING_UP:
            manager = manager_presence.set_own(manager_id=manager.pk, presence=Presence.AVAILABLE)
        attempt.manager = manager
        return attempt


def _note(attempt: Attempt, afterwards: str, text: str) -> None:
    attempt.afterwards, attempt.note, attempt.noted_at = afterwards, text, now()
    attempt.save(update_fields=("afterwards", "note", "noted_at"))
    record(
        AttemptNoted(afterwards=afterwards),
        actor=Actor("manager", str(attempt.manager_id)),
        call_id=attempt.transfer.call_id,
        transfer_id=attempt.transfer_id,
        attempt_id=attempt.pk,
        payload={"note": text} if text else None,
    )
    touched(attempt.transfer)
    manager_touched(attempt)
