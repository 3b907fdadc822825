"""The call's lifecycle: opened by the first fact of its room, moved between people, ended once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from calls import effects
from calls.announcements import call_ended
from calls.compiled import Argument, Objects, insert_once
from calls.events import (
    SYSTEM,
    Actor,
    CallEnded,
    CallMoved,
    CallStarted,
    DepartmentChanged,
    FactLearnt,
    record,
)
from calls.live.publish import changed
from calls.models import AgentProfile, Call, CallFact, Department, NumberRoute
from calls.states import CALL_TRANSITIONS, STATE_OF, CallerWith, CallState, IllegalTransition
from calls.timing import now
from calls.versions import count_up

NO_AGENT_AFTER = timedelta(seconds=3)


@dataclass(frozen=True)
class Caller:
    """What the server says of a caller's leg. Numbers in E.164 where the trunk gives them so."""

    identity: str
    number: str = ""
    dialled: str = ""


def number_hmac(number: str) -> str:
    """Keyed, so that a number can be found without being kept."""
    return hmac.new(settings.SECRET_KEY.encode(), number.encode(), hashlib.sha256).hexdigest() if number else ""


def open_call(
    room_name: str,
    *,
    room_sid: str = "",
    source: str = Call.Source.PHONE,
    rehearsal: bool = False,
    department: str = "",
) -> Call:
    """For the first fact of a room of ours that has no live call; if another process is first, theirs."""
    at = now()
    chosen = Department.objects.filter(name=department).first() if department else None
    call = Call(
        room_name=room_name,
        room_sid=room_sid,
        source=source,
        department=chosen,
        profile=profile_of(chosen),
        rehearsal=rehearsal,
        started_at=at,
        caller_since=at,
        last_fact_at=at,
        wake_at=at + NO_AGENT_AFTER,
    )
    with transaction.atomic(savepoint=False):
        if not insert_once(call):
            return live_call(room_name) or open_call(
                room_name, room_sid=room_sid, source=source, rehearsal=rehearsal, department=department
            )
        record(
            CallStarted(source=source, department_id=chosen.pk if chosen else None), actor=SYSTEM, call_id=call.pk
        )
        shown(call)
    return call


def open_outbound(
    *,
    number: str,
    department: Department | None,
    profile: AgentProfile | None,
    actor: Actor,
    rehearsal: bool = False,
) -> Call:
    """A call that we make: its room is opened, and the caller is rung when somebody is there for them."""
    at = now()
    call = Call(
        source=Call.Source.CALLBACK,
        rehearsal=rehearsal,
        department=department,
        profile=profile,
        caller_number=number,
        caller_number_hmac=number_hmac(number),
        caller_last4=number[-4:],
        started_at=at,
        caller_since=at,
        last_fact_at=at,
    )
    call.room_name = f"call-back-{call.pk}"
    call.save(force_insert=True)
    record(
        CallStarted(source=call.source, department_id=department.pk if department else None),
        actor=actor,
        call_id=call.pk,
    )
    effects.ensure("open_call_room", call.pk)
    touched(call)
    return call


def _live_in_room() -> QuerySet[Call]:
    return Call.objects.filter(room_name=Argument("room_name")).exclude(state=CallState.INACTIVE)


_live = Objects(Call, _live_in_room)
_live_to_change = Objects(Call, lambda: _live_in_room().select_for_update(of=("self",)))
_to_change = Objects(Call, lambda: Call.objects.select_for_update(of=("self",)).filter(pk=Argument("id")))


def live_call(room_name: str, *, lock: bool = False) -> Call | None:
    return (_live_to_change if lock else _live).first(room_name=room_name)


def locked(call_id: UUID) -> Call:
    """The call, locked for the rest of the transaction: calls are always locked before their transfers."""
    found = _to_change.first(id=call_id)
    if found is None:
        raise Call.DoesNotExist(f"Call {call_id} is not there")
    return found


def profile_of(department: Department | None) -> AgentProfile | None:
    """The newest version for a department, or for unassigned calls."""
    return _profiles.first(department=department.pk if department else None)


def _profiles_for() -> QuerySet[AgentProfile]:
    of_either = Q(department=None) | Q(department=Argument("department"))
    own_first = F("department").asc(nulls_last=True)
    return AgentProfile.objects.filter(of_either).order_by(own_first, "-version")[:1]


_profiles = Objects(AgentProfile, _profiles_for)
_routes = Objects(NumberRoute, lambda: NumberRoute.objects.filter(number=Argument("number")).order_by())


def touched(call: Call, **fresh: Any) -> None:
    """Save `fresh`, count the version and tell the pages, in the transaction of the change."""
    count_up(call, **fresh)
    shown(call)


def shown(call: Call) -> None:
    """Tell the call's pages of something beside it; nothing of the call itself has changed."""
    changed("call", str(call.pk), call.version, department_id=call.department_id, call_id=str(call.pk))


def known_by(call: Call, caller: Caller) -> Mapping[str, Any]:
    """What of a call its caller tells, and the number they dialled; nothing new by later facts of the same."""
    if call.caller_identity == caller.identity:
        return {}
    known: dict[str, Any] = {
        "caller_identity": caller.identity,
        "caller_number": caller.number,
        "caller_number_hmac": number_hmac(caller.number),
        "caller_last4": caller.number[-4:] if caller.number.lstrip("+").isdigit() else "",
        "dialled_number": caller.dialled,
    }
    route = None
    if call.department_id is None and caller.dialled:
        route = _routes.first(number=caller.dialled)
    if route:
        profile = _profiles.first(department=route.department_id)
        known |= {"department_id": route.department_id, "profile_id": profile.pk if profile else None}
    return known


def change_department(call: Call, department: Department | None, *, actor: Actor) -> None:
    if call.department_id == (department.pk if department else None):
        return
    record(
        DepartmentChanged(from_id=call.department_id, to_id=department.pk if department else None),
        actor=actor,
        call_id=call.pk,
    )
    before = call.department_id
    call.department = department
    call.save(update_fields=("department",))
    touched(call)
    changed("call", str(call.pk), call.version, department_id=before, call_id=str(call.pk))


def move_caller(call: Call, to: CallerWith, *, actor: Actor = SYSTEM) -> bool:
    """Put the caller with somebody else; False if they are there already. Refuses what the table does."""
    if call.caller_with == to:
        return False
    source, target = CallState(call.state), STATE_OF[to]
    if (source != target and target not in CALL_TRANSITIONS[source]) or source == CallState.INACTIVE:
        raise IllegalTransition(f"call {source} → {target}")
    before, at = call.caller_with, now()
    fresh: dict[str, Any] = {"state": target, "caller_with": to, "caller_since": at, "caller_speaking": False}
    if to != CallerWith.MANAGER:
        fresh["wake_at"] = at  # the clock sees whether a SupportAgent is missing (`calls.services.watch`)
    try:
        count_up(call, was={"state": source, "caller_with": before}, **fresh)
    except Call.DoesNotExist:
        raise IllegalTransition(f"call {source} → {target}: it has moved meanwhile") from None
    record(
        CallMoved(from_state=source, to_state=target, from_with=before, to_with=to),
        actor=actor,
        call_id=call.pk,
    )
    shown(call)
    return True


def end_call(call: Call, *, reason: str, actor: Actor = SYSTEM, linger: timedelta = timedelta(0)) -> bool:
    """End it once; the room is deleted after `linger`, which lets a last word be heard."""
    source = CallState(call.state)
    if source == CallState.INACTIVE:
        return False
    at = now()
    over = {"state": CallState.INACTIVE, "ended_at": at, "end_reason": reason, "wake_at": None}
    try:
        count_up(call, was={"state": source}, caller_speaking=False, **over)
    except Call.DoesNotExist:
        return False
    record(CallEnded(from_state=source, reason=reason), actor=actor, call_id=call.pk)
    effects.ensure("close_call_room", call.pk, due_at=at + linger)
    shown(call)
    call_ended.send(sender=Call, call=call)
    return True


def learn_fact(call: Call, *, key: str, value: str, actor: Actor) -> None:
    """Keep a fact the AI collected; a later value replaces it. A key the profile does not know is dropped."""
    known = {fact["key"] for fact in (call.profile.facts if call.profile else [])}
    if key not in known:
        return
    CallFact.objects.update_or_create(call=call, key=key, defaults={"value": value[:500], "learned_at": now()})
    record(FactLearnt(key=key), actor=actor, call_id=call.pk, payload={"value": value[:500]})
    touched(call)
