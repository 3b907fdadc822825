"""A real server and a real caller: its webhooks, or its listings alone, keep call, legs and rooms right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import rtc

from calls.effects import in_thread
from calls.models import Call, Leg, Room, WebhookDelivery
from calls.reconcile import Reconciler
from calls.states import CallState
from calls.telephony import tokens
from calls.telephony.livekit import LiveKitGateway
from tests import rows
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


async def until(look: Callable[[], Any], *, within_s: float = PATIENCE_S) -> Any:
    """What `look` finds in the database, as soon as it is something."""
    end = time.monotonic() + within_s
    while True:
        found = await in_thread(look)
        if found:
            return found
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.05)


@pytest.fixture
def server_with_webhooks(live_server: Any) -> Iterator[LiveKitServer]:
    server = LiveKitServer(webhook_url=f"{live_server.url}/webhooks/livekit")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def server_without_webhooks() -> Iterator[LiveKitServer]:
    server = LiveKitServer()
    try:
        yield server.start()
    finally:
        server.stop()


@asynccontextmanager
async def caller(server: LiveKitServer, department: str = "Billing") -> AsyncIterator[tuple[rtc.Room, str]]:
    mine = tokens.browser_caller(department=department)
    room = rtc.Room()
    await room.connect(server.url, mine.token)
    try:
        yield room, mine.room
    finally:
        await room.disconnect()


async def speak(room: rtc.Room) -> None:
    track = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48000, 1))
    await room.local_participant.publish_track(
        track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    )


def sources() -> list[str]:
    return [track["source"] for room in Room.objects.all() for one in room.participants for track in one["tracks"]]


async def test_webhooks_of_a_whole_call(server_with_webhooks: LiveKitServer) -> None:
    billing = await in_thread(rows.department, "Billing")
    async with caller(server_with_webhooks) as (room, name):
        call = await until(lambda: Call.objects.filter(caller_identity__startswith="caller-").first())
        assert (call.room_name, call.source, call.department_id) == (name, Call.Source.TEST, billing.pk)
        await speak(room)
        await until(lambda: sources() == ["microphone"])
    await until(lambda: Call.objects.filter(state=CallState.INACTIVE, end_reason="caller_left").exists())
    await until(lambda: Room.objects.filter(gone_at__isnull=False).exists(), within_s=15)
    assert await in_thread(Leg.objects.filter(left_at=None).count) == 0
    kinds = await in_thread(lambda: set(WebhookDelivery.objects.values_list("type", flat=True)))
    assert {"room_started", "participant_joined", "track_published", "participant_left", "room_finished"} <= kinds


async def test_listings_alone_see_the_call_and_a_restart_does_not_end_it(
    server_without_webhooks: LiveKitServer,
) -> None:
    gateway, reconciler = LiveKitGateway(server_without_webhooks.api_url, KEY, SECRET), Reconciler()
    try:
        async with caller(server_without_webhooks) as (room, name):
            await speak(room)
            for _ in range(100):  # a listing shows a track a moment after it is published
                await reconciler.run(gateway)
                if await in_thread(sources) == ["microphone"]:
                    break
                await asyncio.sleep(0.05)
            assert await in_thread(sources) == ["microphone"]
            await until(lambda: Call.objects.filter(room_name=name, state=CallState.ACTIVE).exists())
            first = await in_thread(Leg.objects.get)
            await asyncio.to_thread(server_without_webhooks.restart)
            await reconciler.run(gateway)  # no room at all: it is not believed
            assert (await in_thread(Call.objects.get)).state == CallState.ACTIVE
            await rejoined(reconciler, gateway, first)
            assert (await in_thread(Call.objects.get)).state == CallState.ACTIVE
    finally:
        await gateway.close()


async def rejoined(reconciler: Reconciler, gateway: LiveKitGateway, first: Leg) -> None:
    """The client comes back by itself, as a new participant of the same call."""
    for _ in range(150):
        await reconciler.run(gateway)
        legs = await in_thread(lambda: list(Leg.objects.order_by("pk")))
        if len(legs) == 2:
            assert (legs[0].pk, legs[0].leave_reason, legs[1].left_at) == (first.pk, "replaced", None)
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the caller did not come back")
