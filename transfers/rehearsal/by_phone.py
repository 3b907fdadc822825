"""Rehearsals whose caller is a simulated phone: a cold transfer, and the call of a callback.

The caller is heard through the carrier's recording. What does not come in time raises Stuck.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from calls.telephony import tokens
from calls.timing import now
from transfers import callbacks, refer
from transfers.models import Callback, Transfer
from transfers.rehearsal import facts, house, words
from transfers.rehearsal.carrier import Carrier
from transfers.rehearsal.course import AFTER_INTRODUCTION_S, PROBLEMS, QUESTION, REASON, TAIL_S, Setting
from transfers.rehearsal.errors import Stuck
from transfers.rehearsal.speech import Ears
from transfers.rehearsal.takes import Takes
from transfers.rehearsal.tones import CALLER_HZ
from transfers.rehearsal.watch import Say, Watch
from transfers.requests import request_transfer
from transfers.states import EndReason, TransferState

STORY = "opening-hours"
CALLED_BACK = "+12025550144"


class PhoneCourse:
    """`say(at, text)` is told what happens, as it happens."""

    def __init__(self, setting: Setting, say: Say) -> None:
        assert setting.carrier, "there are simulated phones only where there is a simulator"
        self.setting, self.say = setting, say
        self.carrier: Carrier = setting.carrier
        self.takes = Takes()
        self.marks = self.takes.marks
        self.watch = Watch(self.marks, setting.scenario, setting.carrier, say)

    def run(self) -> Takes:
        try:
            WAYS[self.setting.scenario.way](self)
        except PROBLEMS as problem:
            self.takes.stuck.append(f"{str(problem).rstrip('.')}.")
        finally:
            house.end_earlier()
        return self.takes

    def clicked(self, what: str) -> None:
        self.watch.mark("clicked", time.time())
        self.say(time.time(), what)

    def keep(self, call_id: UUID) -> None:
        self.takes.call = str(call_id)
        seen = facts.look(call_id)
        if seen.transfer:
            self.takes.end, self.takes.words_for_caller = seen.transfer.end_reason, seen.transfer.words_for_caller
        if seen.attempt:
            self.takes.outcome, self.takes.strategy = seen.attempt.outcome, seen.attempt.strategy


# ── cold ─────────────────────────────────────────────────────────────────────────────────────────


def cold(course: PhoneCourse) -> None:
    """The caller is told, then their carrier is asked; if it refuses, they are still with the AI."""
    made, carrier = course.setting.house, course.carrier
    caller = carrier.place(STORY, tokens.rehearsed_room(made.department.name))
    course.say(time.time(), "the caller is on the line")
    call = facts.call_of_room(caller.room, 15)
    facts.until(lambda: bool(facts.last_said_by_ai(call.pk, 0)), 25, "The AI does not greet the caller")
    course.clicked("a cold transfer is asked for")
    transfer = request_transfer(
        call_id=call.pk,
        key=uuid4(),
        reason=REASON,
        department=made.department,
        person=made.manager,
        actor=house.ACTOR,
        kind=Transfer.Kind.COLD,
    )
    facts.until(lambda: not _open(transfer), 40, "The cold transfer does not end")
    course.keep(call.pk)
    if course.takes.end == EndReason.COLD_COMPLETED:
        facts.until(lambda: not facts.look(call.pk).call.is_live, 10, "The caller has left and the call goes on")
        if not carrier.was_referred(caller.id):
            raise Stuck("The caller's carrier was not asked to call the manager")
    else:
        _still_with_ai(course, caller.id, call.pk, transfer)
    course.takes.caller = carrier.heard_by_caller(caller.id)
    if words.share_of_text(refer.GOODBYE, Ears(course.takes.caller).text()) < words.ENOUGH:
        raise Stuck("The caller did not hear that they are transferred")


def _open(transfer: Transfer) -> bool:
    return Transfer.objects.get(pk=transfer.pk).is_open


def _still_with_ai(course: PhoneCourse, caller_id: str, call_id: UUID, transfer: Transfer) -> None:
    transfer.refresh_from_db()
    assert transfer.ended_at
    since = transfer.ended_at.timestamp()
    course.watch.mark("returned", since)

    def told() -> bool:
        said = facts.last_said_by_ai(call_id, since)
        return words.share_of_text(transfer.words_for_caller, said) >= words.ENOUGH

    facts.until(told, 20, "The carrier refused and the caller is not told")
    began = time.time()
    course.carrier.caller_does(caller_id, say=QUESTION)
    ended = time.time()
    course.say(began, "the caller asks a question")
    course.takes.question = (began, ended)
    facts.until(lambda: bool(facts.last_said_by_ai(call_id, ended)), 20, "The AI does not answer the caller")
    time.sleep(TAIL_S)
    course.watch.mark("ended", time.time())


# ── callback ─────────────────────────────────────────────────────────────────────────────────────


def call_now(course: PhoneCourse) -> None:
    """The claimer's phone is rung first, then the caller's; they are joined and hear each other."""
    carrier, made = course.carrier, course.setting.house
    user = house.person(made.manager)
    callback = Callback.objects.create(
        request_key=uuid4(),
        call=house.earlier_call(),
        department=made.department,
        number=CALLED_BACK,
        number_last4=CALLED_BACK[-4:],
        preferred="now",
        briefing=REASON,
        asked_at=now(),
        due_at=now() + timedelta(hours=1),
    )
    carrier.script(CALLED_BACK, tone_hz=CALLER_HZ, chatter=False)
    callbacks.claim(callback_id=callback.pk, user=user)
    course.clicked("the claimer of a callback clicks Call now")
    transfer = callbacks.call_now(callback_id=callback.pk, user=user)
    try:
        _joined(course, transfer)
        _exchange(course)
    finally:
        course.watch.mark("ended", time.time())
        _hang_up(course, transfer)
        Callback.objects.filter(pk=callback.pk).update(state=Callback.State.DONE, done_at=now())


def _joined(course: PhoneCourse, transfer: Transfer) -> None:
    def merged() -> bool:
        course.watch.note(facts.look(transfer.call_id))
        return course.marks.merged is not None or not _open(transfer)

    facts.until(merged, 90, "The caller of the callback is not joined with the manager")
    if course.marks.merged is None:
        course.keep(transfer.call_id)
        raise Stuck("The callback ended before the two were joined")


def _exchange(course: PhoneCourse) -> None:
    takes, carrier = course.takes, course.carrier
    if course.setting.house.introduction:
        time.sleep(AFTER_INTRODUCTION_S + 4)
    manager, caller = _phones(course)
    takes.said_by_caller = words.draw()
    takes.said_by_manager = words.draw(but=takes.said_by_caller)
    began = time.time()
    course.say(began, "each says six words")
    carrier.do(caller, say=words.sentence(takes.said_by_caller))
    carrier.do(manager, say=words.sentence(takes.said_by_manager))
    time.sleep(TAIL_S)
    takes.exchange = (began, time.time())


def _phones(course: PhoneCourse) -> tuple[str, str]:
    """The claimer's dial and the caller's, in that order."""
    dials = course.carrier.requests(course.marks.clicked or 0)
    if len(dials) != 2 or not dials[1]["to_masked"].endswith(CALLED_BACK[-4:]):
        raise Stuck(f"The carrier was asked {len(dials)} times; the claimer, then the caller is expected")
    return str(dials[0]["id"]), str(dials[1]["id"])


def _hang_up(course: PhoneCourse, transfer: Transfer) -> None:
    dials = [str(one["id"]) for one in course.carrier.requests(course.marks.clicked or 0)]
    for number, ear in zip(dials, ("manager", "caller"), strict=False):
        setattr(course.takes, ear, course.carrier.heard(number))
    for number in dials[1:]:
        course.carrier.do(number, hang_up=True)
    over = lambda: Transfer.objects.get(pk=transfer.pk).state == TransferState.COMPLETED  # noqa: E731
    if course.marks.merged:
        facts.until(over, 15, "The caller hung up and the callback's call does not end")
    course.keep(transfer.call_id)


WAYS: Mapping[str, Callable[[PhoneCourse], None]] = {"cold": cold, "call-now": call_now}
