"""The record of a transfer for people: who did what when, and whether the chain holds it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from calls import parsed
from calls.models import ApiKey, Event, Seal
from calls.seals import link_digest
from calls.states import CallerWith, SupervisionEnd
from transfers.models import Afterwards, Attempt, Callback, Manager, ReferResult, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState

ACTORS = {
    "ai": gettext_noop("AI"),
    "transfer_agent": gettext_noop("Transfer agent"),
    "manager": gettext_noop("Manager"),
    "caller": gettext_noop("Caller"),
    "system": "Patchbay",
    "carrier": gettext_noop("Phone line"),
    "person": gettext_noop("Somebody"),
    "api_key": gettext_noop("A program"),
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
            who=names.get((event.actor_kind, event.actor_id), _actor(event.actor_kind)),
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
    by = dict(_asked_by_keys().filter(transfer_id__in=unasked).values_list("transfer_id", "actor_id"))
    names = names_of_keys(set(by.values()))
    return {pk: names[key] for pk, key in by.items() if pk}


def key_that_asked(transfer: OuterRef) -> QuerySet[Event, str]:
    """The key of the program that asked for it; none if a person or the AI did."""
    return _asked_by_keys().filter(transfer_id=transfer).values_list("actor_id", flat=True)[:1]


def _asked_by_keys() -> QuerySet[Event]:
    return Event.objects.filter(type="transfer.requested", actor_kind="api_key")


def names_of_keys(keys: Collection[str]) -> Mapping[str, str]:
    """Of every one of these: a key that is gone was some program's."""
    if not keys:
        return {}
    found = ApiKey.objects.filter(pk__in=keys).values_list("pk", "name")
    return dict.fromkeys(keys, _actor("api_key")) | {str(pk): name for pk, name in found}


def _actor(kind: str) -> str:
    return gettext(ACTORS[kind]) if kind in ACTORS else kind


def _label(choices: Any, value: str) -> str:
    return str(dict(choices.choices).get(value, value or "–"))


# What is kept in an event and shown as it is, but for its language.
KEPT = frozenset(
    {
        gettext_noop("accept"),
        gettext_noop("decline"),
        gettext_noop("redirect"),
        gettext_noop("not today"),
        gettext_noop("voicemail"),
        gettext_noop("silent"),
        gettext_noop("voice"),
        gettext_noop("key"),
        gettext_noop("screen"),
        gettext_noop("timer"),
        gettext_noop("caller"),
        gettext_noop("support"),
        gettext_noop("transfer"),
        gettext_noop("bridge"),
        gettext_noop("manager"),
        gettext_noop("listener"),
        gettext_noop("supervisor"),
        gettext_noop("other"),
        gettext_noop("goodbye"),
        gettext_noop("caller left"),
        gettext_noop("room finished"),
        gettext_noop("manager left"),
        gettext_noop("rehearsal over"),
        gettext_noop("available"),
        gettext_noop("away"),
        gettext_noop("wrapping up"),
        gettext_noop("available again"),
    }
)


def _kept(value: str) -> str:
    words = value.replace("_", " ")
    return gettext(words) if words in KEPT else words


def describe(kind: str, facts: Mapping[str, Any]) -> str:
    """One event in words. An unknown type is shown by its name, not hidden."""
    match kind:
        case "transfer.requested":
            return gettext("asked for a transfer")
        case "transfer.moved":
            return _transfer_moved(facts)
        case "transfer.decided":
            return gettext("approved it") if facts["approved"] else gettext("declined it")
        case "transfer.target_chosen":
            return gettext("chose somebody else")
        case "transfer.handed_over":
            to_ai = facts["to"] == "back"
            return gettext("gave the caller to the AI") if to_ai else gettext("gave the caller to another manager")
        case "transfer.in_line":
            return gettext("all were busy: number %(place)s in line") % {"place": facts["place"]}
        case "transfer.parked":
            return gettext("put the caller on hold") if facts["on_hold"] else gettext("took the caller off hold")
        case "transfer.refer_asked":
            return gettext("asked the caller's carrier to call the manager")
        case "transfer.refer_answered":
            result = _label(ReferResult, facts["result"]).lower()
            return gettext("the carrier's answer: %(result)s") % {"result": result}
        case "manager.presence_set":
            return gettext("manager is now %(presence)s") % {"presence": _kept(facts["presence"])}
        case "callback.asked":
            return gettext("promised a callback")
        case "callback.moved":
            state = _label(Callback.State, facts["to_state"]).lower()
            return gettext("callback is now “%(state)s”") % {"state": state}
        case "transfer.cancel_asked":
            return gettext("asked to stop: %(reason)s") % {"reason": _label(EndReason, facts["reason"])}
        case "briefing.saved":
            return gettext("saved version %(number)s of the briefing") % {"number": facts["nth"]}
        case "briefing.spoken":
            steps = {
                "started": gettext("the briefing begins"),
                "spoken": gettext("the briefing is spoken"),
                "asked": gettext("the manager is asked"),
            }
            return steps.get(facts["step"], str(facts["step"]))
        case "attempt.reserved":
            return gettext("chose a manager (attempt %(number)s)") % {"number": facts["nth"]}
        case "attempt.moved":
            return _attempt_moved(facts)
        case "attempt.decided":
            words = {"answer": _kept(facts["decision"]), "how": _kept(facts["via"])}
            return gettext("answered: %(answer)s (by %(how)s)") % words
        case "attempt.accepted_on_screen":
            return gettext("accepted on screen")
        case "attempt.noted":
            return gettext("noted: %(result)s") % {"result": _label(Afterwards, facts["afterwards"]).lower()}
        case "attempt.dial_adopted":
            return gettext("found the call already dialled and went on with it")
        case "hold.progress":
            count = {"count": facts["count"]}
            return gettext("told the caller again that we are trying (line %(count)s)") % count
    return _describe_call(kind, facts)


def _transfer_moved(facts: Mapping[str, Any]) -> str:
    state = _label(TransferState, facts["to_state"])
    if not facts.get("end_reason"):
        return gettext("transfer is now “%(state)s”") % {"state": state}
    reason = _label(EndReason, facts["end_reason"])
    return gettext("transfer is now “%(state)s”: %(reason)s") % {"state": state, "reason": reason}


def _attempt_moved(facts: Mapping[str, Any]) -> str:
    if not facts.get("outcome"):
        return gettext("attempt is now “%(state)s”") % {"state": _label(AttemptState, facts["to_state"]).lower()}
    sip = f" (SIP {facts['sip_status']})" if facts.get("sip_status") else ""
    return gettext("attempt failed: %(why)s") % {"why": _label(Outcome, facts["outcome"]).lower() + sip}


REPAIRS = {
    "leg": gettext_noop("looked at the rooms: somebody is not there any more"),
    "call": gettext_noop("looked at the rooms: the caller is not there any more"),
    "call_room": gettext_noop("found the room of an ended call and closed it again"),
    "consultation": gettext_noop("found the room of an ended attempt and closed it again"),
}


ASKED_ASIDE = {
    "listen": gettext_noop("asked to listen on the manager's side"),
    "whisper": gettext_noop("asked to whisper on the manager's side"),
    "barge": gettext_noop("asked to join in on the manager's side"),
    "take_over": gettext_noop("asked to talk to the caller alone on the manager's side"),
}
ASKED = {
    "listen": gettext_noop("asked to listen in the call"),
    "whisper": gettext_noop("asked to whisper in the call"),
    "barge": gettext_noop("asked to join in in the call"),
    "take_over": gettext_noop("asked to talk to the caller alone in the call"),
}
BEGAN = {
    "listen": gettext_noop("began to listen"),
    "whisper": gettext_noop("began to whisper"),
    "barge": gettext_noop("began to join in"),
    "take_over": gettext_noop("began to talk to the caller alone"),
}
CEASED = {
    "listen": gettext_noop("ceased to listen after %(seconds).0f s (%(why)s)"),
    "whisper": gettext_noop("ceased to whisper after %(seconds).0f s (%(why)s)"),
    "barge": gettext_noop("ceased to join in after %(seconds).0f s (%(why)s)"),
    "take_over": gettext_noop("ceased to talk to the caller alone after %(seconds).0f s (%(why)s)"),
}


def _describe_call(kind: str, facts: Mapping[str, Any]) -> str:
    match kind:
        case "call.started":
            return gettext("the call began")
        case "call.moved":
            moved = {"from": _label(CallerWith, facts["from_with"]), "to": _label(CallerWith, facts["to_with"])}
            return gettext("caller: %(from)s → %(to)s") % moved
        case "call.ended":
            return gettext("the call ended (%(reason)s)") % {"reason": _kept(facts["reason"])}
        case "call.fact_learnt":
            return gettext("learnt “%(fact)s”") % {"fact": facts["key"].replace("_", " ")}
        case "supervision.started":
            return gettext((ASKED_ASIDE if facts["side"] == "consultation" else ASKED)[facts["mode"]])
        case "supervision.joined":
            return gettext(BEGAN[facts["mode"]])
        case "supervision.ended":
            why = _label(SupervisionEnd, facts["reason"]).lower()
            return gettext(CEASED[facts["mode"]]) % {"seconds": facts["seconds"], "why": why}
        case "supervision.coached":
            return gettext("whispered to the AI")
        case "leg.joined":
            return gettext("%(who)s joined") % {"who": _kept(facts["leg_kind"])}
        case "leg.left":
            return gettext("%(who)s left") % {"who": _kept(facts["leg_kind"])}
        case "reconcile.repaired":
            return gettext(REPAIRS[facts["what"]]) if facts["what"] in REPAIRS else str(facts["what"])
        case "agent.joined":
            return gettext("%(role)s agent is linked") % {"role": _kept(facts["role"])}
        case "agent.left":
            words = {"role": _kept(facts["role"]), "reason": facts["reason"]}
            return gettext("%(role)s agent's link ended (%(reason)s)") % words
        case "transcript.read":
            return gettext("read what was said")
        case "audit.exported":
            return gettext("took this record with its proof")
        case "content.erased":
            if facts["why"] == "retention":
                return gettext("what was said, names and numbers were erased as its time was over")
            return gettext("what was said, names and numbers were erased as was asked for")
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
