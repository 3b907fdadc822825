"""One phone that is dialled: joins as LiveKit's SIP service would, rings, answers or not, talks, hangs up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from livekit import api, rtc

from calls.telephony.simulator import ids
from calls.telephony.simulator.ledger import DialRecord, Notes
from calls.telephony.simulator.numbers import OK, SCENARIOS, Behaviour, Phone
from calls.telephony.simulator.options import Options
from calls.telephony.simulator.party import Party
from calls.telephony.simulator.scripts import SCRIPTS, Scene
from calls.telephony.simulator.talk import Gone, Talk
from calls.telephony.simulator.twirp import FRAME, TwirpError, sip_error

logger = logging.getLogger(__name__)

AT_MOST_S = 80.0  # a self-hosted server ends a waiting dial then
RINGS_AFTER_S = 0.01
PAUSE_S, DIGIT_S = 0.5, 0.3  # of `w`, and of one key with the silence after it
REJECTED, UNAVAILABLE, LINE_FAILED = "USER_REJECTED", "USER_UNAVAILABLE", "SIP_TRUNK_FAILURE"


@dataclass(frozen=True)
class Leg:
    """What the request asked for, as LiveKit would pass it on to its SIP service."""

    room: str
    identity: str
    name: str
    metadata: str
    attributes: dict[str, str]
    dtmf: str
    ringing_timeout_s: float
    call_id: str = field(default_factory=lambda: ids.new("SCL_"))

    def token(self, key: str, secret: str, *, status: str = "dialing") -> str:
        grants = api.VideoGrants(room_join=True, room=self.room, can_update_own_metadata=True)
        token = api.AccessToken(key, secret).with_identity(self.identity).with_name(self.name)
        token = token.with_metadata(self.metadata).with_grants(grants).with_kind("sip")
        first = {"sip.callID": self.call_id, "sip.callStatus": status}
        return token.with_attributes(self.attributes | first).to_jwt()


def keys_in_time(digits: str) -> list[tuple[float, str]]:
    """Each key of a DTMF string with the seconds after the one before; pauses at its end come with no key."""
    plan, after_s = [], 0.0
    for digit in digits:
        if digit == "w":
            after_s += PAUSE_S
        else:
            plan.append((after_s + DIGIT_S, digit))
            after_s = 0.0
    return [*plan, (after_s, "")] if after_s else plan


def left_because(status: int) -> str:
    """Why LiveKit's SIP service lets a leg leave whose phone answered with this status."""
    if status in (401, 403, 407, 486, 488) or status >= 600:
        return REJECTED
    return LINE_FAILED if status >= 500 else UNAVAILABLE


class Refused(Exception):
    """The phone did not answer: what the RPC says, and why the leg leaves."""

    def __init__(self, error: TwirpError, reason: str, status: int | None = None) -> None:
        super().__init__(error.message)
        self.error, self.reason, self.status = error, reason, status


class DialledPhone:
    """`joined` has the participant's sid, `answered` the RPC's end; both fail with `TwirpError`."""

    def __init__(self, url: str, token: str, leg: Leg, record: DialRecord, phone: Phone, options: Options) -> None:
        self.leg, self.record, self.options = leg, record, options
        self.name = phone.name
        self.behaviour: Behaviour = SCENARIOS[options.scenario] if options.scenario else phone.behaviour
        self.party = Party(url, token)
        self.talk = Talk(self.party, record.notes)
        loop = asyncio.get_running_loop()
        self.joined: asyncio.Future[str] = loop.create_future()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.may_answer = asyncio.Event()  # cleared: not before the client has given up
        self.may_answer.set()
        self.party.on_left = lambda reason: record.notes.add("left", reason)
        self.party.on_key = self._on_key
        self.ended = asyncio.Event()
        self.task = asyncio.create_task(self._live())

    @property
    def live(self) -> bool:
        return not self.ended.is_set()

    @property
    def talks(self) -> bool:
        """Answered, and still there."""
        return self.live and self.record.answered_at is not None

    @property
    def notes(self) -> Notes:
        return self.record.notes

    async def hang_up(self) -> None:
        await self._set(**{"sip.callStatus": "hangup"})
        await self.party.leave()

    async def move(self, room: str, key: str, secret: str) -> None:
        """Answered, it goes on in another room. Raises `rtc.ConnectError`."""
        leg = replace(self.leg, room=room)
        await self.party.move(leg.token(key, secret, status="active"))
        self.leg = leg
        self.notes.add("moved", room)

    # ── its life ─────────────────────────────────────────────────────────────────────────────────

    async def _live(self) -> None:
        try:
            await self._join()
            await self._unless_gone(self._ring())
            await self._unless_gone(self._pick_up())
            await self._unless_gone(self._talk())
            await self.hang_up()
        except Refused as refused:
            self.record.sip_status = refused.status
            self.record.notes.add("refused", str(refused.status or refused.error.code))
            self._fail(refused.error)
            await self.party.leave(refused.reason)
        except Gone:
            pass
        except Exception:
            logger.exception("a simulated phone broke down")
        finally:
            self._fail(TwirpError("canceled", f"{FRAME}call already closed"))
            await self.party.leave()
            self.record.ended_at = time.time()
            self.ended.set()

    async def _join(self) -> None:
        try:
            await self.party.connect(subscribe=False, publish=False)
        except rtc.ConnectError:
            raise Refused(TwirpError("unavailable", f"{FRAME}could not join the room"), REJECTED) from None
        self.joined.set_result(self.party.room.local_participant.sid)

    async def _ring(self) -> None:
        behaviour, limit = self.behaviour, self.leg.ringing_timeout_s or AT_MOST_S
        rings_s = behaviour.rings_s if self.options.rings_s is None else self.options.rings_s
        if not behaviour.refused_at_once:
            await asyncio.sleep(RINGS_AFTER_S)
            await self._set(**{"sip.callStatus": "ringing"})
            self.record.notes.add("ringing")
            await self.party.publish()
        try:
            async with asyncio.timeout(min(limit, AT_MOST_S) if self.may_answer.is_set() else None):
                await (asyncio.Event().wait() if behaviour.never else asyncio.sleep(rings_s))
                await self.may_answer.wait()
        except TimeoutError:
            raise Refused(self._ran_out(limit), UNAVAILABLE) from None
        if behaviour.status != OK:
            raise Refused(sip_error(behaviour.status), left_because(behaviour.status), behaviour.status)

    @staticmethod
    def _ran_out(limit: float) -> TwirpError:
        if limit >= AT_MOST_S:
            return TwirpError("deadline_exceeded", f"{FRAME}request timed out")
        return TwirpError("canceled", f"{FRAME}sip request timed out")

    async def _pick_up(self) -> None:
        self.record.answered_at = time.time()
        self.record.notes.add("answered")
        await self._set(**{"sip.callTag": ids.new(""), "sip.callIDFull": f"{ids.new('')}@carrier.invalid"})
        if self.leg.dtmf:
            await self._set(**{"sip.callStatus": "automation"})
            await self._take_digits(self.leg.dtmf)
        if not self.answered.done():
            self.answered.set_result(None)
        await self._set(**{"sip.callStatus": "active"})
        self.party.subscribe_audio(True)
        if self.options.tone_hz:
            self.party.set_tone(self.options.tone_hz)

    async def _take_digits(self, digits: str) -> None:
        for after_s, key in keys_in_time(digits):
            await asyncio.sleep(after_s)
            self.talk.digits += key
        self.record.notes.add("digits", digits)

    async def _talk(self) -> None:
        if self.options.press_at_answer:
            await self.talk.press(self.options.press_at_answer)
        await SCRIPTS[self.behaviour.script](Scene(self.talk, self.options, self.name))

    # ── parts ────────────────────────────────────────────────────────────────────────────────────

    def _on_key(self, key: rtc.SipDTMF) -> None:
        if self.record.answered_at:
            self.talk.digits += key.digit

    async def _set(self, **attributes: str) -> None:
        """As a real leg, it cannot once somebody has taken `can_update_metadata` away."""
        try:
            if self.party.connected:
                await self.party.room.local_participant.set_attributes(attributes)
        except Exception as error:
            logger.warning("a leg's attributes could not be set", extra={"error": type(error).__name__})

    def _fail(self, error: TwirpError) -> None:
        for waited in (self.joined, self.answered):
            if not waited.done():
                waited.set_exception(error)
                waited.exception()  # somebody may or may not wait for it

    async def _unless_gone(self, doing: Coroutine[Any, Any, None]) -> None:
        """Raises Gone as soon as the leg is out of the room."""
        task = asyncio.create_task(doing)
        left = asyncio.create_task(self.party.wait_left())
        try:
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Gone
            await task
        finally:
            for one in (task, left):
                one.cancel()
            await asyncio.gather(task, left, return_exceptions=True)
