"""Every token, decoded and compared with what it may say: written out here once more, on purpose."""

from __future__ import annotations

import json
import time
from typing import Any, get_args
from uuid import UUID

import jwt
import pytest
from django.conf import settings

from calls.agents.link_token import InvalidLinkToken, LinkClaims, sign_link_token, verify_link_token
from calls.telephony import tokens
from calls.telephony.tokens import Purpose, mint

ROOM = "call-1"
JOIN = {"roomJoin": True, "room": ROOM}
MUTE_DATA: dict[str, Any] = {"canPublishData": False, "canUpdateOwnMetadata": False}
SPEAK = {**JOIN, **MUTE_DATA, "canPublish": True, "canSubscribe": True, "hidden": False}
PERSON = {**SPEAK, "canPublishSources": ["microphone"]}
EXPECTED: dict[str, tuple[str, int, dict[str, Any]]] = {
    "bridge": ("bridge-x", 600, PERSON),
    "manager_consultation": ("manager-x", 120, PERSON),
    "manager_call": ("manager-x", 120, PERSON),
    "listen": (
        "listen-x",
        120,
        {**JOIN, **MUTE_DATA, "canPublish": False, "canSubscribe": True, "hidden": True},
    ),
    "whisper": ("supervisor-x", 120, PERSON),
    "barge": ("supervisor-x", 120, PERSON),
    "take_over": ("supervisor-x", 120, PERSON),
    "test_caller": ("caller-x", 300, PERSON | {"canPublishData": True}),
    "transfer_agent": ("transfer-x", 600, {**SPEAK, "canPublishData": True, "canUpdateOwnMetadata": True}),
}


def decoded(token: str) -> dict[str, Any]:
    return jwt.decode(token, settings.LIVEKIT_API_SECRET, algorithms=["HS256"], issuer=settings.LIVEKIT_API_KEY)


@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_a_token_says_what_the_table_says_and_no_more(purpose: Purpose) -> None:
    claims = decoded(mint(purpose, room=ROOM, subject="x"))
    identity, life, grants = EXPECTED[purpose]
    assert claims.pop("exp") - claims.pop("nbf") == life
    assert claims == {"iss": settings.LIVEKIT_API_KEY, "sub": identity, "video": grants}


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(tokens.TABLE) == set(get_args(Purpose))


@pytest.mark.parametrize(("room", "subject"), [("", "x"), (ROOM, "")])
def test_no_token_is_minted_without_a_room_or_a_subject(room: str, subject: str) -> None:
    """A token without a room would open every room."""
    with pytest.raises(ValueError):
        mint("listen", room=room, subject=subject)


def test_the_bridge_is_named_by_its_attempt() -> None:
    attempt = UUID(int=7)
    claims = decoded(tokens.bridge(attempt_id=attempt, call_room=ROOM))
    assert (claims["sub"], claims["video"]["room"]) == (f"bridge-{attempt}", ROOM)


def test_a_browser_caller_makes_a_room_of_ours_with_the_agent_in_it() -> None:
    caller = tokens.browser_caller(department="Billing", rehearsal=True)
    claims = decoded(caller.token)
    assert (claims["sub"], claims["video"]["room"]) == (caller.identity, caller.room)
    config = claims["roomConfig"]
    metadata = json.loads(config["metadata"])
    assert metadata.pop("rehearsal")
    assert metadata == {
        "patchbay": settings.PATCHBAY_INSTALLATION,
        "kind": "call",
        "source": "test",
        "department": "Billing",
    }
    (agent,) = config["agents"]
    assert (agent["agentName"], agent["restartPolicy"]) == (settings.AGENT_NAME, "JRP_NEVER")
    assert json.loads(agent["metadata"])["role"] == "support"
    assert tokens.browser_caller(department="").room != caller.room


def test_workers_are_visible_and_are_no_administrators() -> None:
    assert vars(tokens.WORKER) == {
        "can_publish": True,
        "can_subscribe": True,
        "can_publish_data": True,
        "can_update_metadata": True,
        "hidden": False,
    }


LINK = {"room": ROOM, "job_id": "AJ_1", "role": "support"}


def test_a_link_token_says_which_job_it_is() -> None:
    assert verify_link_token(sign_link_token(**LINK)) == LinkClaims(ROOM, "AJ_1", "support")


def test_a_link_token_is_no_livekit_token_and_the_other_way_round() -> None:
    assert "video" not in jwt.decode(sign_link_token(**LINK), options={"verify_signature": False})
    with pytest.raises(InvalidLinkToken):
        verify_link_token(mint("transfer_agent", room=ROOM, subject="x"))


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another-secret-of-at-least-32-characters"},
        {"key": "APIother"},
    ],
)
def test_a_link_token_of_other_keys_is_refused(forged: dict[str, str]) -> None:
    with pytest.raises(InvalidLinkToken):
        verify_link_token(sign_link_token(**LINK, **forged))


def test_an_unsigned_link_token_is_refused() -> None:
    claims = jwt.decode(sign_link_token(**LINK), options={"verify_signature": False})
    with pytest.raises(InvalidLinkToken):
        verify_link_token(jwt.encode(claims, "", algorithm="none"))
    for missing in ("", "rubbish", "a.b.c"):
        with pytest.raises(InvalidLinkToken):
            verify_link_token(missing)


@pytest.mark.parametrize(("seconds", "good"), [(-149, True), (-151, False), (89, True), (95, False)])
def test_clocks_may_differ_by_ninety_seconds(monkeypatch: pytest.MonkeyPatch, seconds: int, good: bool) -> None:
    """Signed by an agent whose clock is off; a token lives for 60 s more."""
    real = time.time()
    monkeypatch.setattr("calls.agents.link_token.time.time", lambda: real + seconds)
    token = sign_link_token(**LINK)
    monkeypatch.undo()
    if good:
        verify_link_token(token)
    else:
        with pytest.raises(InvalidLinkToken):
            verify_link_token(token)
