"""The browser's socket: a session, the same origin, and only what its account may see."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from channels.auth import get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser
from django.db import Error
from pydantic import ValidationError
from uuid6 import uuid7

from calls import presence
from calls.access import Account
from calls.effects import in_thread
from calls.live import views
from calls.live.frames import Beat, Refused, Resync, Wanted, subscribe_frame
from calls.live.hub import Subscriber, hub
from calls.models import OwnerRole
from calls.owners import own

logger = logging.getLogger(__name__)

LOGGED_OUT, FOREIGN, MALFORMED = 4401, 4403, 4400
BEAT_SECONDS = 2.0
CHECK_EVERY = 5  # beats: rights are read again
MAX_WAITING = 500  # messages; a browser that is slower than that fetches a snapshot instead


class LiveConsumer(AsyncWebsocketConsumer):
    """Fans out what the hub renders. One sender task keeps the order and a bound."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subscribers: list[Subscriber] = []
        self.wanted: tuple[Wanted, ...] = ()
        self.outbox: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self.tasks: list[asyncio.Task[None]] = []
        self.page_id = uuid7()
        self.shown: UUID | None = None
        self.told: set[str] = set()  # the views that know of this page
        self.looked = asyncio.Event()

    async def connect(self) -> None:
        await self.accept()  # so that the browser learns the reason from the code
        if not self._same_origin():
            await self.close(code=FOREIGN)
            return
        if not self._user().is_authenticated:
            await self.close(code=LOGGED_OUT)
            return
        await in_thread(own, OwnerRole.WEB)
        hub.start()
        hub.enter(self.put)
        self.tasks = [asyncio.create_task(part()) for part in (self._send_all, self._beat, self._be_present)]

    def _user(self) -> Account:
        return self.scope["user"] or AnonymousUser()  # type: ignore[return-value]

    def _same_origin(self) -> bool:
        headers = dict(self.scope["headers"])
        origin = headers.get(b"origin")
        return origin is None or urlsplit(origin.decode()).netloc == headers.get(b"host", b"").decode()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            frame = subscribe_frame.validate_json(text_data or b"")
        except ValidationError:
            await self.close(code=MALFORMED)
            return
        self.wanted = frame.views
        await self._subscribe(self._user())

    async def _subscribe(self, user: Account) -> None:
        fresh = []
        for wanted in self.wanted:
            view = views.view(wanted.view)
            admission = await in_thread(view.admit, user, wanted.id) if view else None
            if admission is None:
                self.put(Refused(view=wanted.view, id=wanted.id).model_dump_json())
                continue
            fresh.append(Subscriber(wanted.view, wanted.id, admission.lens, admission.audiences, self.put))
        old, self.subscribers = self.subscribers, fresh
        for subscriber in old:
            hub.remove(subscriber)
        for subscriber in fresh:
            await hub.add(subscriber)
        if self._call_shown() != self.shown or self.told or any(_wants_to_know(s.view) for s in fresh):
            self.looked.set()

    def put(self, text: str) -> None:
        """Queue a message; a browser that does not keep up starts again from a snapshot."""
        if self.outbox.full():
            while not self.outbox.empty():
                self.outbox.get_nowait()
            text = Resync().model_dump_json()
        self.outbox.put_nowait(text)

    async def _send_all(self) -> None:
        while True:
            await self.send(text_data=await self.outbox.get())

    async def _beat(self) -> None:
        beats = 0
        while True:
            self.put(Beat(now=round(time.time() * 1000)).model_dump_json())
            await asyncio.sleep(BEAT_SECONDS)
            beats += 1
            if beats % CHECK_EVERY == 0:
                await self.check_rights()

    async def _be_present(self) -> None:
        """A request that waits for a supervisor knows by this that there is one."""
        while True:
            self.looked.clear()
            user_id, shown = self._user().pk, self._call_shown()
            try:
                if user_id is not None:
                    await in_thread(presence.page_open, self.page_id, user_id, shown)
                    await self._looks_at(shown)
                    await self._tell_views()
            except Error as error:
                logger.warning("a page's presence was not written", extra={"error": type(error).__name__})
            with suppress(TimeoutError):
                async with asyncio.timeout(presence.RENEW_SECONDS):
                    await self.looked.wait()

    def _call_shown(self) -> UUID | None:
        """The call whose page this is, or which is open beside the list."""
        return next((UUID(s.id) for s in self.subscribers if s.view == "call"), None)

    async def _looks_at(self, shown: UUID | None) -> None:
        """Tell the others who look at the same call, when that changes."""
        before, self.shown = self.shown, shown
        for call_id in {before, shown} - {None} if before != shown else ():
            await in_thread(presence.told, call_id)

    async def _tell_views(self) -> None:
        """A view may want to know who has it open, and when that is over."""
        user, wanted = self._user(), {s.view: s.id for s in self.subscribers if _wants_to_know(s.view)}
        for name in self.told - wanted.keys():
            await self._untell(name)
        for name, id in wanted.items():
            view = views.view(name)
            if view and view.here:
                self.told.add(name)
                await in_thread(view.here, self.page_id, user, id)

    async def _untell(self, name: str) -> None:
        self.told.discard(name)
        view = views.view(name)
        if view and view.gone:
            await in_thread(view.gone, self.page_id)

    async def check_rights(self) -> None:
        """Log-out, a lost role or another department end what was subscribed with them."""
        user = cast(Account, await get_user(self.scope))
        if not user.is_authenticated:
            await self.close(code=LOGGED_OUT)
            return
        self.scope["user"] = user  # type: ignore[typeddict-item]
        before = {(s.view, s.id, s.lens, s.audiences) for s in self.subscribers}
        now = set()
        for wanted in self.wanted:
            view = views.view(wanted.view)
            admission = await in_thread(view.admit, user, wanted.id) if view else None
            if admission:
                now.add((wanted.view, wanted.id, admission.lens, admission.audiences))
        if now != before:
            await self._subscribe(user)
            self.put(Resync().model_dump_json())

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        hub.leave(self.put)
        for subscriber in self.subscribers:
            hub.remove(subscriber)
        with suppress(Error):
            await in_thread(presence.page_closed, self.page_id)
            for name in tuple(self.told):
                await self._untell(name)
            if self.shown:
                await in_thread(presence.told, self.shown)


def _wants_to_know(name: str) -> bool:
    view = views.view(name)
    return view is not None and view.here is not None
