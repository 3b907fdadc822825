"""Whether a request's token may dial or refer, as LiveKit checks it."""

from __future__ import annotations

import jwt
from aiohttp import web
from livekit import api

from calls.telephony.simulator.settings import Settings


def may_call(settings: Settings, request: web.Request, *, admin_of: str | None = None) -> bool:
    """A valid token of our key with `sip.call`, and `roomAdmin` for the room `admin_of` if that is given."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return False
    try:
        claims = api.TokenVerifier(settings.key, settings.secret).verify(token)
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError):
        return False
    video = claims.video
    is_admin = admin_of is None or bool(video and video.room_admin and video.room == admin_of)
    return bool(claims.sip and claims.sip.call) and is_admin
