"""The real PostgreSQL and Valkey that every test runs on: throwaway, on this machine, stopped at the end."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import psycopg
import redis

from config.launcher import postgres, servers, state
from config.launcher.children import Child

START_SECONDS = 60.0


class Servers:
    """Both servers, from `start` to `stop`; `environment` is what the settings read.

    `kept` is a folder whose database is to stay.
    """

    def __init__(self, *, kept: Path | None = None) -> None:
        self.kept = kept is not None
        self.state = kept or Path(tempfile.mkdtemp(prefix="patchbay-tests-"))
        self.state.chmod(0o711)  # as root, PostgreSQL's account has to get to its data
        self.port = state.any_port(set())
        self.password = secrets.token_hex(8)
        self.children: list[Child] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PATCHBAY_STATE": str(self.state),
            "PATCHBAY_INSTALLATION": "test",
            "PATCHBAY_SECRET_KEY": "for-tests-only-" + "x" * 40,
            "PATCHBAY_DEMO": "1",
            "DATABASE_URL": postgres.database_url(self.state, "postgres"),
            "VALKEY_URL": f"redis://:{self.password}@127.0.0.1:{self.port}/0",
            "LIVEKIT_URL": "ws://127.0.0.1:1",  # nothing: a test that needs a LiveKit starts one
            "LIVEKIT_API_URL": "http://127.0.0.1:1",
            "LIVEKIT_API_KEY": "APItest",
            "LIVEKIT_API_SECRET": "test-secret-of-at-least-32-characters",
            "CARRIER_URL": "",
            "PATCHBAY_CONSOLE_URL": "http://127.0.0.1:1",
        }

    def start(self) -> None:
        (self.state / "logs").mkdir(exist_ok=self.kept)
        valkey = servers.valkey("valkey", self.state, port=self.port, password=self.password, append_only=False)
        buffers_mb = postgres.buffers_for_years() if self.kept else None
        for command in (postgres.command(self.state, durable=False, buffers_mb=buffers_mb), valkey):
            child = Child(command, logs=self.state / "logs", env=dict(os.environ))
            child.start()
            self.children.append(child)
        self._wait()

    def _wait(self) -> None:
        client = redis.Redis.from_url(self.environment["VALKEY_URL"])
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.environment["DATABASE_URL"], connect_timeout=2).close()
                client.ping()
                return
            except (psycopg.OperationalError, redis.ConnectionError) as error:
                if time.monotonic() > until:
                    raise RuntimeError(f"the tests' servers did not start: {error}") from error
                time.sleep(0.05)
            finally:
                client.close()

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.finish(10)
        if not self.kept:
            shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(postgres.socket_dir(self.state), ignore_errors=True)
