"""The gateway without a server: the same answers, from memory. Phones are scripted by number, faults by method.

It passes the contract suite that the real one passes. Nothing here waits for time: a phone that only rings
does so until it is picked up, refused or removed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from calls.telephony.gateway import (
    FINAL_STATUSES,
    CallerRule,
    DialRequest,
    DialResult,
    Dispatch,
    DispatchRuleInfo,
    GatewayError,
    InlineTrunk,
    ParticipantInfo,
    Permanent,
    Permissions,
    Retryable,
    RoomInfo,
    Track,
    TrunkInfo,
    check_dial,
    check_refer,
)

OK = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Phone:
    """What a number does when it is dialled: answers (200), refuses with a SIP status, or only rings."""

    status: int = OK
    rings: bool = False


@dataclass(frozen=True)
class Fault:
    """An error for the next call of a method. `late`: it is done all the same, and only the answer is lost."""

    error: GatewayError
    late: bool = False


@dataclass
class _Room:
    info: RoomInfo
    participants: dict[str, ParticipantInfo] = field(default_factory=dict)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    permissions: dict[str, Permissions] = field(default_factory=dict)
    unheard: dict[str, set[str]] = field(default_factory=dict)  # listener to the tracks they are not sent


class MemoryGateway:
    """Rooms, participants, dispatches and dials. `can_move` is LiveKit Cloud, else a self-hosted server."""

    def __init__(
        self, *, can_move: bool = False, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.can_move = can_move
        self.phones: dict[str, Phone] = {}
        self.dials: list[DialRequest] = []
        self.transfers: list[tuple[str, str, str]] = []
        self.calls: Counter[str] = Counter()
        self.down: GatewayError | None = None
        self._clock = clock
        self._faults: dict[str, list[Fault]] = {}
        self._rooms: dict[str, _Room] = {}
        self._answers: dict[tuple[str, str], asyncio.Future[int]] = {}
        self._outbound: dict[str, TrunkInfo] = {}
        self._inbound: dict[str, TrunkInfo] = {}
        self._rules: dict[str, DispatchRuleInfo] = {}
        self._number = count(1)

    # ── what a test does to it ───────────────────────────────────────────────────────────────────

    def fail(self, method: str, error: GatewayError, *, times: int = 1, late: bool = False) -> None:
        """The next `times` calls of `method` end with `error`."""
        self._faults.setdefault(method, []).extend([Fault(error, late)] * times)

    def join(
        self, room: str, identity: str, *, kind: str = "standard", attributes: Mapping[str, str] | None = None
    ) -> ParticipantInfo:
        """Somebody joins; the room is made if need be, and a second one of that identity replaces the first."""
        at = self._clock()
        one = ParticipantInfo(
            identity=identity,
            sid=self._id("PA"),
            kind=kind,
            attributes=dict(attributes or {}),
            joined_at=at,
        )
        self._open(room).participants[identity] = one
        return one

    def leave(self, room: str, identity: str) -> None:
        """They hang up, or were never there."""
        if room in self._rooms and identity in self._rooms[room].participants:
            del self._rooms[room].participants[identity]
            self._hang_up(room, identity)

    def answer(self, room: str, identity: str, status: int = OK) -> None:
        """A phone that rings is picked up, or refused with a SIP status."""
        self._answers[room, identity].set_result(status)

    @property
    def ringing(self) -> bool:
        """Whether any phone waits to be picked up."""
        return bool(self._answers)

    def start_job(self, room: str, *, agent_name: str = "") -> None:
        """An agent took the room's dispatches: they have a running job."""
        for made in list(self._rooms[room].dispatches.values()):
            if not agent_name or made.agent_name == agent_name:
                job = self._id("AJ")
                self._rooms[room].dispatches[made.id] = replace(made, running=True, job_ids=(job,))

    def set_attributes(self, room: str, identity: str, **attributes: str) -> None:
        """By their last word: `callStatus="active"` sets `sip.callStatus`."""
        one = self._rooms[room].participants[identity]
        merged = {**one.attributes, **{f"sip.{name}": value for name, value in attributes.items()}}
        self._rooms[room].participants[identity] = replace(one, attributes=merged)

    def publish(self, room: str, identity: str, track: Track) -> None:
        """They send a track."""
        one = self._rooms[room].participants[identity]
        self._rooms[room].participants[identity] = replace(one, tracks=(*one.tracks, track))

    def permissions(self, room: str, identity: str) -> Permissions:
        return self._rooms[room].permissions.get(identity, Permissions())

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _call(self, method: str) -> Iterator[None]:
        self.calls[method] += 1
        if self.down:
            raise self.down
        waiting = self._faults.get(method)
        fault = waiting.pop(0) if waiting else None
        if fault and not fault.late:
            raise fault.error
        yield
        if fault:
            raise fault.error

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._number):012d}"

    def _open(self, name: str, metadata: str = "", dispatches: Sequence[Dispatch] = ()) -> _Room:
        if name not in self._rooms:
            at = self._clock()
            self._rooms[name] = _Room(RoomInfo(name, self._id("RM"), metadata, at))
            for dispatch in dispatches or (Dispatch(""),):  # without one, the server calls a nameless agent
                made = replace(dispatch, id=self._id("AD"))
                self._rooms[name].dispatches[made.id] = made
        return self._rooms[name]

    def _present(self, room: str, identity: str) -> ParticipantInfo:
        found = self._rooms[room].participants.get(identity) if room in self._rooms else None
        if found is None:
            raise Permanent("participant does not exist", code="not_found")
        return found

    def _hang_up(self, room: str, identity: str) -> None:
        waiting = self._answers.pop((room, identity), None)
        if waiting and not waiting.done():
            waiting.set_exception(Retryable("call already closed", code="canceled"))

    # ── rooms ────────────────────────────────────────────────────────────────────────────────────

    async def list_rooms(self) -> Sequence[RoomInfo]:
        with self._call("list_rooms"):
            return [replace(room.info, participants=len(room.participants)) for room in self._rooms.values()]

    async def list_participants(self, room: str) -> Sequence[ParticipantInfo]:
        with self._call("list_participants"):
            return list(self._rooms[room].participants.values()) if room in self._rooms else []

    async def create_room(
        self,
        name: str,
        *,
        metadata: str = "",
        empty_timeout_s: int = 60,
        departure_timeout_s: int = 20,
        dispatches: Sequence[Dispatch] = (),
    ) -> RoomInfo:
        with self._call("create_room"):
            return self._open(name, metadata, dispatches).info

    async def delete_room(self, room: str) -> None:
        with self._call("delete_room"):
            for identity in list(self._rooms[room].participants) if room in self._rooms else ():
                self.leave(room, identity)
            self._rooms.pop(room, None)

    async def remove_participant(self, room: str, identity: str) -> None:
        with self._call("remove_participant"):
            self.leave(room, identity)

    async def move_participant(self, room: str, identity: str, destination: str) -> None:
        with self._call("move_participant"):
            one = self._present(room, identity)
            if not self.can_move:
                raise Permanent("not implemented", code="unimplemented")
            del self._rooms[room].participants[identity]
            self._open(destination).participants[identity] = replace(one, sid=self._id("PA"))

    async def update_permissions(self, room: str, identity: str, permissions: Permissions) -> None:
        with self._call("update_permissions"):
            self._present(room, identity)
            self._rooms[room].permissions[identity] = permissions

    async def set_subscribed(
        self, room: str, identity: str, track_sids: Sequence[str], *, subscribed: bool
    ) -> None:
        with self._call("set_subscribed"):
            self._present(room, identity)
            refused = self._rooms[room].unheard.setdefault(identity, set())
            refused.difference_update(track_sids)
            if not subscribed:
                refused.update(track_sids)

    # ── phones ───────────────────────────────────────────────────────────────────────────────────

    async def dial(self, request: DialRequest) -> DialResult:
        check_dial(request)
        with self._call("dial"):
            known = isinstance(request.trunk, InlineTrunk) or request.trunk.id in self._outbound
            if not known:
                raise Permanent("requested sip trunk does not exist", code="not_found")
            self.dials.append(request)
            leg = self._ring(request)
            status = await self._status_of(request)
            if status != OK:
                self.leave(request.room, request.identity)
                kind = Permanent if status in FINAL_STATUSES else Retryable
                raise kind(f"status {status}", code="refused", sip_status=status)
            self.set_attributes(request.room, request.identity, callStatus="active")
            return DialResult(sip_call_id=leg.attributes["sip.callID"], participant_sid=leg.sid)

    def _ring(self, request: DialRequest) -> ParticipantInfo:
        attributes = {
            **request.attributes,
            "sip.callID": self._id("SCL"),
            "sip.callStatus": "ringing",
            "sip.trunkPhoneNumber": request.trunk.sip_number,
        }
        return self.join(request.room, request.identity, kind="sip", attributes=attributes)

    def is_ringing(self, room: str, identity: str) -> bool:
        """Whether this phone waits to be picked up."""
        return (room, identity) in self._answers

    async def _status_of(self, request: DialRequest) -> int:
        phone = self.phones.get(request.to, Phone())
        if not phone.rings:
            return phone.status
        where = (request.room, request.identity)
        self._answers[where] = asyncio.get_running_loop().create_future()
        try:
            return await self._answers[where]
        finally:
            self._answers.pop(where, None)

    async def transfer_sip(self, room: str, identity: str, to: str) -> None:
        check_refer(to)
        with self._call("transfer_sip"):
            self._present(room, identity)
            self.transfers.append((room, identity, to))
            self.leave(room, identity)

    # ── dispatches ───────────────────────────────────────────────────────────────────────────────

    async def list_dispatch(self, room: str) -> Sequence[Dispatch]:
        with self._call("list_dispatch"):
            return list(self._rooms[room].dispatches.values()) if room in self._rooms else []

    async def create_dispatch(self, room: str, agent_name: str, metadata: str) -> str:
        with self._call("create_dispatch"):
            made = Dispatch(agent_name, metadata, id=self._id("AD"))
            self._open(room).dispatches[made.id] = made
            return made.id

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        with self._call("delete_dispatch"):
            if room in self._rooms:
                self._rooms[room].dispatches.pop(dispatch_id, None)

    # ── trunks and rules ─────────────────────────────────────────────────────────────────────────

    async def list_outbound_trunks(self) -> Sequence[TrunkInfo]:
        with self._call("list_outbound_trunks"):
            return list(self._outbound.values())

    async def list_inbound_trunks(self) -> Sequence[TrunkInfo]:
        with self._call("list_inbound_trunks"):
            return list(self._inbound.values())

    async def list_dispatch_rules(self) -> Sequence[DispatchRuleInfo]:
        with self._call("list_dispatch_rules"):
            return list(self._rules.values())

    async def create_outbound_trunk(
        self,
        *,
        name: str,
        address: str,
        numbers: Sequence[str],
        username: str = "",
        password: str = "",
        metadata: str = "",
    ) -> str:
        with self._call("create_outbound_trunk"):
            if not address or not numbers:
                raise Permanent("no outbound address or trunk numbers specified", code="invalid_argument")
            made = TrunkInfo(self._id("ST"), name, tuple(numbers), address, metadata, username, password)
            self._outbound[made.id] = made
            return made.id

    async def update_outbound_trunk(
        self,
        id: str,
        *,
        address: str | None = None,
        numbers: Sequence[str] | None = None,
        username: str | None = None,
        password: str | None = None,
        metadata: str | None = None,
    ) -> None:
        with self._call("update_outbound_trunk"):
            fresh = _given(
                address=address,
                numbers=None if numbers is None else tuple(numbers),
                username=username,
                password=password,
                metadata=metadata,
            )
            self._outbound[id] = replace(_stored(self._outbound, id), **fresh)

    async def create_inbound_trunk(
        self, *, name: str, numbers: Sequence[str], allowed_addresses: Sequence[str] = (), metadata: str = ""
    ) -> str:
        with self._call("create_inbound_trunk"):
            if any(set(numbers) & set(trunk.numbers) for trunk in self._inbound.values()):
                raise Permanent("Conflicting inbound SIP Trunks", code="invalid_argument")
            allowed = tuple(allowed_addresses)
            made = TrunkInfo(self._id("ST"), name, tuple(numbers), metadata=metadata, allowed_addresses=allowed)
            self._inbound[made.id] = made
            return made.id

    async def update_inbound_trunk(
        self,
        id: str,
        *,
        numbers: Sequence[str] | None = None,
        allowed_addresses: Sequence[str] | None = None,
        metadata: str | None = None,
    ) -> None:
        with self._call("update_inbound_trunk"):
            fresh = _given(
                numbers=None if numbers is None else tuple(numbers),
                allowed_addresses=None if allowed_addresses is None else tuple(allowed_addresses),
                metadata=metadata,
            )
            self._inbound[id] = replace(_stored(self._inbound, id), **fresh)

    async def create_dispatch_rule(self, rule: CallerRule) -> str:
        with self._call("create_dispatch_rule"):
            return self._keep_rule(self._id("SDR"), rule)

    async def update_dispatch_rule(self, id: str, rule: CallerRule) -> None:
        with self._call("update_dispatch_rule"):
            _stored(self._rules, id)
            self._keep_rule(id, rule)

    def _keep_rule(self, id: str, rule: CallerRule) -> str:
        others = (one for one in self._rules.values() if one.id != id)
        if any(set(rule.trunk_ids) & set(one.trunk_ids) for one in others):
            raise Permanent("Dispatch rule for the same trunk already exists", code="invalid_argument")
        self._rules[id] = DispatchRuleInfo(
            id, rule.name, rule.room_prefix, (rule.agent_name,), rule.trunk_ids, rule.room_metadata
        )
        return id

    async def close(self) -> None:
        """Nothing to close."""


def _given(**fields: Any) -> dict[str, Any]:
    """What an update names."""
    return {name: value for name, value in fields.items() if value is not None}


def _stored(kept: Mapping[str, T], id: str) -> T:
    if id not in kept:
        raise Permanent("object cannot be found", code="not_found")
    return kept[id]
