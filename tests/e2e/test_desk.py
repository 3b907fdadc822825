"""A manager without a telephone: takes a caller in the browser by one key, and they hear each other."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from config.launcher.demo import PASSWORD
from tests.browser import chromium, log_in
from tests.floor import SCRIPTED, Caller, Floor
from tests.product import Product, until
from tests.watching import loudness

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(240)]

MANAGER_HZ, CALLER_HZ = 1300.0, 700.0
RATE, SECONDS = 48_000, 10.0
HEARD = 60.0  # int16; far above what is there without the tone
PHASE_MS = 45_000.0
CHECKED = "localStorage.setItem('patchbay-desk-sound', JSON.stringify({ microphone: '', at: Date.now() }))"
# How much of the caller's tone is in what the page plays, in dB.
HEARS = """async (hz) => {
  const one = [...document.querySelectorAll('audio')].filter((audio) => audio.srcObject);
  if (!one.length) return -200;
  const context = (window.__ears ??= new AudioContext());
  const ears = context.createAnalyser();
  ears.fftSize = 8192;
  for (const audio of one) context.createMediaStreamSource(audio.srcObject).connect(ears);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const bins = new Float32Array(ears.frequencyBinCount);
  ears.getFloatFrequencyData(bins);
  const at = Math.round(hz / (context.sampleRate / ears.fftSize));
  return Math.max(...bins.slice(at - 1, at + 2));
}"""
AUDIBLE_DB = -65.0


@pytest.fixture(scope="module", params=["auto", "relay"])
def house(request: pytest.FixtureRequest) -> Iterator[Product]:
    env = SCRIPTED if request.param == "auto" else SCRIPTED | {"MERGE_STRATEGY": request.param}
    with Product("--demo", "--quiet", env=env) as running:
        yield running


@pytest.fixture
def floor(house: Product) -> Iterator[Floor]:
    made = Floor(house)
    made.everybody_is_free()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    tone = np.sin(2 * np.pi * MANAGER_HZ * np.arange(int(RATE * SECONDS)) / RATE)
    sound = Path(tmp_path_factory.mktemp("tone")) / "manager.wav"
    with wave.open(str(sound), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((tone * 8000).astype(np.int16).tobytes())
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
    )
    with chromium(*flags) as running:
        yield running


@pytest.fixture
def desk(browser: Browser, house: Product) -> Iterator[Page]:
    """Dana's, whose sound was checked in this browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["microphone"], origin=house.url)
    context.add_init_script(CHECKED)
    page = context.new_page()
    log_in(page, house.url, "dana", PASSWORD)
    page.goto(f"{house.url}/desk")
    expect(page.locator("#desk-sound-words")).to_contain_text("calls ring here")
    yield page
    context.close()


def reaches(page: Page, stage: str) -> None:
    expect(page.locator("#desk-now")).to_have_attribute("data-stage", stage, timeout=PHASE_MS)


def caller_hears_the_manager(caller: Caller) -> bool:
    assert caller.party
    ends = time.time() - 0.3
    return loudness(caller.party.recording.samples(ends - 0.5, ends), MANAGER_HZ) > HEARD


def talking(floor: Floor, desk: Page) -> Caller:
    """A caller whom Dana has taken by one key."""
    caller = floor.calls_in("Billing")
    assert caller.party
    caller.party.set_tone(CALLER_HZ)
    until(lambda: floor.records.one("SELECT 1 FROM transfers_opendesk WHERE microphone"), 20, "the desk is known")
    caller.asks()
    reaches(desk, "ringing")
    assert not caller_hears_the_manager(caller)
    desk.keyboard.press("a")
    reaches(desk, "talking")
    caller.is_with("manager")
    return caller


def test_a_manager_takes_a_caller_by_one_key_and_they_talk(floor: Floor, desk: Page, house: Product) -> None:
    caller = talking(floor, desk)
    relayed = house.env.get("MERGE_STRATEGY") == "relay"
    assert caller.of_attempt("strategy") == ("relay" if relayed else "rejoin")
    assert caller.dials() == []  # no telephone anywhere
    until(lambda: caller_hears_the_manager(caller), 20, "the caller hears the manager")
    until(lambda: desk.evaluate(HEARS, CALLER_HZ) > AUDIBLE_DB, 20, "the manager hears the caller")
    desk.locator(".desk-note textarea").fill("wants a refund")
    desk.locator("#desk-title").focus()
    desk.keyboard.press("b")
    caller.is_with("ai")
    until(lambda: not caller_hears_the_manager(caller), 10, "the caller hears the manager no more")
    reaches(desk, "after")
    expect(desk.locator("#desk-audio")).to_be_hidden()
    desk.keyboard.press("Enter")
    reaches(desk, "idle")
    assert caller.of_attempt("note") == "wants a refund"


def test_a_supervisor_s_hold_keeps_them_apart_until_resume(floor: Floor, desk: Page) -> None:
    caller = talking(floor, desk)
    until(lambda: caller_hears_the_manager(caller), 20, "the caller hears the manager")
    transfer = caller.of_transfer("id")
    floor.supervisor.post(f"transfers/{transfer}/hold")
    until(lambda: not caller_hears_the_manager(caller), 15, "they are apart")
    floor.supervisor.post(f"transfers/{transfer}/resume")
    until(lambda: caller_hears_the_manager(caller), 15, "they hear each other again")


def test_a_desk_that_vanishes_is_a_manager_who_hung_up(floor: Floor, desk: Page) -> None:
    caller = talking(floor, desk)
    desk.context.close()
    until(lambda: caller.with_whom != "manager", 40, "the caller is not left with nobody")
    until(lambda: caller.of_transfer("follows_id"), 20, "and is taken to somebody again")
