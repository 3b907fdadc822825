"""LiveKit's webhooks: verified by signature and by the digest of their bytes, and made into typed facts.

They carry no answer of a phone, no SIP status and no attribute change, and may be lost, late or doubled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from livekit import api
from livekit.protocol.webhook import WebhookEvent

from calls.telephony.gateway import ParticipantInfo, RoomInfo, Track
from calls.telephony.livekit import participant, room, track

CLOCKS_DIFFER = timedelta(seconds=90)


class InvalidWebhook(Exception):
    """Not signed by LiveKit with our keys, not these bytes, or no webhook at all."""


@dataclass(frozen=True)
class Webhook:
    """One event. Of a track's events `room` and `participant` carry little more than names and ids."""

    id: str
    type: str
    at: datetime
    room: RoomInfo | None = None
    participant: ParticipantInfo | None = None
    track: Track | None = None
    reason: str = ""  # why the participant left: client_initiated, duplicate_identity…


def read(body: bytes, authorization: str, *, key: str, secret: str) -> Webhook:
    """Raises `InvalidWebhook` for anything that LiveKit did not sign with these keys within 5 minutes."""
    receiver = api.WebhookReceiver(api.TokenVerifier(key, secret, leeway=CLOCKS_DIFFER))
    try:
        event = receiver.receive(body.decode(), authorization.removeprefix("Bearer ").strip())
    except Exception as error:  # the SDK raises whatever its parts raise, and bare Exceptions
        raise InvalidWebhook(type(error).__name__) from None
    if not event.id:
        raise InvalidWebhook("no id")
    return _typed(event)


def _typed(event: WebhookEvent) -> Webhook:
    who = event.participant
    return Webhook(
        id=event.id,
        type=event.event,
        at=datetime.fromtimestamp(event.created_at, tz=UTC),
        room=room(event.room) if event.HasField("room") else None,
        participant=participant(who) if event.HasField("participant") else None,
        track=track(event.track) if event.HasField("track") else None,
        reason=api.DisconnectReason.Name(who.disconnect_reason).lower() if who.disconnect_reason else "",
    )
