"""Erasing what was said in a call, and who called: by a department's time, or because somebody asks for it.

The events stay, and the chain still verifies: their words are kept beside them, bound by a digest only. What
another app keeps of a call it erases on `call_erased`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import gettext

from calls.announcements import call_erased
from calls.errors import Refused
from calls.events import SYSTEM, Actor, ContentErased, record
from calls.hints import each
from calls.models import Call, CallFact, Department, Directive, EventPayload, Leg, Room, Utterance, WebhookDelivery
from calls.services.calls import locked, number_hmac, touched
from calls.states import CallState
from calls.timing import now

AT_ONCE = 50  # calls of one look
GONE = "erased"


def erase_call(call_id: UUID, *, why: Literal["retention", "request"], actor: Actor) -> bool:
    """Whether there was anything to erase. Raises Refused while the call lasts."""
    with transaction.atomic():
        call = locked(call_id)
        if call.is_live:
            raise Refused(gettext("This call is still going on: end it first, then erase what was said."))
        if call.erased_at:
            return False
        _erase_words(call)
        _erase_caller(call)
        call_erased.send(sender=Call, call=call)
        record(ContentErased(why=why), actor=actor, call_id=call.pk)
        touched(call)
    return True


def _erase_words(call: Call) -> None:
    rooms = [call.room_name, *Room.objects.filter(call=call).values_list("name", flat=True)]
    Utterance.objects.filter(call=call).delete()
    CallFact.objects.filter(call=call).delete()
    kind = JSONObject(kind=F("body__kind"))  # an agent may tell late that it was done
    Directive.objects.filter(job__call=call).update(body=kind, error="")
    EventPayload.objects.filter(event__call_id=call.pk).delete()
    WebhookDelivery.objects.filter(room_name__in=rooms).delete()
    Room.objects.filter(call=call).update(participants=[])


def _erase_caller(call: Call) -> None:
    """A leg's identity may hold the number that a phone line gave it."""
    Leg.objects.filter(call=call, identity=call.caller_identity).update(identity=GONE)
    Call.objects.filter(pk=call.pk).update(
        caller_identity=GONE, caller_number="", caller_number_hmac="", caller_last4="", erased_at=now()
    )


# ── when ─────────────────────────────────────────────────────────────────────────────────────────


def overdue() -> Iterable[UUID]:
    """Ended calls whose department's days are over; RETENTION_DAYS is for those without a number of their own."""
    own = Department.objects.filter(pk=OuterRef("department")).values("retention_days")  # a join would want one
    days = Coalesce(Subquery(own), Value(settings.RETENTION_DAYS))
    kept_for = ExpressionWrapper(days * Value(timedelta(days=1)), output_field=DurationField())
    ended = Call.objects.filter(state=CallState.INACTIVE, erased_at=None, ended_at__isnull=False)
    late = ended.annotate(days=days).filter(days__gt=0, ended_at__lt=now() - kept_for)
    return late.order_by("ended_at").values_list("pk", flat=True)[:AT_ONCE]


def tick() -> None:
    """The clock's."""
    each(overdue(), partial(erase_call, why="retention", actor=SYSTEM))


def erase_caller(number: str, *, actor: Actor) -> int:
    """All ended calls of a number (E.164), because the person asks for it; how many were erased."""
    calls = Call.objects.filter(caller_number_hmac=number_hmac(number)).exclude(caller_number_hmac="")
    if calls.exclude(state=CallState.INACTIVE).exists():
        raise Refused(gettext("Somebody is calling from that number right now. Erase it when the call is over."))
    ids = list(calls.values_list("pk", flat=True))
    return sum(erase_call(one, why="request", actor=actor) for one in ids)
