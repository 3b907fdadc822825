"""Compares the server's rooms with our calls every 2 s, so that all is right even if every webhook is lost.

One clock does it: the oldest that lives. A listing that fails proves nothing. What a listing shows is taken at
once; what it no longer shows is believed only when a second one, 5 s later, misses it too: a restarted server
has no rooms until its clients are back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from calls import effects
from calls.effects import in_thread
from calls.events import Actor, Repaired, record
from calls.models import AgentJob, Call, Leg, LegKind, Owner, OwnerRole, Room, WebhookDelivery
from calls.owners import SILENT_AFTER
from calls.services import legs, rooms, supervision
from calls.services.calls import end_call, locked
from calls.states import CallState
from calls.telephony import loop
from calls.telephony.gateway import Gateway, GatewayError, ParticipantInfo, RoomInfo
from calls.timing import now
from calls.webhooks import announce_consult, participant_fact, room_fact

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=2)
MISSED_FOR = timedelta(seconds=5)
MISSED_WITH_AGENT_FOR = timedelta(seconds=15)  # their agent is there, so the room is, but they are not
LEFTOVER_AFTER = timedelta(seconds=10)
LOOKS_A_PASS = 50  # rooms asked for their participants in one pass
LOOKS_AT_ONCE = 8
KEEP_DELIVERIES = timedelta(days=2)
RECONCILER = Actor("system", "reconcile")


@dataclass(frozen=True)
class Listing:
    """What the server said. `inside` has the rooms whose participants were asked for and told."""

    begun: datetime
    rooms: Mapping[str, RoomInfo]
    inside: Mapping[str, Sequence[ParticipantInfo]]


@dataclass
class Reconciler:
    """Remembers, between passes, which rooms it looked into when, and which legs it misses since when."""

    looked: dict[str, datetime] = field(default_factory=dict)
    missed_legs: dict[int, datetime] = field(default_factory=dict)
    begun: datetime | None = None
    last_ok: datetime | None = None
    ill: str = ""
    running: Future[None] | None = None

    # ── when ─────────────────────────────────────────────────────────────────────────────────────

    def tick(self, owner: Owner | None = None) -> None:
        """The clock's part: begins a pass on the gateway's loop when one is due, and never waits for it."""
        at = now()
        if (self.running and not self.running.done()) or (self.begun and at < self.begun + EVERY):
            return
        if not _leads():
            return
        self.begun = at
        self.running = loop.submit(self.run(loop.gateway()))

    async def run(self, gateway: Gateway) -> None:
        """One pass. Never raises."""
        try:
            listing = await self.ask(gateway)
            await in_thread(self.apply, listing)
        except GatewayError as error:
            self._say(str(error))
        except Exception as error:
            logger.exception("reconciling failed", extra={"error": type(error).__name__})
        else:
            self._say("")
            self.last_ok = listing.begun

    def _say(self, ill: str) -> None:
        if ill != self.ill:
            logger.warning("rooms cannot be listed: %s" if ill else "rooms are listed again%s", ill)
        self.ill = ill

    # ── what the server says ─────────────────────────────────────────────────────────────────────

    async def ask(self, gateway: Gateway) -> Listing:
        """Raises `GatewayError`: then nothing is known."""
        begun = now()
        found = {room.name: room for room in await gateway.list_rooms()}
        gate = asyncio.Semaphore(LOOKS_AT_ONCE)
        inside: dict[str, Sequence[ParticipantInfo]] = {}

        async def look(name: str) -> None:
            async with gate:
                told = await gateway.list_participants(name)
                inside[name] = [one for one in told if one.state != "disconnected"]

        names = self._longest_unseen(found)
        await asyncio.gather(*(look(name) for name in names))
        self.looked = {name: at for name, at in self.looked.items() if name in found} | dict.fromkeys(
            inside, begun
        )
        return Listing(begun, found, inside)

    def _longest_unseen(self, found: Iterable[str]) -> Sequence[str]:
        """Never seen first, then by the time of the last look."""
        return sorted(found, key=lambda name: (name in self.looked, self.looked.get(name)))[:LOOKS_A_PASS]

    # ── what follows ─────────────────────────────────────────────────────────────────────────────

    def apply(self, listing: Listing) -> None:
        for name, participants in listing.inside.items():
            self._take_room(listing, listing.rooms[name], participants)
        supervision.check_present(one.identity for inside in listing.inside.values() for one in inside)
        for room in Room.objects.filter(gone_at=None, seen_at__lt=listing.begun).exclude(name__in=listing.rooms):
            rooms.gone(room.name, at=listing.begun)
        self._miss_legs(listing)
        self._miss_callers(listing)
        rooms.forget_gone()
        WebhookDelivery.objects.filter(received_at__lt=listing.begun - KEEP_DELIVERIES).delete()

    def _take_room(self, listing: Listing, room: RoomInfo, participants: Sequence[ParticipantInfo]) -> None:
        known = dict(
            Leg.objects.filter(participant_sid__in=[one.sid for one in participants]).values_list(
                "participant_sid", "sip_status"
            )
        )
        for one in participants:
            if known.get(one.sid) != one.attributes.get("sip.callStatus", ""):
                legs.participant_seen(room_fact(room), participant_fact(one))
        rooms.listed(room, participants, at=listing.begun)
        announce_consult(room.name)
        close_leftover(room, at=listing.begun)

    def _miss_legs(self, listing: Listing) -> None:
        """Legs that are in no listing any more; a caller's with their call, in `_miss_callers`."""
        present = {one.sid for inside in listing.inside.values() for one in inside}
        untold = set(listing.rooms) - set(listing.inside)
        missing = (
            Leg.objects.filter(left_at=None)
            .exclude(participant_sid__in=present)
            .exclude(room_name__in=untold)
            .exclude(kind=LegKind.CALLER, call__state__in=(CallState.ACTIVE, CallState.ESCALATED))
        )
        still: dict[int, datetime] = {}
        for leg in missing:
            since = still[leg.pk] = self.missed_legs.get(leg.pk, listing.begun)
            if listing.begun - since >= MISSED_FOR:
                _put_out(leg)
        self.missed_legs = still

    def _miss_callers(self, listing: Listing) -> None:
        untold = set(listing.rooms) - set(listing.inside)
        not_rung_yet = Q(source=Call.Source.CALLBACK, room_sid="")  # their transfer says when it is over
        live = Call.objects.exclude(Q(state=CallState.INACTIVE) | Q(room_name__in=untold) | not_rung_yet)
        with_link = set(AgentJob.objects.filter(closed_at=None).values_list("call_id", flat=True))
        for call in live:
            inside = listing.inside.get(call.room_name, ())
            if any(legs.leg_kind(participant_fact(one)) == LegKind.CALLER for one in inside):
                if call.missed_listings:
                    _caller_is_there(call)
            elif _believed_gone(call, listing, linked=call.pk in with_link):
                _end(call, room_is_there=call.room_name in listing.rooms)


def _leads() -> bool:
    """Whether this process is the oldest clock that lives."""
    from calls.owners import own

    alive = Owner.objects.filter(role=OwnerRole.CLOCK, beat_at__gt=now() - SILENT_AFTER)
    first = alive.order_by("started_at", "pk").values_list("pk", flat=True).first()
    return first == own(OwnerRole.CLOCK).pk


def _caller_is_there(call: Call) -> None:
    Call.objects.filter(pk=call.pk).update(missed_listings=0, last_missed_at=None)


def _believed_gone(call: Call, listing: Listing, *, linked: bool) -> bool:
    """Missed by two listings far enough apart, both begun after the call's last fact.

    A live link whose room is gone too means that the server restarts, not that the caller left.
    """
    first = call.last_missed_at
    if listing.begun <= call.last_fact_at:
        return False
    if first is None or first <= call.last_fact_at:
        Call.objects.filter(pk=call.pk).update(missed_listings=1, last_missed_at=listing.begun)
        return False
    if linked and call.room_name not in listing.rooms:
        return False
    return listing.begun - first >= (MISSED_WITH_AGENT_FOR if linked else MISSED_FOR)


@transaction.atomic
def _put_out(leg: Leg) -> None:
    locked(leg.call_id)
    if not Leg.objects.filter(pk=leg.pk, left_at=None).exists():
        return  # a webhook was faster
    record(Repaired(what="leg"), actor=RECONCILER, call_id=leg.call_id, attempt_id=leg.attempt_id)
    legs.participant_left(leg.room_name, participant_sid=leg.participant_sid, reason="gone")


def _end(call: Call, *, room_is_there: bool) -> None:
    with transaction.atomic():
        call = locked(call.pk)
        if not call.is_live:
            return
        record(Repaired(what="call"), actor=RECONCILER, call_id=call.pk)
        if not room_is_there:
            legs.room_finished(call.room_name, room_sid=call.room_sid)
            return
        for leg in Leg.objects.filter(call=call, kind=LegKind.CALLER, left_at=None):
            legs.participant_left(leg.room_name, participant_sid=leg.participant_sid, reason="gone")
        end_call(locked(call.pk), reason="caller_left")


def close_leftover(room: RoomInfo, *, at: datetime) -> None:
    """A room of ours whose call has ended, and whose closing came to nothing: close it again."""
    ours = room_fact(room).ours
    if ours is None or ours.get("kind") == "consult":
        return
    ended = Call.objects.filter(room_name=room.name, room_sid=room.sid, state=CallState.INACTIVE).first()
    if ended is None or ended.ended_at is None or ended.ended_at > at - LEFTOVER_AFTER:
        return
    with transaction.atomic():
        if effects.once_more("close_call_room", ended.pk, pause=LEFTOVER_AFTER):
            record(Repaired(what="call_room"), actor=RECONCILER, call_id=ended.pk)


reconciler = Reconciler()
