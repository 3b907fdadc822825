"""A manager who calls from their own phone becomes available again by their PIN and the pound key."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.hashers import check_password
from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from calls.agents import protocol as p
from calls.models import Call
from calls.services.calls import end_call
from calls.services.links import addressee, direct
from calls.timing import now
from transfers import manager_presence
from transfers.models import Endpoint, Manager, PinEntry, Presence

MOST_TRIES = 3
LONGEST = 12
LAST_WORDS = timedelta(seconds=5)
WORDS = (
    "Hello. You are away and are not called. To be called again, enter your PIN and the pound key. "
    "Or tell me how I can help you."
)
WRONG = "That PIN is not right. Please try again."
NO_MORE = "That PIN is not right. Please ask your supervisor to make you available."
DONE = "Thank you. You are available again. Goodbye."


def manager_calling(call: Call) -> Manager | None:
    """Whose own phone this is, if they are away and have a PIN: a number alone proves nothing."""
    if not call.caller_number:
        return None
    away = ~Q(presence=Presence.AVAILABLE) & (Q(presence_until=None) | Q(presence_until__gt=now()))
    found = Manager.objects.filter(
        away, active=True, endpoints__kind=Endpoint.Kind.PHONE, endpoints__address=call.caller_number
    )
    return found.exclude(pin="").first()


def pressed(call: Call, digit: str) -> None:
    """One key of the caller. Only the keys of a manager who calls from their own phone mean anything."""
    entry = PinEntry.objects.filter(call=call).first()
    if entry is None:
        manager = manager_calling(call)
        if manager is None:
            return
        entry = PinEntry.objects.create(call=call, manager=manager)
    if entry.tries >= MOST_TRIES:
        return
    if digit.isdigit():
        PinEntry.objects.filter(pk=entry.pk).update(digits=Concat(F("digits"), Value(digit)))
    elif digit == "*" or len(entry.digits) > LONGEST:
        PinEntry.objects.filter(pk=entry.pk).update(digits="")
    elif digit == "#":
        _entered(call, entry)


def _entered(call: Call, entry: PinEntry) -> None:
    right = check_password(entry.digits, entry.manager.pin)
    tries = entry.tries + 1
    PinEntry.objects.filter(pk=entry.pk).update(digits="", tries=MOST_TRIES if right else tries)
    if right:
        manager_presence.available_by_pin(entry.manager, call_id=call.pk)
        _say(call, DONE, tries)
        end_call(call, reason="available_again", linger=LAST_WORDS)
        return
    _say(call, WRONG if tries < MOST_TRIES else NO_MORE, tries)


def _say(call: Call, words: str, nth: int) -> None:
    job = addressee(call.pk, p.Role.SUPPORT)
    direct(job, f"pin:{call.pk}:{nth}", p.Say(text=words, interruptible=False))
