"""Somebody's server that webhooks are sent to: it verifies, goes away, answers badly, comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import standardwebhooks.webhooks as standard
from standardwebhooks import Webhook

from config.launcher.state import any_port


class Receiver:
    """`got` are the verified messages by their `webhook-id`, each time they came; `refused` are not ours."""

    def __init__(self) -> None:
        self.port = any_port(set())
        self.url = f"http://127.0.0.1:{self.port}/hooks"
        self.secret = ""
        self.answers = 200
        self.headers: dict[str, str] = {}
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.asked = 0
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.takes(dict(self.headers), body))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def takes(self, headers: dict[str, str], body: bytes) -> int:
        """What it answers. While it is ill it looks at nothing."""
        self.asked += 1
        if self.answers != 200:
            return self.answers
        try:
            said = Webhook(self.secret).verify(body, headers)
        except standard.WebhookVerificationError as error:
            self.refused.append(str(error))
            return 401
        self.got.append(({name.lower(): value for name, value in headers.items()}["webhook-id"], said))
        return 200

    @property
    def ids(self) -> set[str]:
        return {one for one, _ in self.got}

    @property
    def types(self) -> list[str]:
        return [said["type"] for _, said in self.got]

    def stop(self) -> None:
        """From now on connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def clock_of_receivers(monkeypatch: Any, source: Callable[[], datetime]) -> None:
    """The library judges a message's age by the machine's clock: give it the test's."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return source().astimezone(tz)

    monkeypatch.setattr(standard, "datetime", Clock)
