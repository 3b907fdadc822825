"""The phones that are on the line or were a little while ago, and what tests asked of the next dials."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from calls.telephony.simulator.ledger import DialRecord, Ledger
from calls.telephony.simulator.numbers import phone_at
from calls.telephony.simulator.options import Options
from calls.telephony.simulator.phone import DialledPhone, Leg
from calls.telephony.simulator.settings import Settings

JOINS_WITHIN_S = 3.0
KEPT_RECORDINGS = 12  # of phones that have hung up; some megabytes each


class Exchange:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ledger = Ledger()
        self._options: dict[str, Options] = {}
        self._phones: dict[str, DialledPhone] = {}
        self._ended: deque[str] = deque()

    def prepare(self, options: Options) -> None:
        """For the next dial of that number only."""
        self._options[options.to] = options

    def record(self, leg: Leg, *, to: str, trunk: str, sip_number: str, waits: bool) -> DialRecord:
        made = DialRecord(
            id=self.ledger.next_id(),
            at=time.time(),
            room=leg.room,
            identity=leg.identity,
            to=to,
            trunk=trunk,
            dtmf=leg.dtmf,
            ringing_timeout_s=leg.ringing_timeout_s,
            sip_number=sip_number,
            wait_until_answered=waits,
        )
        self.ledger.add(made)
        return made

    def dial(self, leg: Leg, record: DialRecord, *, late: bool = False) -> DialledPhone:
        """Begins at once; `late`: rings until `may_answer` is set."""
        options = self._options.pop(record.to, Options())
        token = leg.token(self._settings.key, self._settings.secret)
        phone = DialledPhone(self._settings.url, token, leg, record, phone_at(record.to), options)
        if late:
            phone.may_answer.clear()
        self._phones[record.id] = phone
        phone.task.add_done_callback(lambda _: self._note_end(record.id))
        return phone

    def phone(self, id: str) -> DialledPhone | None:
        """While it is on the line, and for a while after."""
        return self._phones.get(id)

    def leg(self, room: str, identity: str) -> DialledPhone | None:
        return next(
            (p for p in self._phones.values() if p.live and (p.leg.room, p.leg.identity) == (room, identity)), None
        )

    async def joined(self, room: str, identity: str = "") -> None:
        """Until the legs of that room (with that identity) that are on their way into it are there.

        A client that is removed while it connects does not notice, and joins again.
        """
        coming = [
            phone.joined
            for phone in self._phones.values()
            if phone.leg.room == room and identity in ("", phone.leg.identity) and not phone.joined.done()
        ]
        if coming:
            await asyncio.wait(coming, timeout=JOINS_WITHIN_S)

    async def close(self) -> None:
        for phone in list(self._phones.values()):
            await phone.party.leave()

    def _note_end(self, id: str) -> None:
        self._ended.append(id)
        while len(self._ended) > KEPT_RECORDINGS:
            self._phones.pop(self._ended.popleft(), None)
