"""LiveKit's webhooks: verified, stored once by their id, handed on. `reconcile` makes good what is lost."""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls import metrics
from calls.announcements import consult_room_seen
from calls.compiled import Argument, Exists, insert_once
from calls.models import WebhookDelivery
from calls.services import legs, rooms, supervision
from calls.services.legs import ParticipantFact, RoomFact
from calls.telephony.gateway import ParticipantInfo, RoomInfo
from calls.telephony.webhook import InvalidWebhook, Webhook, read
from calls.timing import now

logger = logging.getLogger(__name__)

LEFT = ("participant_left", "participant_connection_aborted")


@csrf_exempt
@login_not_required
@require_POST
def livekit(request: HttpRequest) -> HttpResponse:
    """As a page of Django's; `webhook_app` answers the same without the pages' middleware and thread."""
    status, words = answer(request.body, request.headers.get("Authorization", ""))
    return HttpResponse(words, status=status, content_type="text/plain")


def answer(body: bytes, authorization: str) -> tuple[int, str]:
    """401 and nothing written unless LiveKit signed exactly this body; 200 for what was heard before, too."""
    try:
        webhook = read(body, authorization, key=settings.LIVEKIT_API_KEY, secret=settings.LIVEKIT_API_SECRET)
    except InvalidWebhook as error:
        logger.warning("webhook refused", extra={"reason": str(error)})
        metrics.webhooks.labels("forged").inc()
        return 401, "This is not signed by our LiveKit."
    new = take(webhook, body=body)
    metrics.webhooks.labels("new" if new else "duplicate").inc()
    return 200, ""


def take(webhook: Webhook, *, body: bytes) -> bool:
    """Store it and do what follows, in one transaction; False if it was there already.

    A database that fails makes the server send it again; a fault of ours is logged, and the webhook stored alone.
    """
    try:
        with transaction.atomic():
            new = _stored(webhook, body)
            if new:
                _hand_on(webhook)
            return new
    except Error:
        raise
    except Exception as error:
        logger.exception("webhook not understood", extra={"type": webhook.type, "error": type(error).__name__})
        return _stored(webhook, body)


def _stored(webhook: Webhook, body: bytes) -> bool:
    """False if it was there. Most are new: to look first would be one more query for every one of them."""
    room, who = webhook.room, webhook.participant
    return insert_once(
        WebhookDelivery(
            id=webhook.id,
            type=webhook.type,
            room_name=room.name if room else "",
            room_sid=room.sid if room else "",
            identity=who.identity if who else "",
            participant_sid=who.sid if who else "",
            created_at=webhook.at,
            received_at=now(),
            body=body,
        )
    )


def _hand_on(webhook: Webhook) -> None:
    room, who, at = webhook.room, webhook.participant, now()
    if room is None:
        return
    match webhook.type:
        case "room_started":
            rooms.started(room, at=at)
        case "room_finished":
            rooms.gone(room.name, sid=room.sid, at=at)
            legs.room_finished(room.name, room_sid=room.sid)
        case "participant_joined" if who:
            _joined(room, who)
        case kind if kind in LEFT and who:
            rooms.left(room, who, at=at)
            legs.participant_left(room.name, participant_sid=who.sid, reason=webhook.reason, at=webhook.at)
        case "track_published" | "track_unpublished" as kind if who and webhook.track:
            rooms.track_changed(room, who, webhook.track, at=at, published=kind == "track_published")
            if kind == "track_published":
                supervision.speaks(who.identity)
        case _:
            pass


def _joined(room: RoomInfo, who: ParticipantInfo) -> None:
    """Unless they are known to have left, or the room to be closed: webhooks overtake each other."""
    if _over(room_name=room.name, room_sid=room.sid, participant_sid=who.sid):
        return
    legs.participant_seen(room_fact(room), participant_fact(who))
    rooms.joined(room, who, at=now())  # second: it asks which call the room is of
    announce_consult(room.name)


def _left_or_closed() -> QuerySet[WebhookDelivery]:
    left = Q(type__in=LEFT, participant_sid=Argument("participant_sid"))
    closed = Q(type="room_finished", room_sid=Argument("room_sid"))
    return WebhookDelivery.objects.filter(left | closed, room_name=Argument("room_name"))


_over = Exists(_left_or_closed)


def announce_consult(room_name: str) -> None:
    """A consultation room is known by its attempt's id alone: a late dial makes it again, without metadata."""
    attempt_id = legs.attempt_of(room_name)
    if attempt_id and room_name.startswith("consult-"):
        consult_room_seen.send(sender=WebhookDelivery, attempt_id=attempt_id, room_name=room_name)


def room_fact(room: RoomInfo) -> RoomFact:
    return RoomFact(name=room.name, sid=room.sid, metadata=room.metadata)


def participant_fact(who: ParticipantInfo) -> ParticipantFact:
    return ParticipantFact(
        identity=who.identity, sid=who.sid, kind=who.kind, attributes=who.attributes, joined_at=who.joined_at
    )
