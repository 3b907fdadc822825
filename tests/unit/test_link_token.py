"""The agent link's token: good for one room and job, soon over, and no other token will do."""

from __future__ import annotations

import time

import jwt
import pytest

from calls.agents.link_token import InvalidLinkToken, LinkClaims, sign_link_token, verify_link_token

KEYS = {"key": "APIx", "secret": "secret-of-at-least-32-characters-x"}


def signed(**claims: object) -> str:
    now = int(time.time())
    good = {"iss": "APIx", "aud": "patchbay-link", "sub": "AJ_1", "room": "r", "role": "support"}
    values = good | {"iat": now, "exp": now + 60} | claims
    return jwt.encode({k: v for k, v in values.items() if v is not None}, KEYS["secret"], algorithm="HS256")


def test_it_says_what_was_signed() -> None:
    token = sign_link_token(room="call-1", job_id="AJ_1", role="support", **KEYS)
    assert verify_link_token(token, **KEYS) == LinkClaims(room="call-1", job_id="AJ_1", role="support")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": "livekit"},
        {"iss": "APIother"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"room": None},
        {"role": None},
    ],
    ids=str,
)
def test_anything_else_is_refused(claims: dict[str, object]) -> None:
    with pytest.raises(InvalidLinkToken):
        verify_link_token(signed(**claims), **KEYS)


@pytest.mark.parametrize("minutes", [-1, 1])
def test_clocks_may_differ_by_90_seconds(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 85 * minutes)
    token = sign_link_token(room="r", job_id="AJ_1", role="support", **KEYS)
    monkeypatch.undo()
    assert verify_link_token(token, **KEYS).job_id == "AJ_1"


def test_a_token_of_another_secret_or_of_none_is_refused() -> None:
    token = sign_link_token(room="r", job_id="AJ_1", role="support", key="APIx", secret="z" * 40)
    unsigned = jwt.encode({"sub": "AJ_1"}, "", algorithm="none")
    for wrong in (token, unsigned, "", "a.b.c"):
        with pytest.raises(InvalidLinkToken):
            verify_link_token(wrong, **KEYS)


def test_a_livekit_token_is_none_of_ours_nor_the_other_way_round() -> None:
    from livekit import api

    theirs = api.AccessToken(KEYS["key"], KEYS["secret"]).with_identity("support").to_jwt()
    with pytest.raises(InvalidLinkToken):
        verify_link_token(theirs, **KEYS)
    ours = api.TokenVerifier(KEYS["key"], KEYS["secret"])
    with pytest.raises(jwt.InvalidTokenError):
        ours.verify(sign_link_token(room="r", job_id="AJ_1", role="support", **KEYS))
