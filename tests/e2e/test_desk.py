"""A manager without a telephone: takes a caller in the browser by one key, and they hear each other."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from config.launcher.demo import PASSWORD
from tests.browser import AUDIBLE_DB, HEARS, chromium, log_in, with_a_voice
from tests.floor import Caller, Floor
from tests.product import Product, until
from tests.supervisors import TONES, InCall, hear, make_accounts, recorded
from tests.watching import loudness

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]
REJOINED: dict[str, str] = {}
RELAYED = {"MERGE_STRATEGY": "relay"}
either = pytest.mark.parametrize(
    "house", [REJOINED, RELAYED], ids=["rejoin", "relay"], indirect=True, scope="module"
)
rejoined = pytest.mark.parametrize("house", [REJOINED], ids=["rejoin"], indirect=True, scope="module")

MANAGER_HZ, CALLER_HZ = TONES["manager"], TONES["caller"]
LISTENER, *PEOPLE = NAMES = ("anna", "bo", "cora", "dirk", "edda")
HEARD = 60.0  # int16; far above what is there without the tone
PHASE_MS = 45_000.0
CHECKED = "localStorage.setItem('patchbay-desk-sound', JSON.stringify({ microphone: '', at: Date.now() }))"


@pytest.fixture(scope="module", autouse=True)
def accounts(house: Product) -> None:
    make_accounts(house, *NAMES)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(*with_a_voice(MANAGER_HZ, tmp_path_factory.mktemp("tone"))) as running:
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


def rings_at(desk: Page, floor: Floor) -> Caller:
    """A caller who is to talk to Dana."""
    caller = floor.calls_in("Billing")
    assert caller.party
    caller.party.set_tone(CALLER_HZ)
    until(lambda: floor.records.one("SELECT 1 FROM transfers_opendesk WHERE microphone"), 20, "the desk is known")
    caller.asks()
    reaches(desk, "ringing")
    return caller


def talking(floor: Floor, desk: Page) -> Caller:
    """A caller whom Dana has taken by one key."""
    caller = rings_at(desk, floor)
    assert not caller_hears_the_manager(caller)
    desk.keyboard.press("a")
    reaches(desk, "talking")
    caller.is_with("manager")
    return caller


@either
def test_a_manager_takes_a_caller_by_one_key_and_they_talk(floor: Floor, desk: Page, house: Product) -> None:
    caller = talking(floor, desk)
    assert caller.of_attempt("strategy") == house.env.get("MERGE_STRATEGY", "rejoin")
    assert caller.dials() == []  # no telephone anywhere
    until(lambda: caller_hears_the_manager(caller), 20, "the caller hears the manager")
    until(lambda: desk.evaluate(HEARS, CALLER_HZ) > AUDIBLE_DB, 20, "the manager hears the caller")
    # a supervisor holds them, and lets them go on
    transfer = caller.of_transfer("id")
    floor.supervisor.post(f"transfers/{transfer}/hold")
    until(lambda: not caller_hears_the_manager(caller), 15, "they are apart")
    floor.supervisor.post(f"transfers/{transfer}/resume")
    until(lambda: caller_hears_the_manager(caller), 15, "they hear each other again")
    # the manager gives the caller back, and finishes by one key
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


@rejoined
def test_who_hears_whom_when_a_browser_has_rejoined(
    floor: Floor, desk: Page, browser: Browser, house: Product
) -> None:
    """Everybody is in one room then, and a supervisor's page has followed there; a whisper is still for one."""
    caller = rings_at(desk, floor)
    page = listening_page(browser, house, caller)
    desk.keyboard.press("l")
    reaches(desk, "briefing")
    page.get_by_role("button", name="Listen to Dana").click()
    until(lambda: page.evaluate(HEARS, MANAGER_HZ) > AUDIBLE_DB, 20, "the supervisor hears the manager")
    assert page.evaluate(HEARS, CALLER_HZ) < AUDIBLE_DB
    desk.keyboard.press("a")
    caller.is_with("manager")
    until(lambda: page.evaluate(HEARS, CALLER_HZ) > AUDIBLE_DB, 20, "the supervisor has followed")
    expect(page.locator("#supervising [data-state]")).to_contain_text("Connected")
    party = caller.party
    assert party
    ways = {"listener": ("listen", "call"), "aside": ("listen", "consultation"), "barge": ("barge", "call")}
    ways |= {"whisper": ("whisper", "consultation")}
    there = {
        role: InCall(floor, name, caller, mode, side=side)
        for name, (role, (mode, side)) in zip(PEOPLE, ways.items(), strict=True)
    }
    all_but_the_whisper = {"caller", "manager", "barge"}
    hear(
        {"caller": lambda: recorded(party)} | {role: one.heard for role, one in there.items()},
        {
            "caller": {"manager", "barge"},
            "listener": all_but_the_whisper,
            "aside": all_but_the_whisper,
            "barge": {"caller", "manager"},
            "whisper": all_but_the_whisper,
        },
    )
    until(lambda: heard_on(page) == all_but_the_whisper, 30, "the supervisor's page hears all but the whisper")
    until(lambda: heard_on(desk) == {"caller", "barge", "whisper"}, 30, "the manager hears everybody else")
    for somebody in there.values():
        somebody.stops()
    page.context.close()


def listening_page(browser: Browser, house: Product, caller: Caller) -> Page:
    """A supervisor's, with this call open."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    log_in(page, house.url, LISTENER, PASSWORD)
    page.goto(f"{house.url}/calls/{caller.id}")
    return page


def heard_on(page: Page) -> set[str]:
    return {name for name, hz in TONES.items() if page.evaluate(HEARS, hz) > AUDIBLE_DB}


@rejoined
def test_a_desk_that_vanishes_is_a_manager_who_hung_up(floor: Floor, desk: Page) -> None:
    caller = talking(floor, desk)
    desk.context.close()
    until(lambda: caller.with_whom != "manager", 40, "the caller is not left with nobody")
    until(lambda: caller.of_transfer("follows_id"), 20, "and is taken to somebody again")
