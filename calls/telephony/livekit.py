"""The real gateway, on livekit-api. Every error of the SDK or the way to the server becomes one of ours."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from livekit import api
from livekit.api.twirp_client import ServerError, SipCallError

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
    Uncertain,
    check_dial,
    check_refer,
)
from calls.telephony.sip_address import what_to_dial

REQUEST_SECONDS = 5.0
REFER_RINGING_S = 30
ANSWER_MARGIN_S = 10.0  # beyond the ringing time: digits, media, the way back
RETRYABLE_CODES = frozenset({"unavailable", "deadline_exceeded", "internal", "resource_exhausted", "aborted"})
TRANSPORTS = {
    "auto": api.SIPTransport.SIP_TRANSPORT_AUTO,
    "udp": api.SIPTransport.SIP_TRANSPORT_UDP,
    "tcp": api.SIPTransport.SIP_TRANSPORT_TCP,
    "tls": api.SIPTransport.SIP_TRANSPORT_TLS,
}


# Only these mean that the request never left.
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.InvalidURL)
LONG_NUMBER = re.compile(r"\+?\d{6,}")


class LiveKitGateway:
    """One HTTP session; bound to the event loop it was made on. `url` may be ws:// or http://."""

    def __init__(self, url: str, key: str, secret: str, *, request_s: float = REQUEST_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
            raise Permanent("LIVEKIT_API_URL must begin with ws://, wss://, http:// or https://", code="setting")
        self._where = f"LiveKit at {parts.hostname}:{parts.port or parts.scheme} (LIVEKIT_API_URL)"
        self._request_s = request_s
        self._api = api.LiveKitAPI(url, key, secret, failover=False)

    @asynccontextmanager
    async def _asking(self, within_s: float = 0, *, absent_is_well: bool = False) -> AsyncIterator[None]:
        """Bounds the time itself: livekit-api passes None to aiohttp, which then waits for ever."""
        try:
            async with self._errors(), asyncio.timeout(within_s or self._request_s):
                yield
        except GatewayError as error:
            if not (absent_is_well and error.code == "not_found"):
                raise

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except SipCallError as error:
            status = error.sip_status_code
            kind = Permanent if status in FINAL_STATUSES else Retryable
            raise kind(_clean(error.sip_status or error.message), code=error.code, sip_status=status) from None
        except ServerError as error:
            raise self._server_error(error) from None
        except TimeoutError:
            raise Uncertain(f"{self._where} does not answer in time", code="timeout") from None
        except NOT_SENT as error:
            why = type(error).__name__
            raise Retryable(f"{self._where} cannot be reached: {why}", code="unreachable") from None
        except (aiohttp.ClientError, DecodeError) as error:
            why = type(error).__name__
            raise Uncertain(f"{self._where} broke off its answer: {why}", code="broken") from None
        except ValueError:  # protobuf's word for what no message can carry
            raise Permanent("the request cannot be sent as it is", code="invalid_argument") from None

    def _server_error(self, error: ServerError) -> GatewayError:
        if error.status == 401:
            return Permanent(
                f"{self._where} refuses LIVEKIT_API_KEY with LIVEKIT_API_SECRET, or this machine's clock is wrong",
                code="unauthenticated",
            )
        if "not implemented" in error.message:  # a self-hosted server, as an internal error
            return Permanent(_clean(error.message), code="unimplemented")
        words = _clean(error.message) or f"{self._where} answers {error.status}"
        if error.status in (502, 504) and error.code == "unknown":  # a proxy's word, not LiveKit's
            return Uncertain(words, code="broken")
        retryable = error.code in RETRYABLE_CODES or error.status >= 500 or error.status == 429
        return (Retryable if retryable else Permanent)(words, code=error.code)

    # ── rooms ────────────────────────────────────────────────────────────────────────────────────

    async def list_rooms(self) -> Sequence[RoomInfo]:
        async with self._asking():
            found = await self._api.room.list_rooms(api.ListRoomsRequest())
        return [room(one) for one in found.rooms]

    async def list_participants(self, room: str) -> Sequence[ParticipantInfo]:
        async with self._asking():
            found = await self._api.room.list_participants(api.ListParticipantsRequest(room=room))
        return [participant(one) for one in found.participants]

    async def create_room(
        self,
        name: str,
        *,
        metadata: str = "",
        empty_timeout_s: int = 60,
        departure_timeout_s: int = 20,
        dispatches: Sequence[Dispatch] = (),
    ) -> RoomInfo:
        request = api.CreateRoomRequest(
            name=name,
            metadata=metadata,
            empty_timeout=empty_timeout_s,
            departure_timeout=departure_timeout_s,
            agents=[room_agent(dispatch) for dispatch in dispatches],
        )
        async with self._asking():
            return room(await self._api.room.create_room(request))

    async def delete_room(self, room: str) -> None:
        async with self._asking(absent_is_well=True):
            await self._api.room.delete_room(api.DeleteRoomRequest(room=room))

    async def remove_participant(self, room: str, identity: str) -> None:
        async with self._asking(absent_is_well=True):
            await self._api.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))

    async def _exists(self, room: str) -> bool:
        async with self._asking():
            return bool((await self._api.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms)

    async def move_participant(self, room: str, identity: str, destination: str) -> None:
        request = api.MoveParticipantRequest(room=room, identity=identity, destination_room=destination)
        async with self._asking():
            await self._api.room.move_participant(request)

    async def update_permissions(self, room: str, identity: str, permissions: Permissions) -> None:
        """All fields at once: the server replaces every one."""
        request = api.UpdateParticipantRequest(
            room=room,
            identity=identity,
            permission=api.ParticipantPermission(
                can_subscribe=permissions.can_subscribe,
                can_publish=permissions.can_publish,
                can_publish_data=permissions.can_publish_data,
                hidden=permissions.hidden,
                can_update_metadata=permissions.can_update_metadata,
            ),
        )
        async with self._asking():
            await self._api.room.update_participant(request)

    async def set_subscribed(
        self, room: str, identity: str, track_sids: Sequence[str], *, subscribed: bool
    ) -> None:
        request = api.UpdateSubscriptionsRequest(
            room=room, identity=identity, track_sids=list(track_sids), subscribe=subscribed
        )
        async with self._asking():
            await self._api.room.update_subscriptions(request)

    # ── phones ───────────────────────────────────────────────────────────────────────────────────

    async def dial(self, request: DialRequest) -> DialResult:
        """Waits for the answer. Never replayed: CreateSIPParticipant is not idempotent."""
        check_dial(request)
        to, trunk = what_to_dial(request)
        message = api.CreateSIPParticipantRequest(
            sip_call_to=to,
            room_name=request.room,
            participant_identity=request.identity,
            participant_name=request.name,
            participant_attributes=dict(request.attributes),
            dtmf=request.dtmf,
            ringing_timeout=Duration(seconds=request.ringing_timeout_s),
            wait_until_answered=True,
            hide_phone_number=True,
            sip_number=trunk.sip_number,
            headers=dict(trunk.headers),
        )
        if isinstance(trunk, InlineTrunk):
            message.trunk.CopyFrom(
                api.SIPOutboundConfig(
                    hostname=trunk.hostname,
                    transport=TRANSPORTS[trunk.transport],
                    auth_username=trunk.username,
                    auth_password=trunk.password,
                )
            )
        else:
            message.sip_trunk_id = trunk.id
        within_s = request.ringing_timeout_s + ANSWER_MARGIN_S
        async with self._asking(within_s):
            info = await self._api.sip.create_sip_participant(message, timeout=within_s)
        return DialResult(sip_call_id=info.sip_call_id, participant_sid=info.participant_id)

    async def transfer_sip(self, room: str, identity: str, to: str) -> None:
        check_refer(to)
        request = api.TransferSIPParticipantRequest(
            room_name=room,
            participant_identity=identity,
            transfer_to=to,
            ringing_timeout=Duration(seconds=REFER_RINGING_S),
        )
        within_s = REFER_RINGING_S + ANSWER_MARGIN_S
        async with self._asking(within_s):
            await self._api.sip.transfer_sip_participant(request, timeout=within_s)

    # ── dispatches ───────────────────────────────────────────────────────────────────────────────

    async def list_dispatch(self, room: str) -> Sequence[Dispatch]:
        # Asked about a room that is not there, the server waits 3 s for a node that has it.
        if not await self._exists(room):
            return []
        async with self._asking():
            found = await self._api.agent_dispatch.list_dispatch(room)
        return [_dispatch(one) for one in found]

    async def create_dispatch(self, room: str, agent_name: str, metadata: str) -> str:
        request = api.CreateAgentDispatchRequest(
            room=room,
            agent_name=agent_name,
            metadata=metadata,
            restart_policy=api.JobRestartPolicy.JRP_NEVER,
        )
        async with self._asking():
            return str((await self._api.agent_dispatch.create_dispatch(request)).id)

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        if not await self._exists(room):
            return
        async with self._asking(absent_is_well=True):
            await self._api.agent_dispatch.delete_dispatch(dispatch_id, room)

    # ── trunks and rules ─────────────────────────────────────────────────────────────────────────

    async def list_outbound_trunks(self) -> Sequence[TrunkInfo]:
        async with self._asking():
            found = await self._api.sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
        return [_trunk(one, address=one.address) for one in found.items]

    async def list_inbound_trunks(self) -> Sequence[TrunkInfo]:
        async with self._asking():
            found = await self._api.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())
        return [_trunk(one, allowed_addresses=tuple(one.allowed_addresses)) for one in found.items]

    async def list_dispatch_rules(self) -> Sequence[DispatchRuleInfo]:
        async with self._asking():
            found = await self._api.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())
        return [
            DispatchRuleInfo(
                id=rule.sip_dispatch_rule_id,
                name=rule.name,
                room_prefix=rule.rule.dispatch_rule_callee.room_prefix
                or rule.rule.dispatch_rule_individual.room_prefix,
                agent_names=tuple(agent.agent_name for agent in rule.room_config.agents),
                trunk_ids=tuple(rule.trunk_ids),
                room_metadata=rule.room_config.metadata,
            )
            for rule in found.items
        ]

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
        trunk = api.SIPOutboundTrunkInfo(
            name=name,
            address=address,
            numbers=numbers,
            auth_username=username,
            auth_password=password,
            metadata=metadata,
        )
        async with self._asking():
            made = await self._api.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=trunk))
        return str(made.sip_trunk_id)

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
        async with self._asking():
            await self._api.sip.update_outbound_trunk_fields(
                id,
                address=address,
                numbers=None if numbers is None else list(numbers),
                auth_username=username,
                auth_password=password,
                metadata=metadata,
            )

    async def create_inbound_trunk(
        self, *, name: str, numbers: Sequence[str], allowed_addresses: Sequence[str] = (), metadata: str = ""
    ) -> str:
        trunk = api.SIPInboundTrunkInfo(
            name=name, numbers=numbers, allowed_addresses=allowed_addresses, metadata=metadata
        )
        async with self._asking():
            made = await self._api.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        return str(made.sip_trunk_id)

    async def update_inbound_trunk(
        self,
        id: str,
        *,
        numbers: Sequence[str] | None = None,
        allowed_addresses: Sequence[str] | None = None,
        metadata: str | None = None,
    ) -> None:
        async with self._asking():
            await self._api.sip.update_inbound_trunk_fields(
                id,
                numbers=None if numbers is None else list(numbers),
                allowed_addresses=None if allowed_addresses is None else list(allowed_addresses),
                metadata=metadata,
            )

    async def create_dispatch_rule(self, rule: CallerRule) -> str:
        request = api.CreateSIPDispatchRuleRequest(dispatch_rule=_rule(rule))
        async with self._asking():
            return str((await self._api.sip.create_dispatch_rule(request)).sip_dispatch_rule_id)

    async def update_dispatch_rule(self, id: str, rule: CallerRule) -> None:
        async with self._asking():
            await self._api.sip.update_dispatch_rule(id, _rule(rule))

    async def close(self) -> None:
        await self._api.aclose()


# ── from LiveKit's messages to ours ──────────────────────────────────────────────────────────────


def room_agent(dispatch: Dispatch) -> Any:
    """Never restarted by the server: the console decides who talks."""
    return api.RoomAgentDispatch(
        agent_name=dispatch.agent_name,
        metadata=dispatch.metadata,
        restart_policy=api.JobRestartPolicy.JRP_NEVER,
    )


def _trunk(info: Any, **own: Any) -> TrunkInfo:
    """Of either direction; `own` is what only one of them has."""
    return TrunkInfo(
        id=info.sip_trunk_id,
        name=info.name,
        numbers=tuple(info.numbers),
        metadata=info.metadata,
        username=info.auth_username,
        password=info.auth_password,
        **own,
    )


def _rule(rule: CallerRule) -> Any:
    callee = api.SIPDispatchRuleCallee(room_prefix=rule.room_prefix, randomize=True)
    return api.SIPDispatchRuleInfo(
        name=rule.name,
        trunk_ids=rule.trunk_ids,
        rule=api.SIPDispatchRule(dispatch_rule_callee=callee),
        room_config=api.RoomConfiguration(
            metadata=rule.room_metadata,
            agents=[room_agent(Dispatch(agent_name=rule.agent_name, metadata=rule.agent_metadata))],
        ),
    )


def _clean(message: str) -> str:
    """The server's words without its frame, and without any phone number: errors are stored and logged."""
    return LONG_NUMBER.sub("…", message.removeprefix("twirp error unknown: "))


def _time(seconds: int, milliseconds: int) -> datetime | None:
    """Older servers send seconds only."""
    at = milliseconds / 1000 if milliseconds else seconds
    return datetime.fromtimestamp(at, tz=UTC) if at else None


def room(info: Any) -> RoomInfo:
    """Also used for webhooks, which carry the same message."""
    return RoomInfo(
        info.name, info.sid, info.metadata, _time(info.creation_time, info.creation_time_ms), info.num_participants
    )


def _lower(enum: Callable[[int], str], value: int) -> str:
    return enum(value).lower()


def track(info: Any) -> Track:
    return Track(
        sid=info.sid,
        kind=_lower(api.TrackType.Name, info.type),
        source=_lower(api.TrackSource.Name, info.source),
        muted=info.muted,
    )


def participant(info: Any) -> ParticipantInfo:
    """Also used for webhooks, which carry the same message."""
    return ParticipantInfo(
        identity=info.identity,
        sid=info.sid,
        name=info.name,
        kind=_lower(api.ParticipantInfo.Kind.Name, info.kind),
        state=_lower(api.ParticipantInfo.State.Name, info.state),
        attributes=dict(info.attributes),
        joined_at=_time(info.joined_at, info.joined_at_ms),
        tracks=tuple(track(one) for one in info.tracks),
    )


def _dispatch(info: Any) -> Dispatch:
    jobs = list(info.state.jobs)
    running = any(job.state.status in (api.JobStatus.JS_PENDING, api.JobStatus.JS_RUNNING) for job in jobs)
    return Dispatch(
        agent_name=info.agent_name,
        metadata=info.metadata,
        id=info.id,
        running=running,
        job_ids=tuple(job.id for job in jobs),
    )
