"""What a manager's desk shows: one function reads it all, for the manager whose account it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext

from calls.agents.protocol import DecisionKind
from calls.display import Display, caller_name, department_name
from calls.timing import now
from transfers import hours
from transfers.access import Lens
from transfers.callpage import Fact, collected
from transfers.desk_services import in_callers_room
from transfers.display import attempt_words
from transfers.models import Afterwards, Attempt, Decision, Endpoint, Manager, Presence, Transfer
from transfers.states import OPEN_ATTEMPT, UNANSWERED, AttemptState, Outcome, TransferState

NOTED_WITHIN = timedelta(hours=1)  # a call of this morning is not asked about in the evening


class Stage(StrEnum):
    IDLE = "idle"
    RINGING = "ringing"
    ACCEPTED = "accepted"  # on screen, and not on the line yet
    BRIEFING = "briefing"
    JOINING = "joining"
    TALKING = "talking"
    AFTER = "after"


@dataclass(frozen=True)
class DeskCall:
    """The call that asks for them, or that they have had. `room`: where their browser belongs; empty: nowhere."""

    attempt: Attempt
    transfer: Transfer
    stage: Stage
    caller: str
    department: str
    tried: tuple[str, ...]
    facts: tuple[Fact, ...]
    rings_until: datetime | None
    room: str

    @property
    def call(self):  # type: ignore[no-untyped-def]
        return self.transfer.call

    @property
    def may_answer(self) -> bool:
        return self.stage in (Stage.RINGING, Stage.BRIEFING)

    @property
    def may_refuse(self) -> bool:
        return self.stage in (Stage.RINGING, Stage.BRIEFING, Stage.ACCEPTED)

    @property
    def over(self) -> bool:
        return self.stage == Stage.AFTER

    @property
    def noted(self) -> bool:
        """Whether there is a note to write."""
        return self.stage in (Stage.BRIEFING, Stage.JOINING, Stage.TALKING, Stage.AFTER)


@dataclass(frozen=True)
class ShiftWords:
    """On shift or not, and when that changes: times are of the manager's own zone."""

    on: bool
    today: tuple[str, ...]
    next_at: datetime | None
    zone: str


@dataclass(frozen=True)
class Today:
    """Since midnight in the manager's zone."""

    answered: int
    declined: int
    missed: int
    attempts: tuple[tuple[Attempt, str, str], ...]  # with the caller, and how it went


@dataclass(frozen=True)
class Desk:
    manager: Manager
    presence: Display
    free: bool
    shift: ShiftWords
    today: Today
    with_browser: bool  # may be rung here
    by_phone: bool
    call: DeskCall | None

    @property
    def stage(self) -> Stage:
        return self.call.stage if self.call else Stage.IDLE

    @property
    def version(self) -> int:
        return self.manager.version

    @property
    def changes_at(self) -> datetime | None:
        """When an absence or a wrap-up ends by itself: nobody sends word of it."""
        return None if self.free else self.manager.presence_until


def desk_of(lens: Lens, manager: Manager) -> Desk:
    """`manager` is the account's own: see `own_manager`."""
    at = now()
    kinds = set(manager.endpoints.values_list("kind", flat=True))
    calendar = hours.of_manager(manager)
    presence = presence_display(manager, at)
    return Desk(
        manager=manager,
        presence=presence,
        free=presence.role == "merged",
        shift=_shift(calendar, at),
        today=_today(lens, manager, calendar.zone, at),
        with_browser=Endpoint.Kind.BROWSER in kinds,
        by_phone=bool(kinds - {Endpoint.Kind.BROWSER}),
        call=desk_call(lens, manager),
    )


def own_manager(user_id: int | None) -> Manager | None:
    return Manager.objects.filter(user_id=user_id, active=True).first() if user_id else None


def presence_display(manager: Manager, at: datetime) -> Display:
    until = manager.presence_until
    if manager.presence == Presence.AVAILABLE or (until and until <= at):
        return Display("merged", "circle-check", gettext("Available"))
    words = str(Presence(manager.presence).label)
    if manager.presence == Presence.AWAY:
        reason = gettext(manager.presence_reason) if manager.presence_reason else ""
        return Display("ended", "coffee", f"{words} · {reason}", since=manager.presence_since)
    return Display("brief", "pencil", words, until=until)


# ── shift and day ────────────────────────────────────────────────────────────────────────────────


def _shift(calendar: hours.Calendar, at: datetime) -> ShiftWords:
    """Those that begin today; a manager without shifts has none."""
    zone, begins = calendar.zone, hours.next_shift(calendar, at)
    today = at.astimezone(zone).date()
    begun = hours.midnight_of(today, zone)
    near = hours.windows(calendar, begun, begun + 2 * hours.DAY) if calendar.weekly else []
    local = [(starts.astimezone(zone), ends.astimezone(zone)) for starts, ends in near]
    return ShiftWords(
        on=hours.on_shift(calendar, at),
        today=tuple(f"{starts:%H:%M}–{ends:%H:%M}" for starts, ends in local if starts.date() == today),
        next_at=begins.astimezone(zone) if begins else None,
        zone=zone.key,
    )


def _today(lens: Lens, manager: Manager, zone: ZoneInfo, at: datetime) -> Today:
    begun = hours.midnight_of(at.astimezone(zone).date(), zone)
    found = Attempt.objects.filter(manager=manager, reserved_at__gte=begun)
    found = found.select_related("transfer__call", "transfer__department").order_by("-reserved_at")
    rows = list(found[:200])
    missed = (Outcome.NO_ANSWER, Outcome.VOICEMAIL, Outcome.SILENT)
    return Today(
        answered=sum(row.merged_at is not None for row in rows),
        declined=sum(row.outcome in (Outcome.DECLINED, Outcome.REDIRECTED) for row in rows),
        missed=sum(row.outcome in missed for row in rows),
        attempts=tuple((row, caller_name(row.transfer.call, lens.sight), _went(row)) for row in rows[:12]),
    )


def _went(attempt: Attempt) -> str:
    return str(Afterwards(attempt.afterwards).label) if attempt.afterwards else attempt_words(attempt)


# ── the call ─────────────────────────────────────────────────────────────────────────────────────


def desk_call(lens: Lens, manager: Manager) -> DeskCall | None:
    """The open one; else the last one, as long as its manager has not noted it."""
    attempt = _current(manager)
    if attempt is None:
        return None
    transfer = attempt.transfer
    decision = Decision.objects.filter(attempt=attempt).first()
    stage = stage_of(attempt, transfer, decision)
    transfer_call = transfer.call
    return DeskCall(
        attempt=attempt,
        transfer=transfer,
        stage=stage,
        caller=caller_name(transfer_call, lens.sight),
        department=department_name(transfer.department),
        tried=_tried(attempt),
        facts=collected(transfer_call) if lens.sight.transcript else (),
        rings_until=_rings_until(attempt) if stage == Stage.RINGING else None,
        room=_room(attempt, transfer, stage),
    )


def _current(manager: Manager) -> Attempt | None:
    mine = Attempt.objects.filter(manager=manager).select_related(
        "transfer__call__department", "transfer__call__profile", "transfer__department", "manager"
    )
    unnoted = Q(merged_at__isnull=False, noted_at=None, ended_at__gt=now() - NOTED_WITHIN)
    last = mine.filter(unnoted, state=AttemptState.ENDED).order_by("-ended_at").first()
    return mine.filter(state__in=OPEN_ATTEMPT).first() or last


def stage_of(attempt: Attempt, transfer: Transfer, decision: Decision | None) -> Stage:
    """Pure: where the manager stands with this call."""
    if attempt.state == AttemptState.MERGED:
        return Stage.TALKING
    if not attempt.is_open:
        return Stage.AFTER
    accepted = decision is not None and decision.kind == DecisionKind.ACCEPT
    if transfer.state == TransferState.MERGING or accepted:
        return Stage.JOINING
    if attempt.accepted_at:
        return Stage.ACCEPTED
    return Stage.RINGING if attempt.state in UNANSWERED else Stage.BRIEFING


def _rings_until(attempt: Attempt) -> datetime:
    return (attempt.dialed_at or attempt.reserved_at) + timedelta(seconds=attempt.ring_time_s)


def _room(attempt: Attempt, transfer: Transfer, stage: Stage) -> str:
    if not attempt.desk or not attempt.desk_tab or stage == Stage.AFTER:
        return ""
    return "call" if attempt.strategy == "rejoin" and in_callers_room(transfer) else "consultation"


def _tried(attempt: Attempt) -> tuple[str, ...]:
    """Whom this caller was taken to before."""
    before = Attempt.objects.filter(transfer=attempt.transfer_id, nth__lt=attempt.nth)
    return tuple(
        f"{one.manager.name}: {_inside(attempt_words(one))}"
        for one in before.select_related("manager").order_by("nth")
    )


def _inside(words: str) -> str:
    """As part of a sentence."""
    return words[:1].lower() + words[1:]
