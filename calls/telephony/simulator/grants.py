"""Whether a request's token may dial or refer, as LiveKit checks it."""

from __future__ import annotations

import jwt
from aiohttp import web
from livekit import api

from calls.telephony.simulator.settings import Settings


def may_call(settings: Settings, request: web.Request, *, admin_of: str | None = None) -> bool:
    """A valid token of our key with `sip.call`, and `roomAdmin` for the room `admin_of` if that is given."""
    claims = _claims(settings, request)
    if claims is None:
        return False
    video = claims.video
    is_admin = admin_of is None or bool(video and video.room_admin and video.room == admin_of)
    return bool(claims.sip and claims.sip.call) and is_admin


def may_move(settings: Settings, request: web.Request, *, room: str, destination: str) -> bool:
    """A valid token of our key with `roomAdmin` for the room and the destination named in it."""
    claims = _claims(settings, request)
    video = claims.video if claims else None
    return bool(video and video.room_admin and video.room == room and video.destination_room == destination)


def _claims(settings: Settings, request: web.Request) -> api.access_token.Claims | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    try:
        return api.TokenVerifier(settings.key, settings.secret).verify(token)
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError):
        return None
