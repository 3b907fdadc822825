"""Switches that make the next requests of a method fail, for tests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from aiohttp import web

from calls.telephony.simulator.twirp import TwirpError

ANSWERS = {
    "500": TwirpError("internal", "a fault was asked for"),
    "503": TwirpError("unavailable", "no response from servers"),
    "429": TwirpError("resource_exhausted", "too many requests"),
}
FAULTS = (*ANSWERS, "never", "late")
NEVER_S = 600.0
LOOK_S = 0.05


class Faults:
    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, body: Any) -> None:
        """{"method", "fault", "times"}; raises ValueError in words. "late" is for CreateSIPParticipant only."""
        method, fault = (body.get("method"), str(body.get("fault"))) if isinstance(body, dict) else (None, "")
        times = body.get("times", 1) if isinstance(body, dict) else 0
        if not isinstance(method, str) or not method:
            raise ValueError("method is the name of a Twirp method")
        if fault not in FAULTS or (fault == "late" and method != "CreateSIPParticipant"):
            raise ValueError(f"fault is one of {', '.join(FAULTS)}; late is for CreateSIPParticipant")
        if not isinstance(times, int) or not 0 <= times <= 1000:
            raise ValueError("times is 0 to 1000")
        self._waiting[method] = [fault] * times

    def next(self, method: str) -> str:
        """The fault of this request; empty if it has none."""
        waiting = self._waiting.get(method)
        return waiting.pop(0) if waiting else ""


async def until_given_up(request: web.Request, within_s: float = NEVER_S) -> None:
    """Until the client has closed its connection."""
    looks = int(within_s / LOOK_S)
    for _ in range(looks):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(LOOK_S)
