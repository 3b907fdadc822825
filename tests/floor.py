"""The running product without speech, as its callers, phones and a supervisor use it: for tests of faults.

Tones and keys go through the same rooms and jobs; what happened is looked at from outside: at the carrier, in the
rooms, in the database.
"""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.error
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from calls.telephony.gateway import GatewayError
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.simulator.party import Party
from tests.bench.house import Carrier, Records, Supervisor, surely
from tests.product import Product, until

T = TypeVar("T")

SCRIPTED = {"SPEECH": "scripted"}
DANA, MARCO, OMAR = "+12025550101", "+12025550102", "+12025550108"
CALLED_BACK = "+12025550145"
AI_COMES_S = 30.0
OPEN_ATTEMPT = ("reserved", "dialing", "ringing", "summarizing", "merged")


class Loop:
    """LiveKit's client lives on a loop of its own thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], within_s: float = 20) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


class Floor:
    def __init__(self, product: Product) -> None:
        self.product, self.carrier, self.records = product, Carrier(product), Records(product)
        self.loop, self.supervisor = Loop(), Supervisor(product)
        self.dana = Supervisor(product, "dana")  # a manager with an account
        self.gateway = self.loop.do(_gateway(product.settings))
        self.callers: list[Caller] = []

    def close(self) -> None:
        for caller in self.callers:
            caller.leave()
        self.loop.do(self.gateway.close())
        self.loop.close()
        self.records.close()

    def people_in(self, room: str) -> list[str]:
        """Who is in a room of the server; a room that is gone has nobody."""
        try:
            return [one.identity for one in self.loop.do(self.gateway.list_participants(room))]
        except GatewayError:
            return []

    def calls_in(self, department: str = "Billing", *, within_s: float = AI_COMES_S) -> Caller:
        """A caller who talks to the AI; the AI's first tone is not waited for."""
        told = surely(lambda: self.supervisor.ask("test-call/token", department=department))
        party = self.loop.do(enter(told["url"], told["token"]))
        try:
            caller = Caller(self, party, told["room"], within_s=within_s)
        except AssertionError:
            self.loop.do(party.leave())
            raise
        self.callers.append(caller)
        return caller

    def phones_in(self) -> PhoneCaller:
        """A caller on a telephone, who says nothing."""
        placed = self.carrier.place("opening-hours", chatter=False)
        caller = PhoneCaller(self, str(placed["id"]), placed["room"])
        self.callers.append(caller)
        return caller

    def everybody_is_free(self) -> None:
        self.records.one(
            "UPDATE transfers_manager SET presence = 'available', presence_until = NULL, misses = 0 RETURNING 1"
        )


PROMISE = """
from uuid import uuid4
from calls.agents import protocol as p
from calls.models import Call
from transfers import callbacks
from transfers.models import Callback
key = uuid4()
wanted = p.CallbackRequested(request_id=key, number="{number}", preferred="now")
callbacks.ask(Call.objects.get(pk="{call}"), wanted)
print(Callback.objects.get(request_key=key).pk)
"""


def promise_callback(product: Product, call_id: object) -> str:
    """As the AI would, in a live call: the callback's id."""
    done = product.manage("shell", "--command", PROMISE.format(call=call_id, number=CALLED_BACK))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


async def _gateway(settings: dict[str, str]) -> LiveKitGateway:
    """Bound to the loop that it is made on."""
    return LiveKitGateway(
        url=settings["LIVEKIT_URL"], key=settings["LIVEKIT_API_KEY"], secret=settings["LIVEKIT_API_SECRET"]
    )


async def enter(url: str, token: str) -> Party:
    """Bound to the loop that it is made on."""
    party = Party(url, token, listens=False)
    await party.connect()
    return party


class Caller:
    """One call and its newest transfer, by the rows."""

    def __init__(self, floor: Floor, party: Party | None, room: str, *, within_s: float = AI_COMES_S) -> None:
        self.floor, self.party, self.room = floor, party, room
        self.since = time.time()
        sql = "SELECT id FROM calls_call WHERE room_name = %s AND agent_state <> ''"
        until(lambda: floor.records.one(sql, room), within_s, "the AI is with the caller")
        self.id = floor.records.one(sql, room)

    @classmethod
    def called_back(cls, floor: Floor, callback: str) -> Caller:
        """The call that is made for a callback: its caller is a simulated phone."""
        sql = (
            "SELECT t.call_id, c.room_name FROM transfers_callback b "
            "JOIN transfers_transfer t ON t.id = b.calling_id "
            "JOIN calls_call c ON c.id = t.call_id WHERE b.id = %s"
        )
        made = cls.__new__(cls)
        ((made.id, made.room),) = floor.records.all(sql, callback)
        made.floor, made.party, made.since = floor, None, time.time() - 5
        return made

    @classmethod
    def of(cls, floor: Floor, other: Caller) -> Caller:
        """The same call, seen over fresh connections."""
        made = cls.__new__(cls)
        made.floor, made.party, made.room, made.since, made.id = (
            floor,
            other.party,
            other.room,
            other.since,
            other.id,
        )
        return made

    def leave(self) -> None:
        """Hang up; whoever was called back does so on a phone."""
        with suppress(Exception):
            if self.party:
                self.floor.loop.do(self.party.leave())
            else:
                self.floor.carrier.hang_up_phone(self._own_phone())

    def _own_phone(self) -> str:
        return str(next(d["id"] for d in self.floor.carrier.dials(self.since) if d["room"] == self.room))

    def presses(self, digit: str) -> None:
        assert self.party
        self.floor.loop.do(self.party.press(digit))

    # ── what the rows say ────────────────────────────────────────────────────────────────────────

    def of_call(self, column: str) -> Any:
        return self.floor.records.one(f"SELECT {column} FROM calls_call WHERE id = %s", self.id)

    def of_transfer(self, column: str) -> Any:
        newest = "ORDER BY requested_at DESC, id DESC LIMIT 1"
        return self.floor.records.one(
            f"SELECT {column} FROM transfers_transfer WHERE call_id = %s {newest}", self.id
        )

    def of_attempt(self, column: str) -> Any:
        sql = (
            f"SELECT a.{column} FROM transfers_attempt a JOIN transfers_transfer t ON t.id = a.transfer_id "
            "WHERE t.call_id = %s ORDER BY a.reserved_at DESC, a.id DESC LIMIT 1"
        )
        return self.floor.records.one(sql, self.id)

    def attempts(self) -> int:
        sql = (
            "SELECT count(*) FROM transfers_attempt a JOIN transfers_transfer t ON t.id = a.transfer_id "
            "WHERE t.call_id = %s"
        )
        return int(self.floor.records.one(sql, self.id))

    @property
    def with_whom(self) -> str:
        return str(self.of_call("caller_with"))

    def is_with(self, whom: str, within_s: float = 20) -> None:
        until(lambda: self.with_whom == whom, within_s, f"the caller is with {whom}, not {self.with_whom}")

    def reaches(self, *states: str, within_s: float = 25) -> None:
        """The attempt is in one of these states."""
        until(
            lambda: self.of_attempt("state") in states,
            within_s,
            f"the attempt is {' or '.join(states)}; it is {self.of_attempt('state')}",
        )

    # ── what people do ───────────────────────────────────────────────────────────────────────────

    def escalated(self, **phone: Any) -> None:
        """To Billing; Dana's phone behaves as `phone` says, else it is picked up at once and stays silent."""
        self.floor.carrier.next_dial(DANA, **{"scenario": "silent", "rings_s": 0.6} | phone)
        self.asks()

    def asks(self) -> None:
        """For somebody of Billing, by a supervisor's click."""
        billing = self.floor.records.one("SELECT id FROM calls_department WHERE name = 'Billing'")
        self.floor.supervisor.escalate_surely(self.id, f"d:{billing}")
        until(lambda: self.attempts() > 0, 15, "somebody is reserved")

    def dials(self) -> list[dict[str, Any]]:
        """At the carrier, for this caller."""
        ours = {
            str(row[0])
            for row in self.floor.records.all(
                "SELECT a.id FROM transfers_attempt a JOIN transfers_transfer t ON t.id = a.transfer_id "
                "WHERE t.call_id = %s",
                self.id,
            )
        }
        return [d for d in self.floor.carrier.dials(self.since) if d["room"].removeprefix("consult-") in ours]

    def manager_presses(self, key: str) -> None:
        """Nothing comes of it if their phone is not on the line."""
        with suppress(urllib.error.HTTPError):
            self.floor.carrier.press(self.dials()[-1]["id"], key)

    def joined(self, **phone: Any) -> None:
        """Escalated, taken and merged."""
        self.escalated(**phone)
        self.manager_takes_it()

    def is_briefed(self, within_s: float = 25) -> None:
        """The agent talks to the manager: from now on it hears their keys."""
        until(lambda: self.of_attempt("briefing_started_at"), within_s, "the briefing has begun")

    def manager_takes_it(self, within_s: float = 40) -> None:
        """Whoever is on the phone presses 1 until they are joined, as people do while an agent is replaced."""
        end = time.monotonic() + within_s
        while (state := self.of_attempt("state")) != "merged":
            assert time.monotonic() < end, f"somebody presses 1 and the attempt is {state}"
            if state == "summarizing":
                self.manager_presses("1")
            time.sleep(0.5)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────

    def one_dial_an_attempt(self) -> None:
        """I3, counted at the far side."""
        rooms = [dial["room"] for dial in self.dials()]
        assert len(rooms) == len(set(rooms)), rooms

    def nobody_rings(self, within_s: float = 10) -> None:
        """I5: no phone of this caller is on the line, nobody is in a consultation; last words may take 6 s."""
        on_the_line = lambda: [d for d in self.dials() if not d["ended_at"]]  # noqa: E731
        until(lambda: not on_the_line(), within_s, "no phone is on the line any more")
        rooms = {dial["room"] for dial in self.dials()}
        until(lambda: not any(map(self.floor.people_in, rooms)), within_s, "nobody is in a consultation any more")

    def is_over(self, within_s: float = 10) -> None:
        """The caller hangs up, and nothing is left."""
        self.leave()
        until(lambda: self.of_call("state") == "inactive", within_s, "the call has ended")
        until(lambda: not self._live_transfers(), 5, "its transfers have ended")
        self.nobody_rings()
        until(lambda: not self.floor.people_in(self.room), 25, "nobody is in the caller's room any more")
        self.one_dial_an_attempt()

    def _live_transfers(self) -> int:
        ended = "('rejected', 'completed', 'failed', 'cancelled')"
        sql = f"SELECT count(*) FROM transfers_transfer WHERE call_id = %s AND state NOT IN {ended}"
        return int(self.floor.records.one(sql, self.id))


class PhoneCaller(Caller):
    """A caller of the carrier simulator."""

    def __init__(self, floor: Floor, carrier_id: str, room: str) -> None:
        self._carrier_id = carrier_id
        super().__init__(floor, None, room)

    def leave(self) -> None:
        with suppress(Exception):
            self.floor.carrier.hang_up(self._carrier_id)
