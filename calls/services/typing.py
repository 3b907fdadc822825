"""A typed turn of a test caller, for machines without a microphone."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from calls.agents.protocol import Hear, Role
from calls.errors import Refused
from calls.models import Call
from calls.services.calls import locked
from calls.services.links import direct, live_job
from calls.states import CallerWith

LONGEST = 500


def typed(*, call_id: UUID, key: UUID, text: str) -> None:
    """Let the AI hear `text` as if the test caller had said it; the same `key` is heard once."""
    with transaction.atomic():
        call = locked(call_id)
        if call.source != Call.Source.TEST or not call.is_live:
            raise Refused(gettext("This test call has ended. Start another to go on."))
        if call.caller_with == CallerWith.HOLD:
            raise Refused(
                gettext("You are on hold: nobody hears you until you are connected or back with the AI.")
            )
        if call.caller_with != CallerWith.AI:
            raise Refused(
                gettext("You are talking to a person now: typed lines reach nobody. Use a microphone to be heard.")
            )
        job = live_job(call.pk, Role.SUPPORT)
        if job is None:
            raise Refused(gettext("The AI is not in the call yet. Try again in a moment."))
        words = " ".join(text.split())[:LONGEST]
        if words:
            direct(job, f"hear:{key}", Hear(text=words))
