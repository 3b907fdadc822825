"""What tests see and hear of a room: its legs in order, a tone in a recording, and waiting for either."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import numpy as np
from livekit import api, rtc

from calls.telephony.simulator.recording import RATE
from tests.livekit import KEY, SECRET
from tests.patience import PATIENCE_S


async def until(condition: Callable[[], object | Awaitable[object]], within: float = PATIENCE_S) -> None:
    """Look until it holds; what it answers may be awaited."""
    async with asyncio.timeout(within):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.02)


async def watch(url: str, room: str) -> tuple[rtc.Room, list[str]]:
    """The room as another participant sees it, and what its legs do there in order."""
    seen: list[str] = []
    token = api.AccessToken(KEY, SECRET).with_identity("watcher")
    watcher = rtc.Room()

    def status(changed: dict[str, str], who: rtc.Participant) -> None:
        seen.extend(f"{name.removeprefix('sip.')}={value}" for name, value in changed.items() if "Status" in name)
        seen.extend(name.removeprefix("sip.") for name in changed if name in ("sip.callTag", "sip.callIDFull"))

    def joined(who: rtc.RemoteParticipant) -> None:
        seen.append(f"joined {who.attributes['sip.callStatus']}")

    watcher.on("participant_connected", joined)
    watcher.on("participant_attributes_changed", status)
    watcher.on("track_published", lambda publication, who: seen.append("track"))
    watcher.on("sip_dtmf_received", lambda key: seen.append(f"key {key.digit}"))
    watcher.on("participant_disconnected", lambda who: seen.append(f"left {who.disconnect_reason}"))
    await watcher.connect(url, token.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt())
    return watcher, seen


def loudness(samples: np.ndarray, hz: float, rate: int = RATE) -> float:
    """How much of one tone there is, as the amplitude of int16."""
    t = np.arange(len(samples)) / rate
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hz * t))))
