"""Mints every LiveKit token, from one table: identity pattern, room, grants, life. Nobody else does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from django.conf import settings
from livekit import api

from calls.agents import grants
from calls.agents.protocol import DispatchMetadata, Role
from calls.telephony.gateway import Dispatch
from calls.telephony.livekit import room_agent

Purpose = Literal[
    "bridge",
    "manager_consultation",
    "manager_call",
    "listen",
    "whisper",
    "barge",
    "take_over",
    "test_caller",
    "transfer_agent",
]
MICROPHONE = ("microphone",)


@dataclass(frozen=True)
class TokenRow:
    """What one purpose may do in the one room its token names; never more than being in it."""

    identity: str  # a pattern; {} is the attempt, grant or random id
    ttl: timedelta  # to connect with: the server refreshes the token of whoever has joined
    publish: bool = False
    sources: tuple[str, ...] = MICROPHONE  # of what is published; empty: any
    publish_data: bool = False
    subscribe: bool = True
    hidden: bool = False
    own_metadata: bool = False


TABLE: Final[Mapping[Purpose, TokenRow]] = {
    "bridge": TokenRow("bridge-{}", timedelta(minutes=10), publish=True),
    "manager_consultation": TokenRow("manager-{}", timedelta(minutes=2), publish=True),
    "manager_call": TokenRow("manager-{}", timedelta(minutes=2), publish=True),
    "listen": TokenRow("listen-{}", timedelta(minutes=2), hidden=True),
    "whisper": TokenRow("supervisor-{}", timedelta(minutes=2), publish=True),
    "barge": TokenRow("supervisor-{}", timedelta(minutes=2), publish=True),
    "take_over": TokenRow("supervisor-{}", timedelta(minutes=2), publish=True),
    "test_caller": TokenRow("caller-{}", timedelta(minutes=5), publish=True, publish_data=True),  # its keys
    "transfer_agent": TokenRow(
        "transfer-{}", timedelta(minutes=10), publish=True, sources=(), publish_data=True, own_metadata=True
    ),
}
# Jobs of the AgentServer get their tokens from the server itself, with these permissions.
WORKER: Final = grants.AGENTS


def mint(purpose: Purpose, *, room: str, subject: str, config: api.RoomConfiguration | None = None) -> str:
    """A token for one purpose, one room and one subject (an attempt's, a grant's or a random id)."""
    if not room or not subject:
        raise ValueError("a token names a room and a subject")
    row = TABLE[purpose]
    token = (
        api.AccessToken(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
        .with_identity(row.identity.format(subject))
        .with_ttl(row.ttl)
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_publish=row.publish,
                can_publish_data=row.publish_data,
                can_subscribe=row.subscribe,
                can_publish_sources=list(row.sources) if row.publish and row.sources else None,
                hidden=row.hidden,
                can_update_own_metadata=row.own_metadata,
            )
        )
    )
    if config is not None:
        token = token.with_room_config(config)
    return token.to_jwt()


def bridge(*, attempt_id: UUID, call_room: str) -> str:
    return mint("bridge", room=call_room, subject=str(attempt_id))


def browser_manager(*, attempt_id: UUID, room: str, in_call: bool) -> str:
    """For a manager's browser, in the consultation or in the caller's room."""
    purpose: Purpose = "manager_call" if in_call else "manager_consultation"
    return mint(purpose, room=room, subject=str(attempt_id))


@dataclass(frozen=True)
class BrowserCaller:
    room: str
    identity: str
    token: str


def rehearsed_room(department: str) -> dict[str, str]:
    """What the metadata of a rehearsal's room has besides a caller's."""
    return {"rehearsal": "1", "department": department}


def support_dispatch(agent_name: str) -> Dispatch:
    """Our own agent is told its role; anybody's is told nothing."""
    ours = DispatchMetadata(role=Role.SUPPORT).model_dump_json()
    return Dispatch(agent_name, ours if agent_name == settings.AGENT_NAME else "")


def browser_caller(*, department: str, rehearsal: bool = False, agent_name: str = "") -> BrowserCaller:
    """A browser that becomes a caller: its room is made with our metadata and an agent in it, by default the one
    that answers all calls."""
    subject, room = secrets.token_hex(6), f"call-test-{secrets.token_hex(6)}"
    metadata = {
        "patchbay": settings.PATCHBAY_INSTALLATION,
        "kind": "call",
        "source": "test",
        "department": department,
    }
    if rehearsal:
        metadata |= rehearsed_room(department)
    config = api.RoomConfiguration(
        metadata=json.dumps(metadata),
        empty_timeout=60,
        departure_timeout=5,
        agents=[room_agent(support_dispatch(agent_name or settings.SUPPORT_AGENT_NAME))],
    )
    token = mint("test_caller", room=room, subject=subject, config=config)
    return BrowserCaller(room=room, identity=f"caller-{subject}", token=token)
