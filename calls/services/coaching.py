"""A supervisor's whisper to the AI: text it follows, which the caller never hears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from calls.agents.protocol import Coach, Role
from calls.errors import Refused
from calls.events import Actor, Coached, record
from calls.models import Call, Directive
from calls.services.calls import locked, shown
from calls.services.links import direct, live_job
from calls.states import CallerWith

LONGEST = 500
SHOWN = 3
KEY = "coach:"


@dataclass(frozen=True)
class Whisper:
    """One text, and what came of it: waiting, followed or failed."""

    text: str
    at: datetime
    outcome: str


def coach(*, call_id: UUID, user: User, key: UUID, text: str) -> Directive:
    """Tell the AI of a call; the same `key` is told once. Raises Refused."""
    words = " ".join(text.split())[:LONGEST]
    if not words:
        raise Refused(gettext("There is nothing to whisper. Write what the AI should do."))
    with transaction.atomic():
        call = locked(call_id)
        again = Directive.objects.filter(job__call=call, key=f"{KEY}{key}").first()
        if again:
            return again
        if not call.is_live:
            raise Refused(gettext("The call has ended, so the AI has left it. Nothing was whispered."))
        if call.caller_with not in (CallerWith.AI, CallerWith.HOLD):
            raise Refused(
                gettext("The caller is talking to a person, so the AI does not speak. Nothing was whispered.")
            )
        made = direct(live_job(call.pk, Role.SUPPORT), f"{KEY}{key}", Coach(text=words))
        if made is None:
            raise Refused(gettext("The AI is not in the call at the moment. Try again in a few seconds."))
        record(Coached(directive_id=str(made.pk)), actor=Actor.of(user), call_id=call.pk, payload={"text": words})
        shown(call)
        return made


def whispers(call: Call) -> tuple[Whisper, ...]:
    """The newest, newest first."""
    told = Directive.objects.filter(job__call=call, key__startswith=KEY, body__has_key="text")  # else erased
    rows = told.order_by("-created_at")[:SHOWN]
    return tuple(Whisper(row.body["text"], row.created_at, _outcome(row)) for row in rows)


def _outcome(row: Directive) -> str:
    if row.error:
        return "failed"
    return "followed" if row.done_at else "waiting"
