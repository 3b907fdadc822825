"""LiveKit's SIP service: dial (CreateSIPParticipant) and refer. What LiveKit itself refuses, LiveKit answers."""

from __future__ import annotations

import asyncio
import re

import aiohttp
from aiohttp import web
from google.protobuf.empty_pb2 import Empty
from livekit import api, rtc
from livekit.protocol import sip

from calls.telephony.simulator import twirp
from calls.telephony.simulator.callers import Caller, Switchboard
from calls.telephony.simulator.exchange import Exchange
from calls.telephony.simulator.faults import until_given_up
from calls.telephony.simulator.grants import may_call, may_move
from calls.telephony.simulator.numbers import OK, phone_at
from calls.telephony.simulator.phone import DialledPhone, Leg
from calls.telephony.simulator.settings import Settings
from calls.telephony.simulator.twirp import FRAME, TwirpError, sip_error

DIGITS = re.compile(r"[0-9*#A-Dw]*")
NUMBER = re.compile(r"\+?\d+")
REFER_S = 30.0
LOOK_UP_S = 5.0

Request = sip.CreateSIPParticipantRequest


class SipService:
    """Answers None where the request is for the real server to refuse (no grant, no such trunk, …)."""

    def __init__(
        self, settings: Settings, exchange: Exchange, switchboard: Switchboard, livekit: api.LiveKitAPI
    ) -> None:
        self._settings, self._exchange, self._livekit = settings, exchange, livekit
        self._switchboard = switchboard

    # ── dial ─────────────────────────────────────────────────────────────────────────────────────

    async def create(self, request: web.Request, *, late: bool = False) -> web.Response | None:
        message = await twirp.read(request, Request)
        if message is None or not may_call(self._settings, request) or _livekit_refuses(message):
            return None
        trunk = await self._trunk(message)
        if trunk is None:
            return None
        if not DIGITS.fullmatch(message.dtmf):
            return TwirpError("invalid_argument", "dtmf is made of 0-9, *, #, A-D and w").response()
        phone = self._dial(message, trunk, late=late)
        if late:
            await until_given_up(request)
            phone.may_answer.set()
            return web.Response(status=499)
        try:
            return twirp.answer(request, await self._info(message, phone))
        except TwirpError as error:
            return error.response()

    def _dial(self, message: Request, trunk: sip.SIPOutboundTrunkInfo, *, late: bool) -> DialledPhone:
        shown = message.sip_number or trunk.numbers[0]
        to = message.sip_call_to
        if not NUMBER.fullmatch(to):
            to = f"sip:{to}@{trunk.address}"
        attributes = dict(message.participant_attributes)
        if message.sip_trunk_id:
            attributes["sip.trunkID"] = message.sip_trunk_id
        if not message.hide_phone_number:
            attributes |= {
                "sip.phoneNumber": message.sip_call_to,
                "sip.hostname": trunk.address,
                "sip.trunkPhoneNumber": shown,
            }
        leg = Leg(
            room=message.room_name,
            identity=message.participant_identity or f"sip_{message.sip_call_to}",
            name=message.participant_name,
            metadata=message.participant_metadata,
            attributes=attributes,
            dtmf=message.dtmf,
            ringing_timeout_s=message.ringing_timeout.ToTimedelta().total_seconds(),
        )
        kind = "stored" if message.sip_trunk_id else "inline"
        waits = message.wait_until_answered
        record = self._exchange.record(leg, to=to, trunk=kind, sip_number=shown, waits=waits)
        return self._exchange.dial(leg, record, late=late)

    async def _info(self, message: Request, phone: DialledPhone) -> sip.SIPParticipantInfo:
        """Raises TwirpError. The phone goes on without us if the client gives up meanwhile."""
        participant_id = await asyncio.shield(phone.joined)
        if message.wait_until_answered:
            await asyncio.shield(phone.answered)
        return sip.SIPParticipantInfo(
            participant_id=participant_id,
            participant_identity=phone.leg.identity,
            room_name=phone.leg.room,
            sip_call_id=phone.leg.call_id,
        )

    async def _trunk(self, message: Request) -> sip.SIPOutboundTrunkInfo | None:
        """The stored trunk, or the inline one in its shape; None if there is none with a number to call from."""
        if not message.sip_trunk_id:
            inline = sip.SIPOutboundTrunkInfo(address=message.trunk.hostname)
            return inline if message.sip_number and message.trunk.hostname else None
        listing = api.ListSIPOutboundTrunkRequest(trunk_ids=[message.sip_trunk_id])
        try:
            async with asyncio.timeout(LOOK_UP_S):
                found = await self._livekit.sip.list_outbound_trunk(listing)
        except (api.ServerError, aiohttp.ClientError, TimeoutError):
            return None
        trunks = [one for one in found.items if one.sip_trunk_id == message.sip_trunk_id]
        return next((one for one in trunks if message.sip_number or one.numbers), None)

    # ── refer ────────────────────────────────────────────────────────────────────────────────────

    async def transfer(self, request: web.Request) -> web.Response | None:
        """REFER: the phone's carrier calls another number; if that answers, our leg leaves."""
        message = await twirp.read(request, sip.TransferSIPParticipantRequest)
        if message is None or not may_call(self._settings, request, admin_of=message.room_name):
            return None
        phone = self._on_the_line(message.room_name, message.participant_identity)
        if phone is None or not message.transfer_to:
            return None
        if not phone.talks:
            return TwirpError("failed_precondition", f"{FRAME}call is not active").response()
        target = phone_at(message.transfer_to.removeprefix("tel:").strip("<>")).behaviour
        limit = message.ringing_timeout.ToTimedelta().total_seconds() or REFER_S
        if target.never or target.rings_s > limit:
            await asyncio.sleep(limit)
            return sip_error(408, sip_transfer_reason="STR_RINGING_TIMEOUT").response()
        await asyncio.sleep(target.rings_s)
        if target.status != OK:
            return sip_error(target.status, sip_transfer_reason="STR_REJECTED").response()
        phone.notes.add("referred", message.transfer_to)
        await phone.hang_up()
        return twirp.answer(request, Empty())

    # ── move ─────────────────────────────────────────────────────────────────────────────────────

    async def move(self, request: web.Request) -> web.Response | None:
        """What only LiveKit Cloud does: a phone that talks goes on in another room. None: not ours to answer."""
        message = await twirp.read(request, api.MoveParticipantRequest)
        if message is None or not self._settings.moves:
            return None
        room, destination = message.room, message.destination_room
        if not may_move(self._settings, request, room=room, destination=destination):
            return TwirpError("permission_denied", "permissions denied").response()
        phone = self._exchange.leg(room, message.identity)
        if phone is None or not phone.talks:
            return TwirpError("not_found", "participant does not exist").response()
        try:
            await phone.move(destination, self._settings.key, self._settings.secret)
        except rtc.ConnectError:
            return TwirpError("unavailable", "the destination could not be joined").response()
        return twirp.answer(request, api.MoveParticipantResponse())

    def _on_the_line(self, room: str, identity: str) -> DialledPhone | Caller | None:
        return self._exchange.leg(room, identity) or self._switchboard.leg(room, identity)


def _livekit_refuses(message: Request) -> bool:
    """CreateSIPParticipantRequest.Validate of livekit/protocol, as far as a client of ours can get it wrong."""
    return (
        not message.sip_call_to
        or "@" in message.sip_call_to
        or not message.room_name
        or (message.HasField("trunk") and not message.trunk.hostname)
        or any(not value.isprintable() for value in message.headers.values())
    )
