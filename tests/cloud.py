"""A stand-in for LiveKit Cloud, before the carrier simulator and a real livekit-server.

What it knows of Cloud: one host for a project and others for its regions, which `/settings/regions` names; what
it moves, the simulator moves; a password that was given is not told again; and an answer may be lost after the
deed was done. Its names lead to this machine, whatever the resolver says (`names_lead_here`).
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from livekit.protocol import sip

from calls.telephony.livekit import LiveKitGateway
from calls.telephony.simulator.forward import forward
from calls.telephony.simulator.twirp import TwirpError
from tests.carrier import Carrier
from tests.livekit import KEY, SECRET

DOMAIN = ".livekit.cloud"
PROJECT = f"patchbay-test{DOMAIN}"
REGIONS = tuple(f"patchbay-test.{name}.production{DOMAIN}" for name in ("oashburn1a", "dfra1a"))


class Cloud:
    """`seen` has each Twirp request as (host, method)."""

    def __init__(self, carrier: Carrier, http: aiohttp.ClientSession) -> None:
        self.carrier, self._http = carrier, http
        self.seen: list[tuple[str, str]] = []
        self.asked_for_regions = 0
        self.lost: dict[str, int] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{PROJECT}:{self.port}"

    def lose_answers(self, method: str, times: int = 1) -> None:
        """The next ones of a method are done, and answered with 503 all the same."""
        self.lost[method] = times

    def count(self, method: str) -> int:
        return sum(1 for _, one in self.seen if one == method)

    async def regions(self, request: web.Request) -> web.Response:
        self.asked_for_regions += 1
        rows = [
            {"region": host.split(".")[1], "url": f"ws://{host}:{self.port}", "distance": str(1000 * n)}
            for n, host in enumerate(REGIONS)
        ]
        return web.json_response({"regions": rows}, headers={"Cache-Control": "max-age=30"})

    async def twirp(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.seen.append((request.host.partition(":")[0], method))
        answer = await forward(self._http, self.carrier.url, request)
        if self.lost.get(method):
            self.lost[method] -= 1
            return TwirpError(
                "unavailable", "upstream connect error or disconnect/reset before headers"
            ).response()
        return self._without_passwords(answer) if method == "ListSIPOutboundTrunk" else answer

    @staticmethod
    def _without_passwords(answer: web.Response) -> web.Response:
        assert isinstance(answer.body, bytes)
        found = sip.ListSIPOutboundTrunkResponse.FromString(answer.body)
        for trunk in found.items:
            trunk.auth_password = ""
        return web.Response(body=found.SerializeToString(), content_type="application/protobuf")


@asynccontextmanager
async def running(carrier: Carrier) -> AsyncIterator[Cloud]:
    async with aiohttp.ClientSession() as http:
        cloud, app = Cloud(carrier, http), web.Application()
        app.router.add_get("/settings/regions", cloud.regions)
        app.router.add_post("/twirp/{service}/{method}", cloud.twirp)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        cloud.port = runner.addresses[0][1]
        try:
            yield cloud
        finally:
            await runner.cleanup()


def gateway(cloud: Cloud) -> LiveKitGateway:
    """The product's own, told Cloud's address."""
    return LiveKitGateway(cloud.url, KEY, SECRET)


def names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(DOMAIN) else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
