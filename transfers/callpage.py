"""What the call page shows: one function fetches and authorises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext, gettext_noop

from calls import presence
from calls.display import Display, caller_name, department_name
from calls.models import Call, Supervision, Utterance
from calls.states import CallerWith, SupervisionEnd, SupervisionMode
from calls.timing import now
from transfers.access import Lens
from transfers.board import Need, needs, shown_version, with_versions
from transfers.display import state_display
from transfers.models import Attempt, Transfer
from transfers.selectors import facts_of, phone_leg
from transfers.states import TransferState
from transfers.supervision_bar import SupervisionBar, supervision_bar
from transfers.swimlane import Swimlane, swimlane
from transfers.words import sentence

SPEAKERS = {
    "caller": gettext_noop("Caller"),
    "ai": gettext_noop("AI"),
    "manager": gettext_noop("Manager"),
    "transfer_agent": gettext_noop("Transfer agent"),
    "supervisor": gettext_noop("Supervisor"),
}


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    required: bool


@dataclass(frozen=True)
class Said:
    """One turn as shown."""

    id: int
    speaker: str
    name: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Mark:
    """A line between the turns: what happened to the caller."""

    id: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A consultation, shown where it happened."""

    id: UUID
    name: str
    at: datetime
    turns: tuple[Said, ...]


@dataclass(frozen=True)
class CallSide:
    """Everything beside the transcript; `version` grows with each change of it."""

    call: Call
    version: int
    caller: str
    department: str
    display: Display
    transfer: Transfer | None
    attempt: Attempt | None
    lanes: Swimlane | None
    then: str
    need: Need | None
    facts: tuple[Fact, ...]
    supervision: SupervisionBar
    may_escalate: bool
    may_edit: bool
    may_cancel: bool
    may_end: bool
    may_refer: bool
    may_hold: bool
    may_resume: bool
    lookers: tuple[str, ...]
    agent: str
    earlier: tuple[Transfer, ...]


@dataclass(frozen=True)
class CallPage:
    side: CallSide
    talk: tuple[Said | Thread | Mark, ...] | None  # None: not for this account


def call_side(lens: Lens, call_id: UUID) -> CallSide:
    """Raises Http404 for a call that this lens does not see."""
    call: Any = with_versions(lens.calls().filter(pk=call_id)).select_related("department", "profile").first()
    if call is None:
        raise Http404
    transfers = list(_transfers(lens, call))
    transfer = transfers[0] if transfers else None
    attempts = list(transfer.attempts.select_related("manager").order_by("nth")) if transfer else []
    attempt = attempts[-1] if attempts else None
    with_ai = call.caller_with == CallerWith.AI
    opened, live, sight = bool(transfer and transfer.is_open), call.is_live, lens.sight
    waiting = needs(lens, call_ids=[call_id]) if opened else ()
    bar = supervision_bar(call, attempt, sight)
    return CallSide(
        call=call,
        version=shown_version(call.version, call.transfer_versions, call.last_id) + bar.version,
        caller=caller_name(call, sight),
        department=department_name(call.department),
        display=state_display(call, transfer, attempt),
        transfer=transfer,
        attempt=attempt,
        lanes=swimlane(transfer, attempts, at=now()) if transfer else None,
        then=sentence(facts_of(transfer, to_show=True)) if transfer and live else "",
        need=waiting[0] if waiting else None,
        facts=collected(call) if sight.transcript else (),
        supervision=bar,
        may_escalate=sight.escalate and live and not opened and with_ai,
        may_edit=sight.approve and opened and _not_briefed(transfer),
        may_cancel=sight.cancel and opened and not (transfer and transfer.cancel_reason),
        may_end=sight.supervise and live,
        may_refer=sight.refer and live and not opened and with_ai and phone_leg(call) is not None,
        may_hold=sight.park and live and _joined(transfer) and not (transfer and transfer.parked_at),
        may_resume=sight.park and live and bool(transfer and transfer.parked_at),
        lookers=presence.lookers(call.pk),
        agent=_agent_words(call),
        earlier=tuple(transfers[1:]),
    )


def _transfers(lens: Lens, call: Call) -> Any:
    return (
        lens.transfers()
        .filter(call=call)
        .select_related("call", "department", "person", "requested_by")
        .order_by("-requested_at", "-id")
    )


def _not_briefed(transfer: Transfer | None) -> bool:
    before = (TransferState.REQUESTED, TransferState.QUEUED, TransferState.CONNECTING)
    return transfer is not None and transfer.state in before


def _joined(transfer: Transfer | None) -> bool:
    return transfer is not None and transfer.state == TransferState.MERGED


def collected(call: Call) -> tuple[Fact, ...]:
    known = dict(call.facts.values_list("key", "value"))
    fields = call.profile.facts if call.profile else []
    return tuple(
        Fact(field.get("label") or field["key"], known.get(field["key"], ""), bool(field.get("required")))
        for field in fields
    )


def _agent_words(call: Call) -> str:
    if not call.is_live:
        return ""
    if call.caller_with == CallerWith.HOLD:
        return gettext("The caller is speaking; nobody hears it.") if call.caller_speaking else ""
    if call.caller_with != CallerWith.AI:
        return ""
    return {
        "speaking": gettext("The AI is speaking."),
        "thinking": gettext("The AI is thinking."),
        "listening": gettext("The AI is listening."),
        "initializing": gettext("The AI is joining."),
    }.get(call.agent_state, "")


# ── the transcript ───────────────────────────────────────────────────────────────────────────────


def talk(lens: Lens, call: Call) -> tuple[Said | Thread | Mark, ...] | None:
    """The conversation in order, consultations as threads where they began."""
    if not lens.sight.transcript:
        return None
    names = _manager_names(call)
    items: list[Said | Thread | Mark] = []
    threads: dict[UUID, list[Utterance]] = {}
    for row in Utterance.objects.filter(call=call).order_by("started_at", "id"):
        if row.side == "consultation" and row.attempt_id:
            threads.setdefault(row.attempt_id, []).append(row)
        else:
            items.append(said(row, names))
    for attempt_id, rows in threads.items():
        turns = tuple(said(row, names) for row in rows)
        items.append(Thread(attempt_id, names.get(attempt_id, gettext("a manager")), rows[0].started_at, turns))
    for transfer in lens.transfers().filter(call=call).prefetch_related("attempts__manager"):
        items += marks(transfer)
    items += take_overs(call)
    return tuple(sorted(items, key=lambda item: item.at))


def _manager_names(call: Call) -> dict[UUID | None, str]:
    return dict(Attempt.objects.filter(transfer__call=call).values_list("pk", "manager__name"))


def said(row: Utterance, names: dict[UUID | None, str]) -> Said:
    name = gettext(SPEAKERS.get(row.speaker, row.speaker))
    if row.speaker == "manager":
        name = names.get(row.attempt_id) or (
            next(reversed(names.values())) if len(set(names.values())) == 1 else name
        )
    return Said(row.pk, row.speaker, name, row.text, row.started_at)


def marks(transfer: Transfer) -> Sequence[Mark]:
    """What happened to the caller because of this transfer, as lines of the transcript."""
    found = []
    merged = next((a for a in transfer.attempts.all() if a.merged_at), None)
    if transfer.held_at:
        found.append(Mark(f"mark-{transfer.pk}-held", gettext("The caller is put on hold"), transfer.held_at))
    if merged and merged.merged_at:
        found.append(
            Mark(
                f"mark-{transfer.pk}-merged",
                gettext("%(name)s joins the caller") % {"name": merged.manager.name},
                merged.merged_at,
            )
        )
    if transfer.ended_at and not transfer.merged_at:
        from transfers.display import BACK_BECAUSE
        from transfers.states import EndReason

        why = BACK_BECAUSE.get(EndReason(transfer.end_reason)) if transfer.end_reason else None
        if why:
            back = (
                gettext("The caller is back with the AI: %(why)s")
                if transfer.held_at
                else gettext("The caller stays with the AI: %(why)s")
            )
            found.append(Mark(f"mark-{transfer.pk}-back", back % {"why": gettext(why)}, transfer.ended_at))
    return found


def take_overs(call: Call) -> Sequence[Mark]:
    """When a supervisor talked to the caller instead of the AI."""
    found = []
    taken = Supervision.objects.filter(call=call, mode=SupervisionMode.TAKE_OVER, joined_at__isnull=False)
    for one in taken.select_related("user"):
        assert one.joined_at
        found.append(
            Mark(
                f"mark-{one.pk}-took",
                gettext("%(user)s takes over") % {"user": one.user.get_username()},
                one.joined_at,
            )
        )
        if one.ended_at and one.end_reason != SupervisionEnd.CALL_ENDED:
            found.append(Mark(f"mark-{one.pk}-gave", gettext("The caller is back with the AI"), one.ended_at))
    return found


def call_page(lens: Lens, call_id: UUID) -> CallPage:
    side = call_side(lens, call_id)
    return CallPage(side, talk(lens, side.call))


__all__ = [
    "CallPage",
    "CallSide",
    "Mark",
    "Said",
    "Thread",
    "call_page",
    "call_side",
    "marks",
    "said",
    "take_overs",
    "talk",
]
