"""The caller in the room: who it is, and what the agent itself can tell of them."""

from __future__ import annotations

import asyncio

from livekit import rtc

from calls.agents import protocol as p
from calls.agents.job import is_caller

RINGING = ("dialing", "ringing", "automation")


async def find_caller(room: rtc.Room, known: str, *, within_s: float) -> str | None:
    """Whom the console knows as the caller, or the first who is none of ours, by identity; None: nobody came."""
    if known and known in room.remote_participants:
        return known
    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def joined(who: rtc.RemoteParticipant) -> None:
        if is_caller(who) and not came.done():
            came.set_result(who.identity)

    room.on("participant_connected", joined)
    for who in room.remote_participants.values():
        joined(who)
    try:
        return await asyncio.wait_for(came, within_s)
    except TimeoutError:
        return None
    finally:
        room.off("participant_connected", joined)


async def picked_up(room: rtc.Room, identity: str) -> None:
    """Wait while it rings at their end (whoever is called back); nobody else is waited for, nor who has left."""
    changed = asyncio.Event()

    def note(*_: object) -> None:
        changed.set()

    room.on("participant_attributes_changed", note)
    room.on("participant_disconnected", note)
    try:
        while _rings(room, identity):
            await changed.wait()
            changed.clear()
    finally:
        room.off("participant_attributes_changed", note)
        room.off("participant_disconnected", note)


def _rings(room: rtc.Room, identity: str) -> bool:
    who = room.remote_participants.get(identity)
    return who is not None and who.attributes.get("sip.callStatus", "") in RINGING


def caller_here(room: rtc.Room, identity: str) -> p.CallerHere | None:
    """What the server says of them: by what they dialled the console knows for whom the agent speaks."""
    who = room.remote_participants.get(identity)
    if who is None:
        return None
    sip = who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    return p.CallerHere(
        identity=who.identity,
        sid=who.sid,
        participant_kind="sip" if sip else "standard",
        attributes=dict(who.attributes),
    )
