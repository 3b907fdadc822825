"""The carrier's own switches under `/carrier`, for the console, rehearsals and tests. JSON; a bearer token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler
from livekit.rtc.participant import PublishDTMFError

from calls.telephony.simulator import options
from calls.telephony.simulator.callers import CannotCall, Switchboard
from calls.telephony.simulator.exchange import Exchange
from calls.telephony.simulator.faults import Faults
from calls.telephony.simulator.numbers import PHONES
from calls.telephony.simulator.party import Party
from calls.telephony.simulator.phone import DialledPhone
from calls.telephony.simulator.stories import STORIES
from calls.telephony.simulator.talk import Talk


class Person(Protocol):
    """Somebody on the line whom a test may steer."""

    talk: Talk

    async def hang_up(self) -> None: ...


def guard(token: str) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if request.path.startswith("/carrier/") and not hmac.compare_digest(given.encode(), token.encode()):
            return _error(401, "the bearer token is not CARRIER_TOKEN")
        try:
            return await handler(request)
        except ValueError as error:
            return _error(400, str(error))

    return check


class Control:
    def __init__(self, exchange: Exchange, switchboard: Switchboard, faults: Faults) -> None:
        self._exchange, self._switchboard, self._faults = exchange, switchboard, faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/carrier/stories", self.stories),
            web.get("/carrier/phones", self.phones),
            web.get("/carrier/calls", self.calls),
            web.post("/carrier/calls", self.call),
            web.get("/carrier/calls/{id}", self.one_call),
            web.get("/carrier/calls/{id}/heard.wav", self.heard_by_caller),
            web.delete("/carrier/calls/{id}", self.end_call),
            web.post("/carrier/calls/{id}/do", self.steer_caller),
            web.get("/carrier/requests", self.requests),
            web.get("/carrier/requests/{id}", self.request),
            web.get("/carrier/requests/{id}/heard.wav", self.heard),
            web.post("/carrier/requests/{id}/do", self.steer_phone),
            web.post("/carrier/scripts", self.script),
            web.post("/carrier/faults", self.fault),
        ]

    # ── callers ──────────────────────────────────────────────────────────────────────────────────

    async def stories(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"stories": [{"key": s.key, "title": s.title, "about": s.about} for s in STORIES]}
        )

    async def calls(self, request: web.Request) -> web.Response:
        rows = [caller.as_json() for caller in self._switchboard.live]
        return web.json_response({"calls": rows})

    async def call(self, request: web.Request) -> web.Response:
        body = await _body(request)
        at_most_s = body.get("at_most_s")
        if at_most_s is not None and (not isinstance(at_most_s, int | float) or at_most_s <= 0):
            raise ValueError("at_most_s is a number of seconds")
        metadata = body.get("room_metadata") or {}
        if not isinstance(metadata, dict):
            raise ValueError("room_metadata is an object")
        try:
            caller = await self._switchboard.place(
                str(body.get("story", "")),
                at_most_s=at_most_s,
                chatter=bool(body.get("chatter", True)),
                metadata=metadata,
            )
        except CannotCall as error:
            return _error(error.status, str(error))
        return web.json_response({"id": caller.id, "room": caller.room}, status=201)

    async def end_call(self, request: web.Request) -> web.Response:
        caller = self._switchboard.find(request.match_info["id"])
        if caller is None or not caller.live:
            return _error(404, "no such call is on the line")
        await caller.hang_up()
        return web.json_response({})

    async def one_call(self, request: web.Request) -> web.Response:
        caller = self._switchboard.find(request.match_info["id"])
        return web.json_response(caller.as_json(events=True)) if caller else _error(404, "no such call")

    async def heard_by_caller(self, request: web.Request) -> web.Response:
        caller = self._switchboard.find(request.match_info["id"])
        return _recording(caller.party) if caller else _error(404, "no such call")

    async def steer_caller(self, request: web.Request) -> web.Response:
        caller = self._switchboard.find(request.match_info["id"])
        return await _steer(request, caller if caller and caller.live else None)

    # ── phones ───────────────────────────────────────────────────────────────────────────────────

    async def phones(self, request: web.Request) -> web.Response:
        rows = [{"number": p.number, "about": p.about, "scenario": p.scenario} for p in PHONES]
        return web.json_response({"phones": rows})

    async def requests(self, request: web.Request) -> web.Response:
        since = float(request.query.get("since", 0))
        return web.json_response({"requests": [r.as_json() for r in self._exchange.ledger.since(since)]})

    async def request(self, request: web.Request) -> web.Response:
        found = self._exchange.ledger.find(request.match_info["id"])
        return web.json_response(found.as_json(events=True)) if found else _error(404, "no such request")

    async def heard(self, request: web.Request) -> web.Response:
        """All that the phone heard since it answered: mono int16, 16 kHz."""
        phone = self._exchange.phone(request.match_info["id"])
        if phone is None or phone.record.answered_at is None:
            return _error(404, "that phone did not answer, or its recording is not kept any more")
        return _recording(phone.party)

    async def steer_phone(self, request: web.Request) -> web.Response:
        phone = self._exchange.phone(request.match_info["id"])
        return await _steer(request, phone if phone and phone.live else None)

    # ── tests ────────────────────────────────────────────────────────────────────────────────────

    async def script(self, request: web.Request) -> web.Response:
        self._exchange.prepare(options.parse(await _body(request)))
        return web.json_response({})

    async def fault(self, request: web.Request) -> web.Response:
        self._faults.add(await _body(request))
        return web.json_response({})


Deed = Callable[[Any, Any], Awaitable[None]]


async def _steer(request: web.Request, person: Person | DialledPhone | None) -> web.Response:
    body = await _body(request)
    if len(body) != 1 or (deed := DEEDS.get(next(iter(body)))) is None:
        raise ValueError(f"one of {', '.join(DEEDS)}")
    if person is None or not person.talk.party.connected:
        return _error(404, "nobody of that id is on the line")
    try:
        await deed(person, next(iter(body.values())))
    except PublishDTMFError:
        return _error(409, "the key could not be sent")
    return web.json_response({})


async def _say(person: Person, text: Any) -> None:
    await person.talk.say(str(text))


async def _press(person: Person, digit: Any) -> None:
    await person.talk.press(str(digit))


async def _tone(person: Person, hz: Any) -> None:
    person.talk.party.set_tone(float(hz))


async def _hang_up(person: Person, wanted: Any) -> None:
    await person.hang_up()


async def _deaf(person: Person, wanted: Any) -> None:
    person.talk.party.subscribe_audio(not wanted)


DEEDS: dict[str, Deed] = {"say": _say, "press": _press, "tone_hz": _tone, "hang_up": _hang_up, "deaf": _deaf}


async def _body(request: web.Request) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        body = await request.json()
    except json.JSONDecodeError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ValueError("the body is an object")
    return body


def _recording(party: Party) -> web.Response:
    headers = {"X-Started-At": repr(party.recording.started_at)}
    return web.Response(body=party.recording.wav_bytes(), content_type="audio/wav", headers=headers)


def _error(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)
