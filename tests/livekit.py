"""A real livekit-server for tests: throwaway, on loopback, with a Valkey of its own for trunks and rules."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from config.launcher import livekit_build, servers, state
from config.launcher.children import Child
from config.launcher.commands import Command

START_SECONDS = 20.0
KEY = "APItest"
SECRET = "test-secret-of-at-least-32-characters"


class LiveKitServer:
    """From `start` to `stop`. `webhook_url` may name a server that is not up yet: LiveKit tries again."""

    def __init__(self, *, webhook_url: str = "http://127.0.0.1:1/") -> None:
        self.webhook_url = webhook_url
        self.state = Path(tempfile.mkdtemp(prefix="patchbay-livekit-"))
        self.children: list[Child] = []
        self.port = self.valkey_port = 0
        self.valkey_password = secrets.token_hex(8)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What settings and agents read of it."""
        return {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_URL": self.api_url,
            "LIVEKIT_API_KEY": KEY,
            "LIVEKIT_API_SECRET": SECRET,
        }

    def start(self) -> LiveKitServer:
        (self.state / "logs").mkdir()
        taken: set[int] = set()
        ports = {}
        for name in ("valkey", "http", "tcp", "udp"):
            ports[name] = state.any_port(taken, udp=name == "udp")
            taken.add(ports[name])
        self.port, self.valkey_port, password = ports["http"], ports["valkey"], self.valkey_password
        binary = livekit_build.find_or_build(print, lambda: None)
        settings = servers.LiveKitSettings(
            http=self.port,
            tcp=ports["tcp"],
            udp=ports["udp"],
            key=KEY,
            secret=SECRET,
            webhook_url=self.webhook_url,
            valkey_port=ports["valkey"],
            valkey_password=password,
        )
        valkey = servers.valkey("valkey", self.state, port=ports["valkey"], password=password, append_only=False)
        self._start_child(valkey)
        wait_for(lambda: _listens(ports["valkey"]), "the Valkey of livekit-server")
        self._start_child(servers.livekit(binary, self.state, settings))
        wait_for(self._answers, "livekit-server")
        return self

    def restart(self) -> None:
        """Killed and started again at the same address: it forgets every room; trunks and rules stay."""
        server = self.children[-1]
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: server.ended is not None, "the end of livekit-server")
        server.start()
        wait_for(self._answers, "livekit-server, again")

    def stop(self) -> None:
        for child in reversed(self.children):
            child.terminate()
            child.finish(5)
        self.children.clear()
        shutil.rmtree(self.state, ignore_errors=True)

    def _start_child(self, command: Command) -> None:
        child = Child(command, logs=self.state / "logs", env=dict(os.environ))
        child.start()
        self.children.append(child)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.api_url, timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def wait_for(condition: Callable[[], bool], what: str, *, within: float = START_SECONDS) -> None:
    """Look every 20 ms until `condition` holds; fails with `what` when it does not in time."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {within:g} s")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
