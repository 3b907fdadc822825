"""Who supervises a call now, and what of it an agent's new job has to know."""

from __future__ import annotations

from django.db.models import QuerySet

from calls.agents.protocol import Speaker
from calls.models import Call, Directive, Supervision
from calls.states import CallerWith, SupervisionEnd, SupervisionMode, SupervisionState

GIVEN_BACK = "You are back with me. How can I go on helping you?"
CUT_OFF = "I am sorry, the line to my colleague was cut. You are back with me. How can I help you?"


def open_ones() -> QuerySet[Supervision]:
    """Everybody's grants that have not ended, with their users."""
    return Supervision.objects.exclude(state=SupervisionState.ENDED).select_related("user", "call")


def barging(call: Call) -> tuple[str, ...]:
    """The identities of supervisors who have joined in."""
    return tuple(one.identity for one in _there(call, SupervisionMode.BARGE))


def taken_over_by(call: Call) -> str:
    """The identity of whoever talks to the caller instead of the AI, else empty."""
    if call.caller_with != CallerWith.SUPERVISOR:
        return ""
    return next((one.identity for one in _there(call, SupervisionMode.TAKE_OVER)), "")


def _there(call: Call, mode: SupervisionMode) -> QuerySet[Supervision]:
    return Supervision.objects.filter(call=call, mode=mode, state=SupervisionState.JOINED)


def words_of_return(grant: Supervision) -> str:
    return CUT_OFF if grant.end_reason == SupervisionEnd.LOST else GIVEN_BACK


def key_of_return(grant: Supervision) -> str:
    """Of the directive that gives the caller back to the AI."""
    return f"give_back:{grant.pk}"


def words_waited_for(call: Call) -> str:
    """What a caller who was given back has not heard yet, because no AI was there to say it; else empty."""
    taken = Supervision.objects.filter(call=call, mode=SupervisionMode.TAKE_OVER, joined_at__isnull=False)
    last = taken.order_by("-joined_at").first()
    if call.caller_with != CallerWith.AI or last is None or last.is_open:
        return ""
    told = Directive.objects.filter(job__call=call, key=key_of_return(last), done_at__isnull=False)
    said = call.utterances.filter(speaker=Speaker.AI, started_at__gt=last.ended_at)
    return "" if told.exists() or said.exists() else words_of_return(last)
