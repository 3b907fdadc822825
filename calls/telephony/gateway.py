"""The telephony gateway: what Patchbay asks of LiveKit's server API, in types of our own.

`livekit.py` is the real one and `memory.py` the shipped fake; one contract suite runs against both. Every SDK
and transport error becomes `Permanent` or `Retryable`, with the SIP status where there is one.
"""

from __future__ import annotations

import re
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


class Uncertain(Retryable):
    """No answer came (time-out, connection lost on the way): what was asked may have been done all the same.

    After a dial only the leg itself tells: see `outcome_of`.
    """


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
    """A trunk that LiveKit keeps. `password` is empty where the server does not tell it."""

    id: str
    name: str
    numbers: tuple[str, ...] = ()
    address: str = ""
    metadata: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    allowed_addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class DispatchRuleInfo:
    """A dispatch rule; without trunks it is every trunk's. `room_metadata` is what its rooms are made with."""

    id: str
    name: str
    room_prefix: str = ""
    agent_names: tuple[str, ...] = ()
    trunk_ids: tuple[str, ...] = ()
    room_metadata: str = ""


@dataclass(frozen=True)
class CallerRule:
    """The rule to make or keep: each caller gets a room of their own, with our metadata and our agent in it.

    Numbers are not hidden: a rule that hides them keeps the dialled one back too, and with it the department.
    The room is named after the dialled number, so that the caller's is in no room name.
    """

    name: str
    trunk_ids: tuple[str, ...]
    room_prefix: str
    room_metadata: str
    agent_name: str
    agent_metadata: str


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
    async def set_subscribed(
        self, room: str, identity: str, track_sids: Sequence[str], *, subscribed: bool
    ) -> None:
        """Whether a participant is sent these tracks."""

    async def update_permissions(self, room: str, identity: str, permissions: Permissions) -> None: ...
    async def dial(self, request: DialRequest) -> DialResult: ...
    async def transfer_sip(self, room: str, identity: str, to: str) -> None:
        """Asks the phone's own carrier to call `to` instead (REFER); the leg then leaves."""

    async def list_dispatch(self, room: str) -> Sequence[Dispatch]: ...
    async def create_dispatch(self, room: str, agent_name: str, metadata: str) -> str: ...
    async def delete_dispatch(self, room: str, dispatch_id: str) -> None: ...
    async def list_outbound_trunks(self) -> Sequence[TrunkInfo]: ...
    async def list_inbound_trunks(self) -> Sequence[TrunkInfo]: ...
    async def list_dispatch_rules(self) -> Sequence[DispatchRuleInfo]: ...
    async def create_outbound_trunk(
        self,
        *,
        name: str,
        address: str,
        numbers: Sequence[str],
        username: str = "",
        password: str = "",
        metadata: str = "",
    ) -> str: ...
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
        """What is None stays as it is."""

    async def create_inbound_trunk(
        self, *, name: str, numbers: Sequence[str], allowed_addresses: Sequence[str] = (), metadata: str = ""
    ) -> str: ...
    async def update_inbound_trunk(
        self,
        id: str,
        *,
        numbers: Sequence[str] | None = None,
        allowed_addresses: Sequence[str] | None = None,
        metadata: str | None = None,
    ) -> None:
        """What is None stays as it is. LiveKit does not look here whether another trunk has a number."""

    async def create_dispatch_rule(self, rule: CallerRule) -> str: ...
    async def update_dispatch_rule(self, id: str, rule: CallerRule) -> None:
        """The whole rule becomes this one."""

    async def close(self) -> None: ...


E164 = re.compile(r"\+[1-9]\d{6,14}")
SIP_URI = re.compile(r"sips?:[^\s@<>\"]{1,128}@[A-Za-z0-9.\-\[\]:]{1,128}(;[A-Za-z0-9=._\-]+)*")
DTMF = re.compile(r"[0-9*#A-Dw]{0,32}")
HEADER = re.compile(r"[A-Za-z0-9\-]{1,64}")


def check_refer(to: str) -> None:
    """A phone is referred to `tel:` with E.164 or to a SIP address. Raises `Permanent`, code `invalid_number`."""
    if not (E164.fullmatch(to.removeprefix("tel:")) or SIP_URI.fullmatch(to)):
        raise Permanent("the address is neither tel: with E.164 nor a SIP address", code="invalid_number")


def check_dial(request: DialRequest) -> None:
    """The last door before the phone line; LiveKit itself lets line breaks pass into SIP.

    Raises `Permanent`: code `invalid_number` for the address, `invalid_argument` for anything else.
    """
    if not (E164.fullmatch(request.to) or SIP_URI.fullmatch(request.to)):
        raise Permanent("the address is neither E.164 nor a SIP address", code="invalid_number")
    trunk = request.trunk
    wrong = {
        "the room or the identity is missing": not request.room or not request.identity,
        "the DTMF digits are not 0-9, *, #, A-D or w": not DTMF.fullmatch(request.dtmf),
        f"the ringing time is not 1 to {MAX_RINGING_S} s": not 1 <= request.ringing_timeout_s <= MAX_RINGING_S,
        "the inline trunk has no host name": isinstance(trunk, InlineTrunk) and not trunk.hostname,
        "the inline trunk has no number to call from": isinstance(trunk, InlineTrunk) and not trunk.sip_number,
        "the stored trunk has no id": isinstance(trunk, StoredTrunk) and not trunk.id,
        "a SIP header is malformed": any(
            not HEADER.fullmatch(name) or not value.isprintable() for name, value in trunk.headers.items()
        ),
    }
    for words, is_wrong in wrong.items():
        if is_wrong:
            raise Permanent(words, code="invalid_argument")


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
# Without a SIP status it was LiveKit that answered, not a phone: the line is what failed, but for these.
OUTCOME_OF_CODE: Mapping[str, str] = {
    "canceled": "no_answer",  # the ringing time ran out
    "deadline_exceeded": "no_answer",
    "invalid_number": "invalid_number",
}
# Another try of the same number would be answered the same way.
FINAL_STATUSES = frozenset({401, 403, 404, 407, 410, 484, 603, 604, 607})


def outcome_of(error: GatewayError) -> str:
    """The attempt's outcome for a failed dial: by the SIP status, else by the server's code.

    `lost`: nobody can say whether it rings, so the leg is to be looked for and its room closed.
    """
    if error.sip_status is not None:
        fallback = "trunk_error" if error.sip_status >= 500 else "unreachable"
        return OUTCOME_OF_STATUS.get(error.sip_status, fallback)
    if isinstance(error, Uncertain):
        return "lost"
    return OUTCOME_OF_CODE.get(error.code, "trunk_error")
