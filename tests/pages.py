"""The pages and states that are looked at: by axe in the tests, and by `make shots` as pictures.

A state is a name, an account and the way there, in a house of rows: no phones, no agents. A new page or dialog
gets its line here, and is then seen at every size and in both themes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, expect

from calls.models import AgentJob, AgentProfile, Department
from calls.roles import Role
from calls.services import supervision
from calls.states import CallerWith, SupervisionMode
from tests import rows
from tests.browser import PASSWORD, logged_in
from tests.people import account
from transfers.models import Attempt, Callback, Endpoint, Manager
from transfers.states import AttemptState, EndReason, TransferState

SIZES = {"wide": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
THEMES = ("dark", "light")


@dataclass(frozen=True)
class Stage:
    """A house on the console at `url`; `floor` is None in an empty one."""

    url: str
    floor: rows.Floor | None

    @property
    def full(self) -> rows.Floor:
        assert self.floor
        return self.floor


Way = Callable[[Page, Stage], object]


@dataclass(frozen=True)
class State:
    page: str
    state: str
    way: Way
    account: str = "priya"  # empty: nobody is logged in

    @property
    def name(self) -> str:
        return f"{self.page}-{self.state}"


@dataclass(frozen=True)
class Look:
    """A state as it stands in front of one now."""

    state: State
    size: str
    theme: str
    page: Page

    @property
    def name(self) -> str:
        return f"{self.state.name}-{self.size}-{self.theme}"


# ── the houses ───────────────────────────────────────────────────────────────────────────────────


def full_house(url: str) -> Stage:
    """Something in every state, and an account of every role."""
    floor = rows.floor()
    account(Role.SUPERVISOR, floor.billing, floor.claims, name="priya")
    account(Role.SUPERVISOR, name="newcomer")
    account(Role.AUDITOR, name="audrey")
    _desks(floor.claims)
    _listens(floor)
    User.objects.create_superuser("admin", password=PASSWORD)
    rows.callback(floor.returned.call, due_in_s=-600)
    rows.callback(floor.completed.call, due_in_s=3600)
    done = Callback.State.DONE, Callback.Result.REACHED
    rows.callback(floor.completed.call, due_in_s=-60, state=done[0], result=done[1], done_at=rows.ago(30))
    rows.phone_leg(floor.returned.call)
    _need_somebody(floor)
    return Stage(url, floor)


def _desks(claims: Department) -> None:
    """Dana is being briefed, Ines talks, Omar has a call to note, Karl is free, Lea away; Mara's desk rings."""
    mara = rows.manager("Mara", claims)
    Endpoint.objects.create(manager=mara, position=0, kind=Endpoint.Kind.BROWSER)
    held = rows.call(claims, "+12025558123", caller_with=CallerWith.HOLD)
    rows.say(held, "caller", "The assessor never came, and nobody told me why.", seconds=24)
    asked = rows.transfer(
        held,
        TransferState.CONNECTING,
        held_at=rows.ago(6),
        reason="waits for an assessor",
        briefing="An assessor was to come on Monday, and nobody came.",
    )
    rows.attempt(asked, mara, AttemptState.RINGING, seconds=5, desk=True, strategy="rejoin")
    for manager in Manager.objects.filter(name__in=("Dana", "Ines", "Omar", "Karl", "Lea", "Mara")):
        manager.user = account(Role.MANAGER, name=manager.name.lower())
        manager.save()


def _listens(floor: rows.Floor) -> None:
    omid = account(Role.SUPERVISOR, floor.billing, name="omid")
    call = floor.briefing.call
    supervision.start(call_id=call.pk, user=omid, mode=SupervisionMode.LISTEN, key=uuid4(), attempt_id=None)


def _need_somebody(floor: rows.Floor) -> None:
    """One call for each reason of `transfers/attention.py`."""
    gone = rows.agent(rows.call(floor.claims, "+12025557001", seconds=40))
    AgentJob.objects.filter(pk=gone.pk).update(closed_at=rows.ago(12))
    rows.call(floor.billing, "+12025557002", seconds=350, caller_with=CallerWith.HOLD, caller_since=rows.ago(310))
    rows.agent(rows.call(floor.claims, "+12025557003", seconds=300))
    rows.transfer(floor.returned.call, TransferState.FAILED, end_reason=EndReason.DECLINED, ended_at=rows.ago(5))


def empty_house(url: str) -> Stage:
    """As it is before the first call."""
    account(Role.SUPERVISOR, rows.department("Billing"), name="priya")
    return Stage(url, None)


# ── the ways ─────────────────────────────────────────────────────────────────────────────────────


def at(path: str) -> Way:
    return lambda page, stage: page.goto(f"{stage.url}{path}")


def call(which: str) -> Way:
    return lambda page, stage: page.goto(f"{stage.url}/calls/{getattr(stage.full, which).call_id}")


def transfer(which: str) -> Way:
    return lambda page, stage: page.goto(f"{stage.url}/transfers/{getattr(stage.full, which).pk}")


def panel(way: Way, button: str) -> Way:
    """What opens at the side when the button is pressed."""

    def show(page: Page, stage: Stage) -> None:
        way(page, stage)
        page.get_by_role("button", name=button).first.click()
        expect(page.locator("#panel[open]")).to_be_visible()

    return show


def beside(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    page.locator(f"#strip-{stage.full.briefing.call_id}").click()
    expect(page.locator("#beside h1")).to_be_visible()


def offline(page: Page, stage: Stage) -> None:
    page.route_web_socket("**/live", lambda socket: socket.close())  # `set_offline` leaves sockets alone
    page.goto(stage.url)
    expect(page.locator("#link")).to_have_attribute("data-state", "offline")


STAND_IN = """window.LivekitClient = {
  createLocalAudioTrack: async () => ({ isMuted: false, stop() {}, async mute() { this.isMuted = true; } }),
  RoomEvent: {}, DisconnectReason: {}, Track: { Kind: {}, Source: {} },
  Room: class {
    static getLocalDevices = async () => [];
    remoteParticipants = new Map([["caller-1", { audioLevel: 0.3 }]]);
    localParticipant = { audioLevel: 0.2, setTrackSubscriptionPermissions() {}, async publishTrack() {} };
    on() {} async connect() {} async startAudio() {} async switchActiveDevice() {} async disconnect() {}
  },
};"""


def supervising(button: str) -> Way:
    """In a call. There is no LiveKit here: what connects is a stand-in, without sound."""

    def show(page: Page, stage: Stage) -> None:
        page.route("**/livekit-client.umd.js", lambda route: route.fulfill(body=STAND_IN))
        call("briefing")(page, stage)
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#supervising")).to_contain_text("Connected")

    return show


def whispering(page: Page, stage: Stage) -> None:
    call("briefing")(page, stage)
    page.keyboard.press("w")
    expect(page.locator("#panel[open]")).to_be_visible()


def ringing(page: Page, stage: Stage) -> None:
    Attempt.objects.filter(state=AttemptState.RINGING).update(dialed_at=rows.ago(5))
    page.goto(f"{stage.url}/desk")
    expect(page.locator("#desk-now[data-stage=ringing]")).to_be_visible()


def profile(page: Page, stage: Stage) -> None:
    """Edited beside a past call."""
    newest = AgentProfile.objects.get(department=stage.full.billing)
    page.goto(f"{stage.url}/admin/calls/agentprofile/{newest.pk}/change/")
    page.get_by_label("How it would be briefed").select_option(index=1)
    expect(page.locator("#spoken-now")).to_be_visible()


def told_no(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/login")
    page.fill("#id_username", "priya")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".warn")).to_be_visible()


def menu(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    page.locator(".bar .menu summary").click()


def pressed(*keys: str) -> Way:
    """What opens by keys on the wallboard."""

    def show(page: Page, stage: Stage) -> None:
        page.goto(stage.url)
        expect(page.locator("#waiting [data-key]")).to_be_visible()
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()

    return show


def finding(page: Page, stage: Stage) -> None:
    pressed("Control+k")(page, stage)
    page.keyboard.type("0935")
    expect(page.locator("#palette-list [role=option]").first).to_contain_text("…0935")


def decided(page: Page, stage: Stage) -> None:
    """Not being asked about approvals any more."""
    page.goto(stage.url)
    page.get_by_role("button", name="Not now").click()


def with_calls_that_need_somebody(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    expect(page.locator(".watched").first).to_be_visible()


# ── the list ─────────────────────────────────────────────────────────────────────────────────────

board = at("/")

STATES: Sequence[State] = (
    State("login", "empty", at("/login"), account=""),
    State("login", "wrong", told_no, account=""),
    State("wallboard", "busy", board),
    State("wallboard", "beside", beside),
    State("wallboard", "offline", offline),
    State("wallboard", "needs", with_calls_that_need_somebody),
    State("wallboard", "filtered", at("/?department=0&sort=newest")),
    State("wallboard", "no-match", at("/?q=nothing-like-this")),
    State("wallboard", "oldest", pressed("n")),
    State("wallboard", "keys", pressed("?")),
    State("wallboard", "palette", pressed("Control+k")),
    State("wallboard", "found", finding),
    State("wallboard", "told", decided),
    State("wallboard", "menu", menu),
    State("wallboard", "manager", board, account="dana"),
    State("wallboard", "auditor", board, account="audrey"),
    State("wallboard", "no-department", board, account="newcomer"),
    State("wallboard", "presence", panel(board, "change whether they are called")),
    State("wallboard", "ranking", panel(board, "Who would be called now")),
    State("wallboard", "edit", panel(board, "Edit")),
    State("wallboard", "decline", panel(board, "Decline")),
    State("call", "approval", call("waiting")),
    State("call", "briefing", call("briefing")),
    State("call", "merged", call("merged")),
    State("call", "returned", call("returned")),
    State("call", "ended", call("completed")),
    State("call", "auditor", call("briefing"), account="audrey"),
    State("call", "escalate", panel(call("returned"), "Escalate")),
    State("call", "cold", panel(call("returned"), "Cold transfer")),
    State("call", "end", panel(call("returned"), "End")),
    State("call", "whisper", whispering),
    State("call", "listening", supervising("Listen")),
    State("call", "taken-over", supervising("Take over")),
    State("desk", "quiet", at("/desk"), account="karl"),
    State("desk", "away", at("/desk"), account="lea"),
    State("desk", "ringing", ringing, account="mara"),
    State("desk", "declining", panel(ringing, "Decline"), account="mara"),
    State("desk", "redirecting", panel(ringing, "Redirect"), account="mara"),
    State("desk", "briefing", at("/desk"), account="dana"),
    State("desk", "talking", at("/desk"), account="ines"),
    State("desk", "note", at("/desk"), account="omar"),
    State("desk", "leaving", panel(at("/desk"), "Away"), account="karl"),
    State("desk", "sound-check", panel(at("/desk"), "Check my audio"), account="mara"),
    State("desk", "none", at("/desk"), account="priya"),
    State("transfer", "open", transfer("briefing")),
    State("transfer", "completed", transfer("completed")),
    State("transfer", "failed", transfer("returned")),
    State("callbacks", "waiting", at("/callbacks")),
    State("callbacks", "result", panel(at("/callbacks"), "Result")),
    State("history", "newest", at("/history")),
    State("history", "no-match", at("/history?caller=0000")),
    State("rooms", "some", at("/rooms")),
    State("status", "ill", at("/status")),
    State("audit", "never", at("/audit"), account="audrey"),
    State("test-call", "before", at("/test-call")),
    State("forbidden", "role", at("/rooms"), account="dana"),
    State("gone", "page", at("/nothing-here")),
    State("reports", "none", at("/reports")),
    State("admin", "index", at("/admin/"), account="admin"),
    State("admin", "week", at("/admin/transfers/manager/week/"), account="admin"),
    State("admin", "import", at("/admin/transfers/manager/import/"), account="admin"),
    State("admin", "profile", profile, account="admin"),
)

EMPTY: Sequence[State] = (
    State("wallboard", "calm", board),
    State("callbacks", "empty", at("/callbacks")),
    State("history", "empty", at("/history")),
    State("rooms", "empty", at("/rooms")),
)

House = Callable[[str], Stage]
HOUSES: Sequence[tuple[House, Sequence[State]]] = ((full_house, STATES), (empty_house, EMPTY))


def looks(browser: Browser, stage: Stage, states: Sequence[State]) -> Iterator[Look]:
    """Each state once at every size and in both themes; loaded once, then turned about."""
    people = _People(browser, stage)
    for state in states:
        context = people.context(state.account)
        page = context.new_page()
        try:
            state.way(page, stage)
            page.evaluate("document.fonts.ready")
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                for theme in THEMES:
                    page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
                    yield Look(state, size, theme, page)
        finally:
            page.close()
    people.leave()


@dataclass
class _People:
    """One browser context for each account, logged in once."""

    browser: Browser
    stage: Stage
    known: dict[str, BrowserContext] = field(default_factory=dict)

    def context(self, name: str) -> BrowserContext:
        if name not in self.known:
            self.known[name] = self._enter(name)
        return self.known[name]

    def _enter(self, name: str) -> BrowserContext:
        if not name:
            return self.browser.new_context(reduced_motion="reduce")
        user = User.objects.get(username=name)
        return logged_in(self.browser, self.stage.url, user, reduced_motion="reduce")

    def leave(self) -> None:
        for context in self.known.values():
            context.close()
