"""The agent link's short token: signed by the job with LiveKit's API secret, so any server's job can have one.

Its audience is ours alone: it is no LiveKit token, and no LiveKit token is one. Imports no Django.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import jwt

AUDIENCE = "patchbay-link"
LIFE_SECONDS = 60
CLOCKS_DIFFER_SECONDS = 90


class InvalidLinkToken(Exception):
    """Missing, expired, forged, or meant for something else."""


@dataclass(frozen=True)
class LinkClaims:
    room: str
    job_id: str
    role: str


def sign_link_token(*, room: str, job_id: str, role: str, key: str = "", secret: str = "") -> str:
    """Good for one connection's start."""
    now = int(time.time())
    claims = {
        "iss": key or os.environ["LIVEKIT_API_KEY"],
        "aud": AUDIENCE,
        "sub": job_id,
        "room": room,
        "role": role,
        "iat": now,
        "exp": now + LIFE_SECONDS,
    }
    return jwt.encode(claims, secret or os.environ["LIVEKIT_API_SECRET"], algorithm="HS256")


def verify_link_token(token: str, *, key: str = "", secret: str = "") -> LinkClaims:
    """Raises `InvalidLinkToken`. The clocks of agents and console may differ by 90 s."""
    try:
        claims = jwt.decode(
            token,
            secret or os.environ["LIVEKIT_API_SECRET"],
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=key or os.environ["LIVEKIT_API_KEY"],
            leeway=CLOCKS_DIFFER_SECONDS,
            options={"require": ["exp", "iat", "sub", "room", "role"]},
        )
    except jwt.InvalidTokenError as error:
        raise InvalidLinkToken(type(error).__name__) from None
    return LinkClaims(room=claims["room"], job_id=claims["sub"], role=claims["role"])
