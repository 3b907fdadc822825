"""Hands every Twirp call that is not ours to the real livekit-server, and its answer back."""

from __future__ import annotations

import aiohttp
from aiohttp import web

WITHIN = aiohttp.ClientTimeout(total=60, connect=5)
NOT_PASSED_ON = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})
NOT_PASSED_BACK = frozenset({"content-length", "connection", "transfer-encoding", "content-encoding", "date"})


async def forward(session: aiohttp.ClientSession, api_url: str, request: web.Request) -> web.Response:
    """Body, headers and status as they are; Twirp's `unavailable` if nobody answers."""
    headers = [(n, v) for n, v in request.headers.items() if n.lower() not in NOT_PASSED_ON]
    body = await request.read()
    try:
        async with session.post(
            api_url + request.raw_path, data=body, headers=headers, timeout=WITHIN, allow_redirects=False
        ) as answer:
            back = [(n, v) for n, v in answer.headers.items() if n.lower() not in NOT_PASSED_BACK]
            response = web.Response(status=answer.status, body=await answer.read())
            response.headers.clear()
            response.headers.extend(back)
            return response
    except (aiohttp.ClientError, TimeoutError):
        words = "livekit-server does not answer"
        return web.json_response({"code": "unavailable", "msg": words}, status=503)
