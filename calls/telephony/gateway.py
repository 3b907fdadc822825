"""The telephony gateway: what Patchbay asks of LiveKit's server API, in types of our own.

`livekit.py` is the real one and `memory.py` the shipped fake; one contract suite runs against both. Every SDK
and transport error becomes `Permanent` or `Retryable`, with the SIP status where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

MAX_RINGING_S = 75  # a self-hosted server ends a waiting dial after 80 s


class GatewayError(Exception):
    """What the server or the way to it said. `code` is Twirp's, `sip_status` the phone's answer."""

    def __init__(self, message: str, *, code: str = "", sip_status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.sip_status = sip_status


class Permanent(GatewayError):
    """Asking again would get the same answer."""


class Retryable(GatewayError):
    """Asking again later may get another answer. Never applied to a dial."""


@dataclass(frozen=True)
class Track:
    sid: str
    kind: str  # audio, video, data
    source: str
    muted: bool


@dataclass(frozen=True)
class RoomInfo:
    name: str
    sid: str
    metadata: str = ""
    created_at: datetime | None = None
    participants: int = 0


@dataclass(frozen=True)
class ParticipantInfo:
    identity: str
    sid: str
    name: str = ""
    kind: str = "standard"  # standard, sip, agent, ingress, egress
    state: str = "active"
    attributes: Mapping[str, str] = field(default_factory=dict)
    joined_at: datetime | None = None
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True)
class Dispatch:
    """An agent to send into a room; every dispatch of ours is never restarted by the server."""

    agent_name: str
    metadata: str = ""
    id: str = ""
    running: bool = False
    job_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredTrunk:
    id: str
    sip_number: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InlineTrunk:
    """Sent with every dial; `sip_number` is then required."""

    hostname: str
    sip_number: str
    transport: str = "auto"
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DialRequest:
    """One outbound call; answers when the phone is picked up. `to` is E.164 or a SIP URI."""

    room: str
    identity: str
    to: str
    trunk: StoredTrunk | InlineTrunk
    name: str = ""
    dtmf: str = ""
    ringing_timeout_s: int = 25
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DialResult:
    sip_call_id: str
    participant_sid: str


@dataclass(frozen=True)
class Permissions:
    """All of a participant's permissions: an update replaces every field."""

    can_subscribe: bool = True
    can_publish: bool = True
    can_publish_data: bool = True
    hidden: bool = False
    can_update_metadata: bool = False


@dataclass(frozen=True)
class TrunkInfo:
    id: str
    name: str
    numbers: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class DispatchRuleInfo:
    id: str
    name: str
    room_prefix: str = ""
    agent_names: tuple[str, ...] = ()
    trunk_ids: tuple[str, ...] = ()


class Gateway(Protocol):
    """Every method raises `GatewayError`s only."""

    async def list_rooms(self) -> Sequence[RoomInfo]: ...
    async def list_participants(self, room: str) -> Sequence[ParticipantInfo]: ...
    async def create_room(
        self,
        name: str,
        *,
        metadata: str = "",
        empty_timeout_s: int = 60,
        departure_timeout_s: int = 20,
        dispatches: Sequence[Dispatch] = (),
    ) -> RoomInfo: ...
    async def delete_room(self, room: str) -> None:
        """Ends it for everyone; a room that is not there is well."""

    async def remove_participant(self, room: str, identity: str) -> None:
        """Hangs up a phone; a participant who is not there is well."""

    async def move_participant(self, room: str, identity: str, destination: str) -> None: ...
    async def update_permissions(self, room: str, identity: str, permissions: Permissions) -> None: ...
    async def dial(self, request: DialRequest) -> DialResult: ...
    async def transfer_sip(self, room: str, identity: str, to: str) -> None: ...
    async def list_dispatch(self, room: str) -> Sequence[Dispatch]: ...
    async def create_dispatch(self, room: str, agent_name: str, metadata: str) -> str: ...
    async def delete_dispatch(self, room: str, dispatch_id: str) -> None: ...
    async def list_outbound_trunks(self) -> Sequence[TrunkInfo]: ...
    async def list_inbound_trunks(self) -> Sequence[TrunkInfo]: ...
    async def list_dispatch_rules(self) -> Sequence[DispatchRuleInfo]: ...
    async def create_outbound_trunk(self, *, name: str, address: str, numbers: Sequence[str]) -> str: ...
    async def create_inbound_trunk(self, *, name: str, numbers: Sequence[str]) -> str: ...
    async def create_dispatch_rule(
        self,
        *,
        name: str,
        trunk_ids: Sequence[str],
        room_prefix: str,
        metadata: str,
        agent_name: str,
        agent_metadata: str,
    ) -> str: ...
    async def close(self) -> None: ...


OUTCOME_OF_STATUS: Mapping[int, str] = {
    486: "busy",
    600: "busy",
    480: "no_answer",
    408: "no_answer",
    412: "no_answer",  # some carriers answer so when nobody picks up
    487: "no_answer",
    504: "no_answer",
    603: "declined",
    607: "declined",
    404: "invalid_number",
    410: "invalid_number",
    484: "invalid_number",
    604: "invalid_number",
    401: "trunk_error",
    403: "trunk_error",
    407: "trunk_error",
    503: "trunk_error",
}
OUTCOME_OF_CODE: Mapping[str, str] = {
    "canceled": "no_answer",
    "deadline_exceeded": "no_answer",
    "resource_exhausted": "busy",
    "not_found": "unreachable",
    "invalid_argument": "trunk_error",
    "permission_denied": "trunk_error",
    "unauthenticated": "trunk_error",
    "unavailable": "unreachable",
}


def outcome_of(error: GatewayError) -> str:
    """The attempt's outcome for a failed dial: by the SIP status, else by the server's code."""
    if error.sip_status is not None:
        fallback = "trunk_error" if error.sip_status >= 500 else "unreachable"
        return OUTCOME_OF_STATUS.get(error.sip_status, fallback)
    return OUTCOME_OF_CODE.get(error.code, "trunk_error")
