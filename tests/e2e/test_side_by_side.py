"""LiveKit Agents' own WarmTransferTask and ours, on a self-hosted server: what the caller hears after Accept.

LiveKit's moves the manager's leg, which this server cannot: the music goes on and nobody comes. Ours joins them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from livekit import api

from calls.telephony.simulator.party import Party
from tests.agent_process import agent_process
from tests.floor import DANA, Floor, enter
from tests.product import Product, until
from transfers.rehearsal.sound import RATE, Recording
from transfers.rehearsal.tones import MANAGER_HZ, begins, presence

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

AGENT = Path(__file__).with_name("side_by_side_agent.py")
LISTENS_S = 8.0
AUDIBLE = 200  # int16


@pytest.fixture(scope="module")
def house(product: Product) -> Product:
    """With speech: LiveKit's task hears whether the manager accepts."""
    return product


@contextmanager
def caller_of(floor: Floor, agent: str, metadata: dict[str, str]) -> Iterator[Party]:
    """Somebody who calls this agent; its room is the console's, if the metadata says so."""
    settings = floor.product.settings
    token = (
        api.AccessToken(settings["LIVEKIT_API_KEY"], settings["LIVEKIT_API_SECRET"])
        .with_identity("caller-side")
        .with_grants(api.VideoGrants(room_join=True, room=f"call-{agent}-{time.time_ns()}"))
        .with_room_config(
            api.RoomConfiguration(
                metadata=json.dumps(metadata),
                agents=[api.RoomAgentDispatch(agent_name=agent)],
                departure_timeout=3,
            )
        )
    )
    party = floor.loop.do(enter(settings["LIVEKIT_URL"], token.to_jwt()))
    try:
        yield party
    finally:
        floor.loop.do(party.leave())


def answers(floor: Floor, since: float) -> str:
    """Dana picks up; the id of her call."""
    until(lambda: any(dial["answered_at"] for dial in floor.carrier.dials(since)), 60, "a manager picks up")
    return str(floor.carrier.dials(since)[-1]["id"])


def heard(party: Party, since: float) -> Recording:
    """What the caller heard in the next seconds."""
    until(lambda: time.time() > since + LISTENS_S, LISTENS_S + 5, "that much time has passed")
    return Recording(party.recording.samples(since, since + LISTENS_S), since)


def trunk(floor: Floor) -> str:
    return str(floor.records.one("SELECT trunk_id FROM transfers_trunk WHERE is_default"))


def environment(floor: Floor, task: str) -> dict[str, str]:
    api_url = floor.product.settings["LIVEKIT_API_URL"]
    return {
        "TASK": task,
        "SUPERVISOR": DANA,
        "TRUNK": trunk(floor),
        "NUMBER": "+12025550199",
        "LIVEKIT_API_URL": api_url,
    }


def test_livekit_s_own_task_leaves_the_caller_with_the_music(floor: Floor) -> None:
    since = time.time()
    floor.carrier.next_dial(DANA, scenario="silent", rings_s=0.3, tone_hz=MANAGER_HZ)
    with (
        agent_process(floor.product, AGENT, **environment(floor, "stock")) as log,
        caller_of(floor, "stock", {}) as caller,
    ):
        dial = answers(floor, since)
        floor.carrier.say(dial, "Hello. Yes, put them through, please.")
        until(lambda: "moving human-agent-sip" in log.read_text(), 40, "the task moves the manager")
        after = heard(caller, time.time())
        floor.carrier.hang_up_phone(dial)
    assert presence(after, MANAGER_HZ).share == 0, "nobody comes"
    blocks = abs(after.samples[: len(after.samples) // RATE * RATE].astype(int)).reshape(-1, RATE)
    assert (blocks.max(axis=1) > AUDIBLE).all(), "the music goes on"


def test_ours_joins_them(floor: Floor) -> None:
    since = time.time()
    floor.carrier.next_dial(DANA, scenario="silent", rings_s=0.3, tone_hz=MANAGER_HZ)
    ours = {"patchbay": floor.product.settings["PATCHBAY_INSTALLATION"], "kind": "call", "source": "test"}
    ours["department"] = "Claims"  # whose transfers nobody has to approve
    with (
        agent_process(floor.product, AGENT, **environment(floor, "ours")),
        caller_of(floor, "ours", ours) as caller,
    ):
        dial = answers(floor, since)
        merged = "SELECT count(*) FROM transfers_transfer WHERE merged_at > to_timestamp(%s)"

        def accepted() -> bool:
            floor.carrier.press(dial, "1")
            return bool(floor.records.one(merged, since))

        until(accepted, 40, "she presses 1 and they are joined")
        after = heard(caller, time.time())
    start = begins(after, MANAGER_HZ)  # a line takes its time to open, on a busy machine above all
    assert start is not None, "the manager is there"
    since_then = Recording(after.samples[int((start - after.began) * RATE) :], start)
    assert presence(since_then, MANAGER_HZ).share > 0.5
