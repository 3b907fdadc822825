"""The simulator's one HTTP server: LiveKit's API in front, the carrier's own switches under `/carrier`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web
from livekit import api

from calls.telephony.simulator import hearing, mouth, twirp
from calls.telephony.simulator.callers import Switchboard
from calls.telephony.simulator.control import Control, guard
from calls.telephony.simulator.exchange import Exchange
from calls.telephony.simulator.faults import ANSWERS, Faults, until_given_up
from calls.telephony.simulator.forward import forward
from calls.telephony.simulator.service import SipService
from calls.telephony.simulator.settings import Settings

LARGEST = 4 * 1024 * 1024


class Front:
    """Every Twirp request: a fault if one is waiting, ours if it is LiveKit's SIP service, else the server's."""

    def __init__(
        self, api_url: str, exchange: Exchange, service: SipService, faults: Faults, http: aiohttp.ClientSession
    ) -> None:
        self._api_url, self._exchange, self._service = api_url, exchange, service
        self._faults, self._http = faults, http

    async def handle(self, request: web.Request) -> web.Response:
        service, method = request.match_info["service"], request.match_info["method"]
        fault = self._faults.next(method)
        if fault in ANSWERS:
            return ANSWERS[fault].response()
        if fault == "never":
            await until_given_up(request)
            return web.Response(status=499)
        answer = await self._own(request, service, method, late=fault == "late")
        if answer is None and service == "livekit.RoomService":
            await self._before_removal(request, method)
        return answer if answer is not None else await forward(self._http, self._api_url, request)

    async def _own(self, request: web.Request, service: str, method: str, *, late: bool) -> web.Response | None:
        if (service, method) == ("livekit.SIP", "CreateSIPParticipant"):
            return await self._service.create(request, late=late)
        if (service, method) == ("livekit.SIP", "TransferSIPParticipant"):
            return await self._service.transfer(request)
        if (service, method) == ("livekit.RoomService", "MoveParticipant"):
            return await self._service.move(request)
        return None

    async def _before_removal(self, request: web.Request, method: str) -> None:
        if method == "RemoveParticipant":
            one = await twirp.read(request, api.RoomParticipantIdentity)
            await self._exchange.joined(one.room, one.identity) if one else None
        elif method == "DeleteRoom":
            room = await twirp.read(request, api.DeleteRoomRequest)
            await self._exchange.joined(room.room) if room else None


def application(settings: Settings) -> web.Application:
    """Make it on the event loop it will run on."""
    app = web.Application(client_max_size=LARGEST, middlewares=[guard(settings.token)])
    http = aiohttp.ClientSession()
    livekit = api.LiveKitAPI(settings.api_url, settings.key, settings.secret, session=http, failover=False)
    exchange, faults = Exchange(settings), Faults()
    switchboard = Switchboard(settings, livekit)
    front = Front(settings.api_url, exchange, SipService(settings, exchange, switchboard, livekit), faults, http)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        loading = [hearing.prewarm(), mouth.prewarm()]
        yield
        for one in loading:
            one.cancel()
        await asyncio.gather(switchboard.close(), exchange.close())
        await http.close()

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="OK")

    app.cleanup_ctx.append(lifetime)
    app.router.add_get("/", alive)
    app.router.add_post("/twirp/{service}/{method}", front.handle)
    app.router.add_routes(Control(exchange, switchboard, faults).routes())
    return app


def serve(settings: Settings) -> None:
    """Until SIGTERM."""

    async def made() -> web.Application:
        return application(settings)

    web.run_app(made(), host=settings.host, port=settings.port, print=None, access_log=None, shutdown_timeout=1)
