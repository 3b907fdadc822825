"""The simulator's one HTTP server: LiveKit's API in front, the carrier's own switches behind `/carrier`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from calls.telephony.simulator.forward import forward
from calls.telephony.simulator.settings import Settings

HTTP = web.AppKey("HTTP", aiohttp.ClientSession)


def application(settings: Settings) -> web.Application:
    app = web.Application(client_max_size=4 * 1024 * 1024)

    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            app[HTTP] = session
            yield

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def pass_on(request: web.Request) -> web.Response:
        return await forward(request.app[HTTP], settings.api_url, request)

    app.cleanup_ctx.append(resources)
    app.router.add_get("/", alive)
    app.router.add_post("/twirp/{service}/{method}", pass_on)
    return app


def serve(settings: Settings) -> None:
    """Until SIGTERM."""
    web.run_app(
        application(settings),
        host="127.0.0.1",
        port=settings.port,
        print=None,
        access_log=None,
        shutdown_timeout=2,
    )
