"""The live socket: who may connect, what they hear, and what happens when frames are lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from calls import presence
from calls.live import publish, views
from calls.live.consumers import FOREIGN, LOGGED_OUT, LiveConsumer
from calls.live.frames import Frame
from calls.live.hub import hub
from calls.models import Call, Membership, OpenPage, Room
from calls.roles import Role
from calls.services.calls import end_call, touched
from tests import rows
from tests.patience import PATIENCE_S
from tests.people import account
from transfers import board_summary, services
from transfers.access import lens_of
from transfers.live import partial_pieces
from transfers.models import Transfer
from transfers.writing import touched as transfer_touched

pytestmark = pytest.mark.django_db(transaction=True)


class Browser:
    """A socket of one account."""

    def __init__(self, user: Any, *, origin: bytes = b"http://testserver") -> None:
        self.link = WebsocketCommunicator(
            LiveConsumer.as_asgi(), "/live", headers=[(b"origin", origin), (b"host", b"testserver")]
        )
        self.link.scope["user"] = user

    async def __aenter__(self) -> Browser:
        await self.link.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.link.disconnect()

    async def subscribe(self, *views: tuple[str, str]) -> None:
        wanted = [{"view": view, "id": id} for view, id in views]
        await self.link.send_json_to({"type": "subscribe", "views": wanted})

    async def until(self, kind: str, seconds: float = PATIENCE_S, **fields: Any) -> dict[str, Any]:
        """The next message of a kind; others are passed over."""
        async with asyncio.timeout(seconds):
            while True:
                message = json.loads(await self.link.receive_from(timeout=seconds))
                if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                    return message

    async def silent_about(self, text: str, seconds: float = 0.6) -> None:
        """Nothing with these words comes while a frame that all see goes through."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    assert text not in await self.link.receive_from(timeout=seconds)
        except TimeoutError:
            return


@pytest.fixture
async def running_hub(monkeypatch):
    monkeypatch.setattr("calls.live.consumers.own", lambda role: None)  # no heartbeat thread beyond the test
    publish._resting_until = 0.0
    yield hub
    await hub.stop()


@sync_to_async
def floor_and(role: Role | None, *where: str, name: str = "someone"):
    floor = rows.floor()
    user = account(role, *[getattr(floor, department) for department in where], name=name)
    return floor, user


@sync_to_async
def touch(call: Call) -> None:
    with transaction.atomic():
        touched(call)


async def ready(browser: Browser, *views: tuple[str, str]) -> None:
    await browser.subscribe(*views)
    await browser.until("position")
    await hub.ready()


async def closed_with(browser: Browser) -> int:
    await browser.link.connect()
    while True:
        message = await browser.link.receive_output(timeout=PATIENCE_S)
        if message["type"] == "websocket.close":
            return int(message["code"])


async def test_a_stranger_and_a_foreign_page_are_closed(running_hub):
    assert await closed_with(Browser(AnonymousUser())) == LOGGED_OUT
    user = await sync_to_async(account)(Role.SUPERVISOR)
    assert await closed_with(Browser(user, origin=b"http://evil.example")) == FOREIGN


async def test_a_page_that_shows_nothing_live_is_told_how_the_house_is(running_hub, monkeypatch):
    """And so is one whose subscription takes its time: it connected before the house fell ill."""
    said = ""
    monkeypatch.setattr("calls.live.hub.health.banner", lambda: said)
    monkeypatch.setattr("calls.live.hub.BANNER_SECONDS", 0.02)
    async with Browser(await sync_to_async(account)(Role.SUPERVISOR)) as browser:
        await browser.until("banner", html="")
        said = "<p>The worker is gone.</p>"
        await browser.until("banner", html=said)


async def test_a_change_reaches_the_wallboard_rendered_with_its_version(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    async with Browser(user) as browser:
        await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        message = await browser.until("pieces", audience=f"d:{floor.billing.pk}")
        piece = message["pieces"][0]
        assert piece["target"] == f"strip-{floor.waiting.call_id}"
        assert "…4417" in piece["html"]
        assert piece["version"] >= floor.waiting.call.version
        assert "2025554417" not in piece["html"]


async def test_what_adds_up_is_made_once_for_all_who_see_the_same(running_hub, monkeypatch):
    """And told to each of them; to others as they see it; and again only after the next change."""
    floor, priya = await floor_and(Role.SUPERVISOR, "billing", name="priya")
    pat = await sync_to_async(account)(Role.SUPERVISOR, floor.billing, name="pat")
    carl = await sync_to_async(account)(Role.SUPERVISOR, floor.claims, name="carl")
    made, html = [], board_summary.html
    monkeypatch.setattr("transfers.board_summary.html", lambda lens: (made.append(lens), html(lens))[1])
    monkeypatch.setattr("calls.live.summaries.EVERY_SECONDS", 0.2)
    async with Browser(priya) as first, Browser(pat) as second, Browser(carl) as other:
        for browser in (first, second, other):
            await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        told = [(await browser.until("summary"))["html"] for browser in (first, second)]
        assert told[0] == told[1]
        assert all(f'id="{part}"' in told[0] for part in ("kpis", "watched", "managers"))
        assert len(made) == 1
        await touch(floor.merged.call)  # of Claims
        assert "Claims" in (await other.until("summary"))["html"]
        await touch(floor.waiting.call)
        await first.until("summary")
    assert [lens.scope.departments for lens in made] == [
        frozenset({floor.billing.pk}),
        frozenset({floor.claims.pk}),
        frozenset({floor.billing.pk}),
    ]


async def test_a_page_whose_figures_cannot_be_made_fetches_itself(running_hub, monkeypatch):
    floor, priya = await floor_and(Role.SUPERVISOR, "billing")

    def broken(lens: Any) -> str:
        raise LookupError("no figures")

    monkeypatch.setattr("transfers.board_summary.html", broken)
    async with Browser(priya) as browser:
        await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        await browser.until("pieces", audience=f"d:{floor.billing.pk}")
        await browser.until("resync")
        monkeypatch.undo()
        monkeypatch.setattr("calls.live.consumers.own", lambda role: None)
        await touch(floor.waiting.call)
        await browser.until("summary")


async def gone(browser: Browser, target: str) -> None:
    """A piece that takes this away."""
    while True:
        message = await browser.until("pieces")
        if any(piece["target"] == target and not piece["html"] for piece in message["pieces"]):
            return


async def test_a_call_that_was_transferred_here_goes_when_it_ends(running_hub):
    """Its own department is another: what changes of it later is told there, and here all the same."""
    floor, _ = await floor_and(Role.SUPERVISOR, "billing")
    carl = await sync_to_async(account)(Role.SUPERVISOR, floor.claims, name="carl")
    back = floor.returned

    @sync_to_async
    def transferred() -> None:
        Transfer.objects.filter(pk=back.pk).update(department=floor.claims)
        Call.objects.filter(pk=back.call_id).update(department=floor.billing)

    await transferred()
    async with Browser(carl) as browser:
        await ready(browser, ("wallboard", ""))
        call = await Call.objects.aget(pk=back.call_id)
        await sync_to_async(end_call)(call, reason="caller_left")
        await gone(browser, f"strip-{call.pk}")


async def test_a_request_that_somebody_else_is_to_take_leaves_their_board(running_hub):
    floor, priya = await floor_and(Role.SUPERVISOR, "billing")
    carl = await sync_to_async(account)(Role.SUPERVISOR, floor.claims, name="carl")
    await Transfer.objects.filter(pk=floor.waiting.pk).aupdate(department=floor.claims)
    async with Browser(carl) as browser:
        await ready(browser, ("wallboard", ""))
        await sync_to_async(services.choose)(transfer_id=floor.waiting.pk, user=priya, department=floor.billing)
        await gone(browser, f"need-{floor.waiting.pk}")


async def test_a_request_that_is_decided_leaves_needs_you(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    async with Browser(user) as browser:
        await ready(browser, ("wallboard", ""))

        @sync_to_async
        def decide() -> None:
            with transaction.atomic():
                floor.waiting.approved = True
                floor.waiting.save()
                transfer_touched(floor.waiting)

        await decide()
        while True:
            message = await browser.until("pieces")
            gone = [p for p in message["pieces"] if p["target"] == f"need-{floor.waiting.pk}"]
            if gone:
                assert gone[0]["html"] == ""
                break


async def test_another_department_hears_nothing(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "claims")
    async with Browser(user) as browser:
        await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        await browser.silent_about(str(floor.waiting.call_id))


@pytest.mark.parametrize(
    ("role", "where", "admitted"),
    [
        (Role.SUPERVISOR, ("billing",), True),
        (Role.SUPERVISOR, ("claims",), False),
        (Role.AUDITOR, (), True),
        (Role.ADMINISTRATOR, (), True),
        (Role.MANAGER, (), False),
        (None, (), False),
    ],
)
async def test_a_call_is_heard_by_those_who_may_see_it(running_hub, role, where, admitted):
    floor, user = await floor_and(role, *where)
    async with Browser(user) as browser:
        await browser.subscribe(("call", str(floor.waiting.call_id)))
        await browser.until("position" if admitted else "refused")


async def test_words_come_to_the_calls_page_in_order_and_not_to_the_wallboard(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    call = floor.waiting.call
    async with Browser(user) as page, Browser(user) as board:
        await ready(board, ("wallboard", ""))
        await ready(page, ("call", str(call.pk)))
        await board.until("pieces")  # that somebody looks at the call

        @sync_to_async
        def speak() -> None:
            row = rows.say(call, "caller", "the blue envelope", seconds=0)
            publish.changed("utterance", str(row.pk), 1, department_id=call.department_id, call_id=str(call.pk))

        await speak()
        while True:
            piece = (await page.until("pieces"))["pieces"][0]
            if piece["list"] == f"talk-{call.pk}":  # who looks at the page is told, too
                break
        assert "the blue envelope" in piece["html"]
        await board.silent_about("the blue envelope")


async def test_a_gap_and_a_new_epoch_ask_pages_to_fetch_themselves(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    audience = f"d:{floor.billing.pk}"
    frame = {"kind": "call", "id": str(floor.waiting.call_id), "version": 1, "call_id": str(floor.waiting.call_id)}

    def envelope(epoch: str, seq: int) -> bytes:
        return json.dumps({"audience": audience, "epoch": epoch, "seq": seq, "frame": frame}).encode()

    async with Browser(user) as browser:
        await ready(browser, ("wallboard", ""))
        hub.heard(envelope("one", 4))
        hub.heard(envelope("one", 5))
        await browser.until("pieces", seq=5)
        hub.heard(envelope("one", 8))
        await browser.until("resync")
        await browser.until("pieces", seq=8)
        hub.heard(envelope("two", 1))
        await browser.until("resync")


async def test_a_lost_membership_ends_what_was_heard(running_hub):
    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    async with Browser(user) as browser:
        await ready(browser, ("call", str(floor.waiting.call_id)))
        await sync_to_async(Membership.objects.all().delete)()
        subscriber = next(iter(hub._everyone()))
        consumer = subscriber.send.__self__  # type: ignore[attr-defined]

        async def same_user(scope: object) -> object:
            return await sync_to_async(type(user).objects.get)(pk=user.pk)

        import calls.live.consumers as module

        before, module.get_user = module.get_user, same_user
        try:
            await consumer.check_rights()
        finally:
            module.get_user = before
        await browser.until("refused")
        assert not hub._everyone()


async def test_one_rendering_serves_everyone_with_the_same_lens(running_hub, monkeypatch):
    from calls.live import views

    floor, user = await floor_and(Role.SUPERVISOR, "billing")
    view, renderings = views.view("wallboard"), []

    def counted(frames, id, lens):
        renderings.extend(frame.id for frame in frames)
        return view.render(frames, id, lens)

    monkeypatch.setitem(views._views, "wallboard", views.View(view.admit, counted))
    async with Browser(user) as one, Browser(user) as two, Browser(user) as three:
        for browser in (one, two, three):
            await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        for browser in (one, two, three):
            await browser.until("pieces")
    assert len(renderings) == 1


@pytest.mark.parametrize("name", ["wallboard", "rooms"])
def test_what_changes_at_once_is_read_together(name):
    from calls.live import views

    floor = rows.floor()
    held = [floor.waiting, floor.briefing, floor.returned]
    there = [
        Room.objects.create(name=f"room-{nth}", call=one.call, seen_at=rows.ago(1)) for nth, one in enumerate(held)
    ]
    changed = {
        "wallboard": [_frame("transfer", one.pk, one.call_id) for one in held],
        "rooms": [_frame("room", room.pk) for room in there],
    }[name]
    view = views.view(name)
    admitted = view.admit(account(Role.SUPERVISOR, floor.billing, floor.claims), "")
    view.render(changed, "", admitted.lens)
    alone = [_places(view.render([frame], "", admitted.lens)[0]) for frame in changed]
    with CaptureQueriesContext(connection) as once:
        view.render(changed[:1], "", admitted.lens)
    with CaptureQueriesContext(connection) as together:
        rendered = view.render(changed, "", admitted.lens)
    assert list(map(_places, rendered)) == alone
    assert len(together) == len(once) > 0
    assert all(pieces[0].html for pieces in rendered)


def _places(pieces):
    return [(piece.target, piece.version) for piece in pieces]


def _frame(kind, id, call_id=None):
    return Frame(kind=kind, id=str(id), version=1, call_id=str(call_id) if call_id else None)


def test_words_of_a_turn_that_is_not_over_are_for_who_may_read_transcripts():
    frame = Frame(kind="partial", id="caller:", version=1, call_id=str(uuid4()), words="could you")
    (piece,) = partial_pieces(frame, lens_of(account(Role.SUPERVISOR)))
    assert "could you …" in piece.html
    assert partial_pieces(frame, lens_of(account(None))) == []


async def test_a_browser_that_does_not_keep_up_starts_again():
    from calls.live.consumers import MAX_WAITING

    consumer = LiveConsumer()
    for n in range(MAX_WAITING + 1):
        consumer.put(str(n))
    assert json.loads(consumer.outbox.get_nowait()) == {"type": "resync"}
    assert consumer.outbox.empty()


async def test_what_changes_while_the_hub_rests_is_rendered_together(running_hub, monkeypatch):
    floor, priya = await floor_and(Role.SUPERVISOR, "billing")
    rested, woken, all_heard, batches = asyncio.Event(), asyncio.Event(), asyncio.Event(), []
    board, heard = views.view("wallboard"), running_hub.heard

    async def rest(took: float) -> None:
        rested.set()
        await woken.wait()

    def hears(data: bytes) -> None:
        heard(data)
        if running_hub._queue.qsize() == 3:
            all_heard.set()

    def render(frames: Any, id: str, lens: Any) -> Any:
        batches.append(len(frames))
        return board.render(frames, id, lens)

    monkeypatch.setattr("calls.live.hub.rest", rest)
    monkeypatch.setattr("calls.live.hub.views.view", lambda name: views.View(board.admit, render))
    async with Browser(priya) as browser:
        await ready(browser, ("wallboard", ""))
        await touch(floor.waiting.call)
        await browser.until("pieces")
        async with asyncio.timeout(PATIENCE_S):
            await rested.wait()
        monkeypatch.setattr(running_hub, "heard", hears)
        for call in (floor.waiting.call, floor.briefing.call, floor.returned.call):
            await touch(call)
        async with asyncio.timeout(PATIENCE_S):
            await all_heard.wait()
        woken.set()
        for _ in range(3):
            await browser.until("pieces")
    assert batches == [1, 3]


async def test_the_hub_stops_at_whatever_moment():
    for steps in range(60):
        hub.start()
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await hub.stop()


async def test_an_unreadable_frame_closes_the_socket(running_hub):
    user = await sync_to_async(account)(Role.SUPERVISOR)
    async with Browser(user) as browser:
        await browser.link.send_to(text_data='{"type": "subscribe", "views": "all of them"}')
        while (message := await browser.link.receive_output(timeout=PATIENCE_S))["type"] != "websocket.close":
            pass
        assert message["code"] == 4400


async def test_a_page_that_is_open_is_known_in_the_database(running_hub, monkeypatch):
    _, user = await floor_and(Role.SUPERVISOR, "billing")
    written, loop, real = asyncio.Event(), asyncio.get_running_loop(), presence.page_open

    def page_open(*arguments: Any) -> None:
        real(*arguments)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(presence, "page_open", page_open)
    async with Browser(user) as browser:
        await ready(browser, ("wallboard", ""))
        await written.wait()
        assert await sync_to_async(OpenPage.objects.get)(user=user)


async def test_a_row_says_who_has_it_open_and_when_they_have_gone(running_hub):
    floor, priya = await floor_and(Role.SUPERVISOR, "billing", name="priya")
    sam = await sync_to_async(account)(Role.SUPERVISOR, floor.billing, name="sam")
    waiting = floor.waiting
    async with Browser(priya) as watching:
        await ready(watching, ("wallboard", ""))
        async with Browser(sam) as looking:
            await looking.subscribe(("call", str(waiting.call_id)))
            shown = await the_need(watching, waiting.pk, "sam has this open")
            assert "priya" not in shown
        await the_need(watching, waiting.pk, "needs approval", without="sam has")


async def the_need(browser: Browser, transfer_id: Any, words: str, without: str = "\0") -> str:
    """The card of a request as soon as it says so."""
    while True:
        message = await browser.until("pieces")
        for piece in message["pieces"]:
            if (
                piece["target"] == f"need-{transfer_id}"
                and words in piece["html"]
                and without not in piece["html"]
            ):
                return str(piece["html"])
