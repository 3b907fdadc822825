"""The record of a transfer for people: who did what when, and whether the chain holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q

from calls import parsed
from calls.models import ApiKey, Event, Seal
from calls.seals import link_digest
from calls.states import CallerWith, SupervisionEnd
from transfers.models import Afterwards, Attempt, Callback, Manager, ReferResult, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

ACTORS = {
    "ai": "AI",
    "transfer_agent": "Transfer agent",
    "manager": "Manager",
    "caller": "Caller",
    "system": "Patchbay",
    "carrier": "Phone line",
    "person": "Somebody",
    "api_key": "A program",
}
READ = "transcript.read"
MOST_READINGS = 20


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    what: str
    about: str
    seq: int
    sealed: bool


@dataclass(frozen=True)
class SealState:
    """`broken` events do not match their link of the chain."""

    events: int
    sealed: int
    broken: int
    newest: datetime | None
    digest: str


def lines(transfer: Transfer) -> Sequence[Line]:
    events = list(events_of(transfer).select_related("seal"))
    return _lines(events, dict(Attempt.objects.filter(transfer=transfer).values_list("pk", "manager__name")))


def _lines(events: Sequence[Event], managers: Mapping[UUID, str]) -> Sequence[Line]:
    names = _names(events)
    return [
        Line(
            at=event.at,
            who=names.get((event.actor_kind, event.actor_id), ACTORS.get(event.actor_kind, event.actor_kind)),
            what=describe(event.type, event.facts),
            about=managers.get(event.attempt_id, "") if event.attempt_id else "",
            seq=event.seq,
            sealed=hasattr(event, "seal"),
        )
        for event in events
    ]


def events_of(transfer: Transfer) -> Any:
    """The transfer's own, and what happened to its call meanwhile."""
    own = Q(transfer_id=transfer.pk)
    meanwhile = Q(call_id=transfer.call_id, transfer_id=None, at__gte=transfer.requested_at)
    if transfer.ended_at:
        meanwhile &= Q(at__lte=transfer.ended_at)
    return Event.objects.filter(own | meanwhile).exclude(type=READ).order_by("seq")


def readings(transfer: Transfer) -> Sequence[Line]:
    """Who read what was said in its call, the newest first: no part of what happened to the caller."""
    read = Event.objects.filter(call_id=transfer.call_id, type=READ)
    return _lines(list(read.select_related("seal").order_by("-seq")[:MOST_READINGS]), {})


def _names(events: Sequence[Event]) -> Mapping[tuple[str, str], str]:
    people = {int(e.actor_id) for e in events if e.actor_kind == "person" and e.actor_id.isdigit()}
    managers = [found for e in events if e.actor_kind == "manager" and (found := parsed.uuid(e.actor_id))]
    keys = [found for e in events if e.actor_kind == "api_key" and (found := parsed.uuid(e.actor_id))]
    users = get_user_model().objects.filter(pk__in=people)
    names = {("person", str(user.pk)): user.get_full_name() or user.get_username() for user in users}
    named = Manager.objects.filter(pk__in=managers).values_list("pk", "name")
    programs = ApiKey.objects.filter(pk__in=keys).values_list("pk", "name")
    names |= {("api_key", str(pk)): name for pk, name in programs}
    return names | {("manager", str(pk)): name for pk, name in named}


def programs_that_asked(transfers: Iterable[Transfer]) -> Mapping[UUID, str]:
    """Of those that no person asked for: which program did, by its key's name. The AI asked for the others."""
    unasked = [transfer.pk for transfer in transfers if transfer.requested_by_id is None]
    asked = Event.objects.filter(transfer_id__in=unasked, type="transfer.requested", actor_kind="api_key")
    by = dict(asked.values_list("transfer_id", "actor_id")) if unasked else {}
    names = {str(pk): name for pk, name in ApiKey.objects.filter(pk__in=by.values()).values_list("pk", "name")}
    return {pk: names.get(key, ACTORS["api_key"]) for pk, key in by.items() if pk}


def _label(choices: Any, value: str) -> str:
    return str(dict(choices.choices).get(value, value or "–"))


def describe(kind: str, facts: Mapping[str, Any]) -> str:
    """One event in words. An unknown type is shown by its name, not hidden."""
    match kind:
        case "transfer.requested":
            return "asked for a transfer"
        case "transfer.moved":
            words = _label(TransferState, facts["to_state"])
            why = f": {_label(EndReason, facts['end_reason'])}" if facts.get("end_reason") else ""
            return f"transfer is now “{words}”{why}"
        case "transfer.decided":
            return "approved it" if facts["approved"] else "declined it"
        case "transfer.target_chosen":
            return "chose somebody else"
        case "transfer.handed_over":
            where = "the AI" if facts["to"] == "back" else "another manager"
            return f"gave the caller to {where}"
        case "transfer.in_line":
            return f"all were busy: number {facts['place']} in line"
        case "transfer.parked":
            return "put the caller on hold" if facts["on_hold"] else "took the caller off hold"
        case "transfer.refer_asked":
            return "asked the caller's carrier to call the manager"
        case "transfer.refer_answered":
            return f"the carrier's answer: {_label(ReferResult, facts['result']).lower()}"
        case "manager.presence_set":
            return f"manager is now {facts['presence'].replace('_', ' ')}"
        case "callback.asked":
            return "promised a callback"
        case "callback.moved":
            return f"callback is now “{_label(Callback.State, facts['to_state']).lower()}”"
        case "transfer.cancel_asked":
            return f"asked to stop: {_label(EndReason, facts['reason'])}"
        case "briefing.saved":
            return f"saved version {facts['nth']} of the briefing"
        case "briefing.spoken":
            steps = {
                "started": "the briefing begins",
                "spoken": "the briefing is spoken",
                "asked": "the manager is asked",
            }
            return steps.get(facts["step"], str(facts["step"]))
        case "attempt.reserved":
            return f"chose a manager (attempt {facts['nth']})"
        case "attempt.moved":
            return _attempt_moved(facts)
        case "attempt.decided":
            return f"answered: {facts['decision'].replace('_', ' ')} (by {facts['via']})"
        case "attempt.accepted_on_screen":
            return "accepted on screen"
        case "attempt.noted":
            return f"noted: {_label(Afterwards, facts['afterwards']).lower()}"
        case "attempt.dial_adopted":
            return "found the call already dialled and went on with it"
        case "hold.progress":
            return f"told the caller again that we are trying (line {facts['count']})"
    return _describe_call(kind, facts)


def _attempt_moved(facts: Mapping[str, Any]) -> str:
    words = _label(AttemptState, facts["to_state"]).lower()
    if not facts.get("outcome"):
        return f"attempt is now “{words}”"
    sip = f" (SIP {facts['sip_status']})" if facts.get("sip_status") else ""
    return f"attempt failed: {_label(Outcome, facts['outcome']).lower()}{sip}"


REPAIRS = {
    "leg": "looked at the rooms: somebody is not there any more",
    "call": "looked at the rooms: the caller is not there any more",
    "call_room": "found the room of an ended call and closed it again",
    "consultation": "found the room of an ended attempt and closed it again",
}


DOES = {"listen": "listen", "whisper": "whisper", "barge": "join in", "take_over": "talk to the caller alone"}


def _describe_call(kind: str, facts: Mapping[str, Any]) -> str:
    match kind:
        case "call.started":
            return "the call began"
        case "call.moved":
            return f"caller: {_label(CallerWith, facts['from_with'])} → {_label(CallerWith, facts['to_with'])}"
        case "call.ended":
            return f"the call ended ({facts['reason'].replace('_', ' ')})"
        case "call.fact_learnt":
            return f"learnt “{facts['key'].replace('_', ' ')}”"
        case "supervision.started":
            where = "on the manager's side" if facts["side"] == "consultation" else "in the call"
            return f"asked to {DOES[facts['mode']]} {where}"
        case "supervision.joined":
            return f"began to {DOES[facts['mode']]}"
        case "supervision.ended":
            why = _label(SupervisionEnd, facts["reason"]).lower()
            return f"ceased to {DOES[facts['mode']]} after {facts['seconds']:.0f} s ({why})"
        case "supervision.coached":
            return "whispered to the AI"
        case "leg.joined":
            return f"{facts['leg_kind'].replace('_', ' ')} joined"
        case "leg.left":
            return f"{facts['leg_kind'].replace('_', ' ')} left"
        case "reconcile.repaired":
            return REPAIRS.get(facts["what"], str(facts["what"]))
        case "agent.joined":
            return f"{facts['role']} agent is linked"
        case "agent.left":
            return f"{facts['role']} agent's link ended ({facts['reason']})"
        case "transcript.read":
            return "read what was said"
        case "audit.exported":
            return "took this record with its proof"
        case "content.erased":
            because = "as its time was over" if facts["why"] == "retention" else "as was asked for"
            return f"what was said, names and numbers were erased {because}"
    return kind.replace(".", " ").replace("_", " ")


def seal_state(transfer: Transfer) -> SealState:
    """Each sealed event's bytes are hashed again and compared with its link."""
    events = events_of(transfer)
    seals = list(Seal.objects.filter(event__in=events).select_related("event").order_by("seq"))
    broken = sum(bytes(s.digest) != link_digest(bytes(s.previous), bytes(s.event.body)) for s in seals)
    newest = seals[-1] if seals else None
    return SealState(
        events=events.count(),
        sealed=len(seals),
        broken=broken,
        newest=newest.sealed_at if newest else None,
        digest=bytes(newest.digest).hex() if newest else "",
    )
