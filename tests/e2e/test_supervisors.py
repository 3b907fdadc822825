"""Supervisors in real rooms: who hears whom by one tone a speaker, in a browser too; take over and give back,
whoever vanishes or dies meanwhile. Without speech."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from config.launcher.demo import PASSWORD
from tests.browser import AUDIBLE_DB, HEARS, chromium, log_in, with_a_voice
from tests.floor import DANA, Caller, Floor
from tests.product import Product, until
from tests.supervisors import (
    WHISPERS_HZ,
    InCall,
    beside_the_tones,
    hear,
    heard_by_phone,
    make_accounts,
    recorded,
    words_of_the_ai,
)
from transfers.rehearsal.sound import Recording
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ

# The manager's browser that rejoins is tested with the desk.
RELAYED = [{"MERGE_STRATEGY": "relay"}]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("house", RELAYED, ids=["relay"], indirect=True, scope="module"),
]

PEOPLE = ("anna", "bo", "cora", "dirk")
MUSIC = 0.004  # RMS of full scale; what a codec leaves of a tone that was taken out is less
MUSIC_S = 1.0
# From the key to the first sound that is played, in ms.
STOPWATCH = """() => {
  let pressed = 0;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, { capture: true, once: true });
  new MutationObserver((changes) => changes.flatMap((one) => [...one.addedNodes]).forEach((audio) =>
    audio.addEventListener('playing', () => { window.__tookMs ??= performance.now() - pressed; })))
    .observe(document.querySelector('[data-sound]'), { childList: true });
}"""


@pytest.fixture(scope="module", autouse=True)
def accounts(house: Product) -> None:
    make_accounts(house, *PEOPLE)


@pytest.fixture
def caller(floor: Floor) -> Caller:
    """Whose tone is on the line all the time."""
    made = floor.calls_in("Billing")
    assert made.party
    made.party.set_tone(CALLER_HZ, LEVEL)
    return made


@pytest.fixture
def enter(floor: Floor, caller: Caller) -> Iterator[Callable[..., InCall]]:
    there: list[InCall] = []

    def one(name: str, mode: str, side: str = "call") -> InCall:
        there.append(InCall(floor, name, caller, mode, side=side))
        return there[-1]

    yield one
    for somebody in there:
        somebody.vanishes()


def of_caller(caller: Caller) -> Callable[[], Recording]:
    assert caller.party
    return lambda: recorded(caller.party)  # type: ignore[arg-type]


def of_manager(caller: Caller) -> Callable[[], Recording]:
    return lambda: heard_by_phone(caller.floor, caller.dials()[-1]["id"])


def asks(caller: Caller, *, rings_s: float = 0.6) -> None:
    """Dana's phone has a tone of its own once it is picked up."""
    caller.floor.carrier.next_dial(DANA, scenario="silent", rings_s=rings_s, tone_hz=MANAGER_HZ)
    caller.asks()


def music(caller: Caller) -> float:
    """How loud it is at the caller's, in a second that begins now."""
    since = time.time()
    time.sleep(MUSIC_S + 0.2)
    return beside_the_tones(of_caller(caller)().part(since, since + MUSIC_S))


def test_every_cell_of_the_table(caller: Caller, enter: Callable[..., InCall]) -> None:
    # with the AI
    listens, barges = enter("anna", "listen"), enter("bo", "barge")
    ears = {"caller": of_caller(caller), "listener": listens.heard, "barge": barges.heard}
    hear(ears, {"caller": {"barge"}, "listener": {"caller", "barge"}, "barge": {"caller"}})
    # on hold: no music while somebody who has joined in is to be understood
    asks(caller, rings_s=14.0)
    until(lambda: caller.of_call("agent_state") == "holding", 20, "the line before the hold is spoken")
    hear(ears, {"caller": {"barge"}, "listener": {"caller", "barge"}, "barge": {"caller"}})
    assert music(caller) < MUSIC
    barges.stops()
    until(lambda: music(caller) > MUSIC, 8, "the music plays again")
    # the briefing
    caller.is_briefed()
    barges = enter("bo", "barge")
    aside, whispers = enter("cora", "listen", "consultation"), enter("dirk", "whisper", "consultation")
    ears |= {"barge": barges.heard, "manager": of_manager(caller), "aside": aside.heard, "whisper": whispers.heard}
    hear(
        ears,
        {
            "caller": {"barge"},
            "listener": {"caller", "barge"},
            "barge": {"caller"},
            "manager": {"whisper"},
            "aside": {"manager"},
            "whisper": {"manager"},
        },
    )
    # merged; the AI introduces them to both, and everybody in either room hears it
    caller.manager_takes_it()
    caller.is_with("manager")
    joined_at = caller.of_attempt("merged_at").timestamp()
    hear(
        ears,
        {
            "caller": {"manager", "barge"},
            "listener": {"caller", "manager", "barge"},
            "barge": {"caller", "manager"},
            "manager": {"caller", "barge", "whisper"},
            "aside": {"caller", "manager", "barge"},
            "whisper": {"caller", "manager", "barge"},
        },
    )
    introduced = {
        name for name, heard in ears.items() if words_of_the_ai(heard().part(joined_at, time.time())) > 1
    }
    assert introduced == set(ears)
    # taken over: whoever spoke is put out, whoever listens stays
    barges.stops()
    taker = enter("bo", "take_over")
    caller.is_with("supervisor")
    until(lambda: not whispers.is_there() and not aside.is_there(), 10, "nobody is with the manager any more")
    caller.nobody_rings()
    ears = {"caller": of_caller(caller), "listener": listens.heard, "taker": taker.heard}
    hear(ears, {"caller": {"barge"}, "listener": {"caller", "barge"}, "taker": {"caller"}})
    taker.stops()
    caller.is_with("ai")
    hear(ears, {"caller": set(), "listener": {"caller"}, "taker": set()})
    caller.is_over()


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def page(house: Product, caller: Caller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Anna's, with this call open; her microphone plays a whisper's tone."""
    with chromium(*with_a_voice(WHISPERS_HZ, tmp_path_factory.mktemp("tone"))) as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.grant_permissions(["microphone"], origin=house.url)
        made = context.new_page()
        errors: list[str] = []
        made.on("pageerror", lambda error: errors.append(str(error)))
        log_in(made, house.url, "anna", PASSWORD)
        made.goto(f"{house.url}/calls/{caller.id}")
        expect(made.locator("#link")).to_have_attribute("data-state", "live")
        yield made
        assert not errors


def hears(page: Page, hz: float, within_s: float = 30) -> None:
    until(lambda: page.evaluate(HEARS, hz) > AUDIBLE_DB, within_s, f"the page plays {hz:.0f} Hz")


def is_deaf_to(page: Page, hz: float) -> None:
    assert page.evaluate(HEARS, hz) < AUDIBLE_DB


def test_a_supervisor_s_browser_listens_whispers_takes_over_and_gives_back(
    page: Page, caller: Caller, record_property: Callable[[str, object], None]
) -> None:
    dock, heard_by = page.locator("#supervising"), page.locator("#supervising [data-heard]")
    now = page.get_by_label("Heard in the room")
    expect(now).to_have_text("Caller")  # before one listens
    expect(now.locator(".meter i")).not_to_have_attribute("style", "width: 0%")
    page.evaluate(STOPWATCH)
    page.keyboard.press("l")
    hears(page, CALLER_HZ)
    record_property("listen_to_sound_ms", page.evaluate("window.__tookMs"))
    expect(heard_by).to_have_text("Nobody hears you.")
    expect(dock.locator("[data-state]")).to_contain_text("Connected")
    expect(dock.get_by_label("In the room")).to_contain_text("Caller")
    # the manager's side, which becomes the caller's too
    asks(caller)
    caller.is_briefed()
    page.get_by_role("button", name="Listen to Dana").click()
    hears(page, MANAGER_HZ)
    is_deaf_to(page, CALLER_HZ)
    caller.manager_takes_it()
    caller.is_with("manager")
    hears(page, CALLER_HZ)
    # a whisper is for the manager alone
    page.get_by_role("button", name="Whisper to Dana").click()
    expect(heard_by).to_have_text("Only Dana hears you.")
    expect(dock.locator("[data-state]")).to_contain_text("Connected")
    ears = {"caller": of_caller(caller), "manager": of_manager(caller)}
    hear(ears, {"caller": {"manager"}, "manager": {"caller", "whisper"}})
    hears(page, CALLER_HZ)
    page.keyboard.press("m")
    expect(heard_by).to_have_text("You are muted: nobody hears you.")
    hear(ears, {"caller": {"manager"}, "manager": {"caller"}})
    # taken over, and given back
    page.keyboard.press("t")
    caller.is_with("supervisor")
    expect(heard_by).to_have_text("Only the caller hears you.")
    expect(dock.locator("[data-state]")).to_contain_text("Connected")
    hear({"caller": of_caller(caller)}, {"caller": {"whisper"}})
    hears(page, CALLER_HZ)
    page.keyboard.press("g")
    caller.is_with("ai")
    expect(dock).to_be_hidden()
    hear({"caller": of_caller(caller)}, {"caller": set()})
    caller.is_over()


def test_a_supervisor_rehearses_with_a_manager_on_their_own_phone(
    page: Page, caller: Caller, floor: Floor, house: Product
) -> None:
    caller.is_over()
    away = "UPDATE transfers_manager SET presence = 'away' WHERE name = 'Dana' RETURNING id"
    dana = floor.records.one(away)
    floor.carrier.next_dial(DANA, scenario="silent", rings_s=0.6, tone_hz=MANAGER_HZ)
    page.goto(f"{house.url}/managers/{dana}/rehearse")
    page.get_by_role("button", name="Call with the microphone").click()
    newest = "SELECT room_name FROM calls_call WHERE rehearsal ORDER BY started_at DESC LIMIT 1"
    until(lambda: floor.records.one(newest), 20, "the rehearsal has begun")
    lesson = Caller(floor, None, floor.records.one(newest))
    lesson.is_briefed()
    lesson.manager_presses("9")
    lesson.manager_takes_it()
    hears(page, MANAGER_HZ)
    hear({"manager": of_manager(lesson)}, {"manager": {"whisper"}})
    page.get_by_role("button", name="Hang up").click()
    lesson.is_over()
    assert (lesson.of_transfer("end_reason"), lesson.attempts()) == ("connected", 1)
    assert floor.records.one("SELECT presence FROM transfers_manager WHERE id = %s", dana) == "away"


# ── whoever vanishes or dies ─────────────────────────────────────────────────────────────────────


def test_a_supervisor_who_vanishes_gives_the_caller_back_and_the_ai_says_so(
    caller: Caller, enter: Callable[..., InCall]
) -> None:
    taker = enter("anna", "take_over")
    caller.is_with("supervisor")
    taker.vanishes()
    caller.is_with("ai", within_s=15)
    said = (
        "SELECT text FROM calls_utterance WHERE call_id = %s AND speaker = 'ai' ORDER BY started_at DESC LIMIT 1"
    )
    until(lambda: "was cut" in (caller.floor.records.one(said, caller.id) or ""), 15, "the AI says why it is back")
    caller.is_over()


def test_the_agents_die_while_a_supervisor_talks_and_are_there_when_the_caller_is_given_back(
    caller: Caller, enter: Callable[..., InCall]
) -> None:
    taker = enter("anna", "take_over")
    caller.is_with("supervisor")
    caller.floor.product.kill("agents")
    again = "SELECT count(*) FROM calls_agentjob WHERE call_id = %s AND role = 'support' AND closed_at IS NULL"
    dead = "SELECT count(*) FROM calls_agentjob WHERE call_id = %s AND role = 'support' AND closed_at IS NOT NULL"
    until(lambda: caller.floor.records.one(dead, caller.id) > 0, 20, "the loss is noticed")
    seen: list[str] = []

    def replaced() -> bool:
        seen.append(caller.with_whom)
        return bool(caller.floor.records.one(again, caller.id))

    until(replaced, 90, "another AI is there, and silent")
    assert set(seen) == {"supervisor"}
    taker.stops()
    caller.is_with("ai")
    caller.is_over(within_s=20)
