"""Brings everything up in order, says what it does, keeps it up, and takes it down."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from config import env as environment
from config.launcher import embedded, livekit_build, state
from config.launcher.children import Family
from config.launcher.embedded import Command

STOP_SECONDS = 9.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEMO_PASSWORD = "patchbay-demo"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="with demo data, simulated phones and callers")
    parser.add_argument("--quiet", action="store_true", help="without the simulated calls of the demo")
    parser.add_argument("--throwaway", action="store_true", help="databases need not survive a power cut (tests)")
    launcher = Launcher(parser.parse_args(arguments))
    try:
        return launcher.run()
    finally:
        launcher.stop()


class Launcher:
    """One installation, from its state directory."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.quiet = options.quiet or environment.flag("QUIET")
        self.state = environment.state_dir()
        self.lock = state.lock(self.state)
        self.started = time.monotonic()
        self.stopping = threading.Event()
        self.env = dict(os.environ)
        self.family = Family(self.state / "logs", self._note_processes)
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: self.stopping.set())

    # ── up ───────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> int:
        self._refuse_foreign_livekit()
        port = state.web_port(self.state, self.env.get("PORT", ""))
        kept = state.installation(self.state)
        self._environment(kept, port)
        for step in (self._databases, self._media, self._prepare, self._services):
            step(kept, port)
            if self.stopping.is_set():
                return 1
        self._announce(port)
        while not self.stopping.wait(0.5):
            pass
        return 0

    def _refuse_foreign_livekit(self) -> None:
        url = self.env.get("LIVEKIT_URL", "")
        host = urlsplit(url).hostname or ""
        if self.options.demo and url and host not in LOOPBACK and self.env.get("YES") != "1":
            raise SystemExit(
                f"Patchbay: LIVEKIT_URL is {host}, not this machine, and the demo places calls there. "
                "Unset it, use `make start`, or say `YES=1 make demo` if that is what you want."
            )

    def _environment(self, kept: dict, port: int) -> None:  # type: ignore[type-arg]
        ports = kept["ports"]
        e = self.env
        e["PATCHBAY_STATE"] = str(self.state.resolve())
        e.setdefault("PATCHBAY_INSTALLATION", kept["installation"])
        e.setdefault("PATCHBAY_SECRET_KEY", kept["secret_key"])
        e.setdefault("DATABASE_URL", embedded.database_url(self.state))
        e.setdefault("VALKEY_URL", f"redis://127.0.0.1:{ports['valkey']}/0")
        e.setdefault("LIVEKIT_API_KEY", kept["livekit_key"])
        e.setdefault("LIVEKIT_API_SECRET", kept["livekit_secret"])
        self.own_livekit = "LIVEKIT_URL" not in e
        if self.own_livekit:
            e["LIVEKIT_URL"] = f"ws://127.0.0.1:{ports['livekit']}"
        if self.options.demo:
            e["PATCHBAY_DEMO"] = "1"
            e["CARRIER_PORT"], e["CARRIER_TOKEN"] = str(ports["carrier"]), kept["carrier_token"]
            e["CARRIER_URL"] = e["LIVEKIT_API_URL"] = f"http://127.0.0.1:{ports['carrier']}"
        e["PORT"] = str(port)
        e.setdefault("PATCHBAY_CONSOLE_URL", f"http://127.0.0.1:{port}")
        e["PYTHONUNBUFFERED"] = "1"
        names = [n for n in sorted(e) if n.startswith(("PATCHBAY_", "LIVEKIT_", "CARRIER_"))]
        names += ["DATABASE_URL", "VALKEY_URL", "PORT"]
        lines = [f"{name}={e[name]}" for name in names]
        state.write_private(self.state / "environment", "\n".join(lines) + "\n")

    def _databases(self, kept: dict, port: int) -> None:  # type: ignore[type-arg]
        if self.env["DATABASE_URL"] == embedded.database_url(self.state):
            say("Starting PostgreSQL …")
            self._start(embedded.postgres(self.state, durable=not self.options.throwaway))
            self._until("PostgreSQL", self._postgres_answers, 60)
        if self.env["VALKEY_URL"].endswith(f":{kept['ports']['valkey']}/0"):
            say("Starting Valkey …")
            self._start(
                embedded.valkey("valkey", self.state / "valkey", kept["ports"]["valkey"], append_only=False)
            )

    def _media(self, kept: dict, port: int) -> None:  # type: ignore[type-arg]
        ports = kept["ports"]
        if self.own_livekit:
            binary = livekit_build.find_or_build(say)
            say("Starting livekit-server …")
            directory = self.state / "livekit-valkey"
            self._start(embedded.valkey("livekit-valkey", directory, ports["livekit_valkey"], append_only=True))
            self._until("LiveKit's Valkey", lambda: not state.free(ports["livekit_valkey"]), 20)
            self._start(
                embedded.livekit(
                    binary,
                    self.state,
                    ports=embedded.LiveKitPorts(ports["livekit"], ports["livekit_tcp"], ports["livekit_udp"]),
                    valkey_port=ports["livekit_valkey"],
                    key=kept["livekit_key"],
                    secret=kept["livekit_secret"],
                    webhook_url=f"http://127.0.0.1:{port}/webhooks/livekit",
                )
            )
            self._until("livekit-server", lambda: _answers(f"http://127.0.0.1:{ports['livekit']}/"), 30)
        if self.options.demo:
            say("Starting the carrier simulator …")
            self._start(Command("carrier", (sys.executable, "-m", "calls.telephony.simulator")))
            self._until("the carrier simulator", lambda: _answers(f"{self.env['CARRIER_URL']}/carrier/health"), 60)

    def _prepare(self, kept: dict, port: int) -> None:  # type: ignore[type-arg]
        say("Preparing the database …")
        self._manage("migrate", "--verbosity", "0")
        if self.options.demo:
            self._manage("seed_demo")
        else:
            self._manage("first_start")

    def _services(self, kept: dict, port: int) -> None:  # type: ignore[type-arg]
        say("Starting the console, the worker, two clocks and the agents …")
        python = sys.executable
        daphne = (python, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--proxy-headers")
        self._start(Command("web", (*daphne, "config.asgi:application")))
        celery = (python, "-m", "celery", "-A", "config.celery", "worker", "--pool", "threads")
        flags = ("--concurrency", "8", "--queues", "control,default", "--loglevel", "warning")
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        self._start(Command("worker", (*celery, *flags, *quiet)))
        for name in ("clock-1", "clock-2"):
            self._start(Command(name, (python, "manage.py", "clock")))
        self._start(Command("agents", (python, "-m", "config.agents")))
        self._until("the console", lambda: _answers(f"http://127.0.0.1:{port}/healthz"), 60)
        self._until("the agents", self._agents_registered, 120)
        if self.options.demo and not self.quiet:
            self._start(Command("demo-calls", (python, "manage.py", "demo_calls")))

    def _agents_registered(self) -> bool:
        log = self.state / "logs" / "agents.log"
        return log.exists() and "registered worker" in log.read_text(errors="replace")

    def _start(self, command: Command) -> None:
        log = self.state / "logs" / f"{command.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        self.family.start(command, self.env)

    def _manage(self, *arguments: str) -> None:
        """Run a management command to its end, in the terminal."""
        done = subprocess.run([sys.executable, "manage.py", *arguments], env=self.env, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)

    def _postgres_answers(self) -> bool:
        import psycopg

        url = embedded.database_url(self.state, "postgres")
        try:
            with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [embedded.PG_DATABASE]
                ).fetchone()
                if not known:
                    connection.execute(f"CREATE DATABASE {embedded.PG_DATABASE}")
            return True
        except psycopg.Error:
            return False

    def _until(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for a part to answer; say so while it takes long, and what to look at if it never does."""
        began, said = time.monotonic(), 0.0
        while not ready():
            waited = time.monotonic() - began
            if self.stopping.wait(0.1):
                raise SystemExit(1)
            if waited > seconds:
                raise SystemExit(
                    f"Patchbay: {what} did not come up in {seconds:.0f} s. Its log is in {self.state / 'logs'}."
                )
            if waited - said > 5:
                said = waited
                say(f"  still waiting for {what} ({waited:.0f} s) …")

    def _announce(self, port: int) -> None:
        say(f"\nPatchbay is up after {time.monotonic() - self.started:.0f} s:  http://127.0.0.1:{port}/\n")
        if self.options.demo:
            say("  Log in as      with password")
            for name, role in (
                ("priya", "supervisor of Billing and Claims"),
                ("dana", "manager"),
                ("audra", "auditor"),
                ("admin", "administrator"),
            ):
                say(f"  {name:<14} {DEMO_PASSWORD}   ({role})")
        say("\nCtrl-C stops everything.")

    def _note_processes(self) -> None:
        """Where everything is, for `doctor`, `rehearse` and tests."""
        known = {c.command.name: {"pid": c.pid, "restarts": c.restarts} for c in self.family.children}
        path = self.state / "processes.json"
        temporary = Path(f"{path}.new")
        temporary.write_text(json.dumps({"launcher": os.getpid(), "processes": known}, indent=1))
        os.replace(temporary, path)

    # ── down ─────────────────────────────────────────────────────────────────────────────────────

    def stop(self) -> None:
        if self.family.children:
            say("\nStopping …")
        began = time.monotonic()
        self.family.stop(STOP_SECONDS)
        if self.family.children:
            say(f"Stopped after {time.monotonic() - began:.1f} s.")
        os.close(self.lock)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
