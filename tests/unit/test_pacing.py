"""A stream waits for its reader: Twisted's own request, on a transport that is as slow as the test wants."""

from __future__ import annotations

import asyncio
from functools import partial

from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel, Request

from calls.pacing import paced


class Kept(Request):
    newest: Request

    def process(self) -> None:
        Kept.newest = self


async def reply(request: Request, message: dict) -> None:
    """As Daphne does."""
    request.write(message["body"])
    if not message.get("more_body"):
        request.finish()


async def test_the_next_piece_waits_until_the_reader_has_caught_up() -> None:
    transport, channel = StringTransport(), HTTPChannel()
    channel.requestFactory = Kept
    channel.makeConnection(transport)
    channel.dataReceived(b"GET / HTTP/1.1\r\nHost: patchbay\r\n\r\n")
    send = paced(partial(reply, Kept.newest))
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    transport.producer.pauseProducing()  # what Twisted's transport does when its buffer is full
    second = asyncio.ensure_future(send({"type": "http.response.body", "body": b"second", "more_body": True}))
    await asyncio.sleep(0)
    assert not second.done()
    transport.producer.resumeProducing()
    await second
    await send({"type": "http.response.body", "body": b"third"})
    assert [part for part in (b"first", b"second", b"third") if part not in transport.value()] == []


async def test_another_servers_send_is_left_alone() -> None:
    async def send(message: object) -> None:
        raise AssertionError(message)

    assert paced(send) is send
