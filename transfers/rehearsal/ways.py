"""What a rehearsal does beside the plain course: on hold, after the merge, and back with the AI.

Each raises Stuck with what did not happen. A scenario names its way; `course.py` comes by here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from calls.timing import now
from transfers import briefing, parking, services
from transfers.manager_presence import write
from transfers.models import BriefingVersion, Callback, Presence, Transfer
from transfers.rehearsal import facts, tones
from transfers.rehearsal.errors import Stuck
from transfers.rehearsal.facts import Seen
from transfers.rehearsal.house import ACTOR
from transfers.states import EndReason, TransferState

if TYPE_CHECKING:
    from transfers.rehearsal.course import Course

BUSY_S = 12
PARKED_S = 2.0
CALLBACK_NUMBER = "2025550123"
DECLINED = "Everybody is in a training"
SUITS = "Tomorrow morning."


# ── before ───────────────────────────────────────────────────────────────────────────────────────


def all_busy(course: Course) -> None:
    """The only manager is wrapping up: the caller has to wait in line for a moment."""
    manager = course.setting.house.manager
    with transaction.atomic():
        until = now() + timedelta(seconds=BUSY_S)
        write(manager, Presence.WRAPPING_UP, reason="rehearsal", until=until)


def second_has_a_tone(course: Course) -> None:
    """Whoever is named instead is judged by ear too."""
    setting = course.setting
    assert setting.carrier
    number = setting.carrier.phones()[setting.scenario.second]
    setting.carrier.script(number, tone_hz=tones.MANAGER_HZ, chatter=False)


BEFORE: Mapping[str, Callable[[Course], None]] = {"in-line": all_busy, "redirected": second_has_a_tone}


# ── by a supervisor, in the moment it is asked for: with nobody at a page it would not wait for one ──


def approved(course: Course, transfer: Transfer) -> None:
    """The briefing is written anew, and it goes ahead."""
    course.say(time.time(), "a supervisor edits the briefing and approves")
    briefing.save(transfer, course.setting.scenario.manager_hears, author=BriefingVersion.Author.PERSON)
    services.decided(transfer, ACTOR, approved=True)


def not_approved(course: Course, transfer: Transfer) -> None:
    course.say(time.time(), "a supervisor declines")
    services.decided(transfer, ACTOR, approved=False, reason=DECLINED)


DECIDED: Mapping[str, Callable[[Course, Transfer], None]] = {"approved": approved, "not-approved": not_approved}


# ── until the manager has decided ────────────────────────────────────────────────────────────────


def caller_leaves(course: Course, seen: Seen) -> bool:
    if course.marks.rang is None:
        return False
    course.watch.mark("ended", time.time())
    course.caller.leave()
    return True


def key_zero(course: Course, seen: Seen) -> bool:
    """The caller has had enough of the music; True when it is done."""
    if seen.call.agent_state != "holding" or course.marks.rang is None:
        return False
    course.say(time.time(), "the caller presses 0")
    course.caller.press("0")
    return True


def supervisor_cancels(course: Course, seen: Seen) -> bool:
    if seen.call.agent_state != "holding" or course.marks.rang is None:
        return False
    assert seen.transfer
    course.say(time.time(), "a supervisor cancels")
    with transaction.atomic():
        services.cancelled(services.locked_transfer(seen.transfer.pk), EndReason.SUPERVISOR_CANCELLED, ACTOR)
    return True


MEANWHILE: Mapping[str, Callable[[Course, Seen], bool]] = {
    "caller-leaves": caller_leaves,
    "key-zero": key_zero,
    "cancelled": supervisor_cancels,
}


# ── after the merge ──────────────────────────────────────────────────────────────────────────────


def redialled(course: Course) -> None:
    """Cut off: the AI says so and keeps the caller company while the manager is called again."""
    facts.until(course.is_back, 40, "The line was cut and the caller is not with the AI")
    course.hears_why()
    facts.until(lambda: _followed(course), 10, "The line was cut and the manager was not called again")
    requests = course.setting.carrier.requests(course.marks.clicked or 0) if course.setting.carrier else []
    if len(requests) != 2:
        raise Stuck(f"The carrier was asked {len(requests)} times, once more is expected")


def given_back(course: Course) -> None:
    course.back_with_ai()


def another(course: Course) -> None:
    """The second manager is called, briefed and joined."""
    facts.until(lambda: _followed(course), 20, "The manager asked for another one and nobody was called")
    course.watch.note(facts.look(course.call_id))
    joined = Transfer.objects.filter(call_id=course.call_id, state=TransferState.MERGED, follows__isnull=False)
    facts.until(joined.exists, 90, "The second manager was called and not joined with the caller")


def goodbye(course: Course) -> None:
    """The manager hangs up after a talk: the AI asks, the caller needs nothing more, the call ends."""
    facts.until(course.is_back, 45, "The manager hung up and the caller is not with the AI")
    course.hears_why()
    course.caller.say("No, thank you.")
    ended = lambda: not facts.look(course.call_id).call.is_live  # noqa: E731
    facts.until(ended, 20, "The caller needs nothing more and the call does not end")


def held(course: Course) -> None:
    """A supervisor holds the joined caller and lets them go on."""
    course.exchange_words()
    _park(course, on_hold=True)
    holding = lambda: facts.look(course.call_id).call.agent_state == "holding"  # noqa: E731
    facts.until(holding, 8, "The caller was put on hold and hears no music")
    time.sleep(0.5)
    if _hears_manager(course) > 0.1:
        raise Stuck("The caller is on hold and hears the manager")
    _park(course, on_hold=False)
    time.sleep(1.0)
    if _hears_manager(course) < 0.6:
        raise Stuck("The caller was taken off hold and does not hear the manager")


def redirected(course: Course) -> None:
    """It is the second phone that the caller talks to."""
    assert course.setting.carrier
    requests = course.setting.carrier.requests(course.marks.clicked or 0)
    if len(requests) != 2:
        raise Stuck(f"The carrier was asked {len(requests)} times, twice is expected")
    course.watch.request_id = str(requests[-1]["id"])
    course.exchange_words()


AFTER_MERGE: Mapping[str, Callable[[Course], None]] = {
    "redialled": redialled,
    "given-back": given_back,
    "another": another,
    "goodbye": goodbye,
    "held": held,
    "redirected": redirected,
}


# ── back with the AI ─────────────────────────────────────────────────────────────────────────────


def callback(course: Course) -> None:
    """The caller wants to be called back: the number is read back, the time asked, and it is promised."""
    course.turn("Please call me back.")
    course.turn(f"It is {', '.join(CALLBACK_NUMBER)}.")
    course.turn("Yes, that is right.")
    course.turn(SUITS)
    promised = Callback.objects.filter(call_id=course.call_id)
    facts.until(promised.exists, 10, "The caller asked to be called back and nothing was promised")
    with suppress(Stuck):
        course.caller.hear_something(time.time() - 3, 5, "")
    number = promised.get().number
    Callback.objects.filter(call_id=course.call_id).update(state=Callback.State.DONE, done_at=now())
    if not number.endswith(CALLBACK_NUMBER):
        raise Stuck("The number of the callback is not the one that the caller said")


BACK: Mapping[str, Callable[[Course], None]] = {"callback": callback}


def _followed(course: Course) -> bool:
    """Another transfer of this call has dialled somebody."""
    following = Transfer.objects.filter(call_id=course.call_id, follows__isnull=False)
    return following.filter(attempts__dialed_at__isnull=False).exists()


def _park(course: Course, *, on_hold: bool) -> None:
    course.say(
        time.time(), "a supervisor puts the caller on hold" if on_hold else "a supervisor takes them off hold"
    )
    with transaction.atomic():
        transfer = services.locked_transfer(facts.joined(course.call_id).pk)
        (parking.park if on_hold else parking.unpark)(transfer, actor=ACTOR)


def _hears_manager(course: Course) -> float:
    """The share of the next two seconds in which the caller hears the manager's tone."""
    since = time.time()
    time.sleep(PARKED_S)
    return tones.presence(course.caller.heard(since), tones.MANAGER_HZ).share
