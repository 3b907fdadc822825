"""What adds up from many rows is told in turn, and nobody's turn waits for somebody else's rest."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest

from calls.live import summaries, views
from calls.live.summaries import Place, Summaries
from calls.live.views import Admission, View
from tests.patience import PATIENCE_S

BUSY, QUIET = ("board", "", "busy"), ("board", "", "quiet")


def nothing(*asked: object) -> Admission | None:
    return None


async def test_a_lens_is_told_at_once_while_another_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    board = View(admit=nothing, render=views.each(lambda *frame: ()), summary=lambda id, lens: f"<p>{lens}</p>")
    monkeypatch.setattr(views, "_views", {"board": board})
    monkeypatch.setattr(summaries, "EVERY_SECONDS", 10 * PATIENCE_S)
    told: asyncio.Queue[tuple[Place, str]] = asyncio.Queue()
    of_pages = Summaries(lambda place, text: told.put_nowait((place, json.loads(text)["html"])))
    running = asyncio.create_task(of_pages.run())
    try:
        of_pages.changed(BUSY)
        assert await asyncio.wait_for(told.get(), PATIENCE_S) == (BUSY, "<p>busy</p>")
        of_pages.changed(BUSY)  # not again for a long time
        for _ in range(3):
            await asyncio.sleep(0)  # it rests by now
        of_pages.changed(QUIET)
        assert await asyncio.wait_for(told.get(), PATIENCE_S) == (QUIET, "<p>quiet</p>")
        assert told.empty()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
