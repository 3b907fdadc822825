"""Callbacks: promised by the AI, claimed by a person, made, and closed with a result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import phonenumbers
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext
from phonenumbers import NumberParseException, PhoneNumberType

from calls.agents import protocol as p
from calls.errors import Refused
from calls.events import Actor, record
from calls.live.publish import changed
from calls.models import Call
from calls.services.calls import locked, number_hmac, open_outbound
from calls.services.links import addressee, direct
from calls.states import IllegalTransition
from calls.timing import now
from calls.versions import count_up
from transfers import requests, services
from transfers.desk_presence import can_ring
from transfers.models import Callback, Endpoint, Manager, Transfer
from transfers.selectors import open_transfer, policy_of
from transfers.transfer_events import CallbackAsked, CallbackMoved

S = Callback.State
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    S.OPEN: frozenset({S.CLAIMED, S.DONE}),
    S.CLAIMED: frozenset({S.OPEN, S.CALLING, S.DONE}),
    S.CALLING: frozenset({S.CLAIMED, S.DONE}),
    S.DONE: frozenset(),
}
DEFAULT_REGION = "US"
NO_NUMBER = "I do not see the number you are calling from. Which number should we call?"
WRONG_NUMBER = "I am sorry, I cannot call that number. Which other number should we call?"
NOT_OFFERED = "I am sorry, we do not call back. Can I help you with something else?"
REFUSED_KINDS = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


def ask(call: Call, body: p.CallbackRequested) -> None:
    """The AI promises one; what it may tell the caller goes back to it. The same request is one promise."""
    words = _asked(call, body)
    answer = p.Answer(request_id=body.request_id, words=words)
    direct(addressee(call.pk, p.Role.SUPPORT), f"answer:{body.request_id}", answer)


def _asked(call: Call, body: p.CallbackRequested) -> str:
    again = Callback.objects.filter(request_key=body.request_id).first()
    if again:
        return promise(again)
    policy = policy_of(call.department)
    if not policy.offers_callback or call.is_practice:
        return NOT_OFFERED
    number = callable_number(body.number, near=call.dialled_number) if body.number else call.caller_number
    if not number.startswith("+"):
        return WRONG_NUMBER if body.number else NO_NUMBER
    waiting = open_transfer(call.pk)
    newest = waiting or Transfer.objects.filter(call=call).order_by("-requested_at").first()
    made = Callback.objects.create(
        request_key=body.request_id,
        call=call,
        transfer=newest,
        department=(newest.department if newest else None) or call.department,
        number=number,
        number_hmac=number_hmac(number),
        number_last4=number[-4:],
        preferred=body.preferred.strip()[:120],
        briefing=newest.briefing if newest else "",
        asked_at=now(),
        due_at=now() + timedelta(minutes=policy.callback_within_min),
    )
    record(
        CallbackAsked(callback_id=str(made.pk), department_id=made.department_id),
        actor=Actor("ai"),
        call_id=call.pk,
        transfer_id=newest.pk if newest else None,
        payload={"number": number, "preferred": made.preferred},
    )
    touched(made)
    if waiting:
        services.caller_chose_callback(waiting)
    return promise(made)


def callable_number(text: str, *, near: str) -> str:
    """In E.164, without a country code of the country they called; empty if it cannot be called."""
    digits = "".join(character for character in text if character.isdigit() or character == "+")
    for candidate, region in ((digits, _region(near)), (f"+{digits.lstrip('+')}", None)):
        try:
            parsed = phonenumbers.parse(candidate, region)
        except NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed) and phonenumbers.number_type(parsed) not in REFUSED_KINDS:
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return ""


def _region(near: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(near, None)) or DEFAULT_REGION
    except NumberParseException:
        return DEFAULT_REGION


def promise(callback: Callback) -> str:
    """What the caller is told of it."""
    within = round((callback.due_at - callback.asked_at) / timedelta(minutes=1))
    long = f"{within} minutes" if within < 90 else f"{round(within / 60)} hours"
    ends = " ".join(callback.number_last4)
    when = f" I have noted: {callback.preferred}." if callback.preferred else ""
    return (
        f"Thank you. Somebody will call you back on the number that ends in {ends}, within {long}.{when} "
        "Is there anything else I can do for you?"
    )


# ── by people ────────────────────────────────────────────────────────────────────────────────────


def claim(*, callback_id: UUID, user: User) -> Callback:
    """One person takes it on; who clicks second is told who."""
    with transaction.atomic():
        callback = _locked(callback_id)
        if callback.claimed_by_id == user.pk and callback.is_open:
            return callback
        _only_in(callback, S.OPEN)
        return _move(callback, S.CLAIMED, user, claimed_by=user, claimed_at=now())


def release(*, callback_id: UUID, user: User) -> Callback:
    """Give it back to the others."""
    with transaction.atomic():
        callback = _locked(callback_id)
        if callback.state == S.OPEN:
            return callback
        _only_in(callback, S.CLAIMED)
        return _move(callback, S.OPEN, user, claimed_by=None, claimed_at=None)


def finish(*, callback_id: UUID, user: User, result: str, note: str) -> Callback:
    with transaction.atomic():
        callback = _locked(callback_id)
        if result not in Callback.Result.values:
            raise Refused(gettext("Choose what came of it. Nothing was changed."))
        _only_in(callback, S.OPEN, S.CLAIMED)
        fields = {"result": result, "note": note.strip()[:2000], "done_at": now()}
        return _move(callback, S.DONE, user, **fields)


def call_now(*, callback_id: UUID, user: User) -> Transfer:
    """Ring the claimer's own phone; when they take it, the caller is called and the two are joined."""
    with transaction.atomic():
        callback = _locked(callback_id)
        if callback.state == S.CALLING and callback.calling and callback.claimed_by_id == user.pk:
            return callback.calling  # the second half of a double click
        _only_in(callback, S.CLAIMED)
        if callback.claimed_by_id != user.pk:
            raise Refused(
                gettext("%(name)s has claimed this callback. Nobody was rung.") % {"name": _name(callback)}
            )
        if not callback.number:
            raise Refused(gettext("The number was erased, so nobody can be called. Close it with a result."))
        return _start(callback, user, _phone_of(user))


def _phone_of(user: User) -> Manager:
    manager = Manager.objects.filter(user=user, active=True).first()
    if manager and (manager.endpoints.exclude(kind=Endpoint.Kind.BROWSER).exists() or can_ring(manager.pk)):
        return manager
    raise Refused(
        gettext(
            "There is no phone of yours on the roster, and no desk of yours that rings, so nobody was rung. "
            "An administrator can add you."
        )
    )


def _start(callback: Callback, user: User, manager: Manager) -> Transfer:
    origin = callback.call
    call = open_outbound(
        number=callback.number,
        department=callback.department,
        profile=origin.profile,
        actor=Actor.of(user),
        rehearsal=origin.rehearsal,
    )
    made = requests.request_callback_transfer(call=call, callback=callback, manager=manager, user=user)
    _move(callback, S.CALLING, user, calling=made, tries=callback.tries + 1)
    return made


def transfer_over(transfer: Transfer) -> None:
    """The call that was made for it has ended: the claimer says what came of it."""
    callback = Callback.objects.select_for_update().filter(calling=transfer, state=S.CALLING).first()
    if callback:
        _move(callback, S.CLAIMED, None)


# ── the one writer ───────────────────────────────────────────────────────────────────────────────


def _locked(callback_id: UUID) -> Callback:
    call_id = Callback.objects.values_list("call_id", flat=True).get(pk=callback_id)
    locked(call_id)
    return Callback.objects.select_for_update(of=("self",)).get(pk=callback_id)


def _only_in(callback: Callback, *states: str) -> None:
    if callback.state not in states:
        words = (
            gettext("This callback is now “%(state)s” by %(name)s. Your click changed nothing.")
            if callback.claimed_by
            else gettext("This callback is now “%(state)s”. Your click changed nothing.")
        )
        raise Refused(words % {"state": callback.get_state_display(), "name": _name(callback)})


def _name(callback: Callback) -> str:
    return callback.claimed_by.get_username() if callback.claimed_by else gettext("Somebody")


def _move(callback: Callback, to: str, user: User | None, **fields: Any) -> Callback:
    source = callback.state
    if to not in TRANSITIONS[source]:
        raise IllegalTransition(f"callback {source} → {to}")
    if not Callback.objects.filter(pk=callback.pk, state=source).update(state=to, **fields):
        raise IllegalTransition(f"callback {source} → {to}: it has moved meanwhile")
    callback.refresh_from_db()
    record(
        CallbackMoved(
            callback_id=str(callback.pk), from_state=source, to_state=to, result=fields.get("result", "")
        ),
        actor=Actor.of(user) if user else Actor("system"),
        call_id=callback.call_id,
        transfer_id=callback.transfer_id,
        payload={"note": fields["note"]} if fields.get("note") else None,
    )
    touched(callback)
    return callback


def touched(callback: Callback) -> None:
    count_up(callback)
    changed("callback", str(callback.pk), callback.version, department_id=callback.department_id)
