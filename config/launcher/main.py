"""Brings everything up in order, says what it does, keeps it up, and takes it down."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qs, urlsplit

from config import env as settings_env
from config.launcher import answers, commands, demo, environment, livekit_build, postgres, servers, state
from config.launcher.children import Family

STOP_SECONDS = 9.0
LOOK_SECONDS = 0.05
FOREIGN_SECONDS = 8.0


class Stopped(Exception):
    """Somebody asked for the end while things were still coming up."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="with demo data, simulated phones and callers")
    parser.add_argument("--quiet", action="store_true", help="without the simulated calls of the demo")
    parser.add_argument("--throwaway", action="store_true", help="data need not survive a power cut (tests)")
    options = parser.parse_args(arguments)
    if options.demo:
        environment.refuse_foreign_livekit(os.environ)
    directory = settings_env.state_dir()
    with state.locked(directory):
        launcher = Launcher(options, directory)
        try:
            launcher.up()
            launcher.watch()
        except Stopped:
            pass
        finally:
            launcher.down()
    return 0


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


class Launcher:
    """One installation, from its state directory."""

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self.options = options
        self.state = directory
        self.began = time.monotonic()
        self.stopping = False
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._stop_soon)
        port = state.web_port(directory, os.environ.get("PORT", ""))
        self.kept = state.installation(directory)
        self.plan = environment.plan(os.environ, demo=options.demo, state=directory, kept=self.kept, port=port)
        self.family = Family(directory / "logs", cwd=settings_env.ROOT, changed=self._note_processes, say=say)

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    # ── up ───────────────────────────────────────────────────────────────────────────────────────

    def up(self) -> None:
        state.write_private(self.state / "environment", self.plan.saved)
        binary = livekit_build.find_or_build(say, self._breathe) if self.plan.own_livekit else None
        self._start_databases()
        if binary:
            self._start_livekit(binary)
        say("Starting the agents, and preparing the database meanwhile …")
        self._start_agents()
        self._prepare_database()
        self._start_programs()
        self._announce()

    def _start_databases(self) -> None:
        own = [
            name
            for name, ours in (("PostgreSQL", self.plan.own_postgres), ("Valkey", self.plan.own_valkey))
            if ours
        ]
        if own:
            say(f"Starting {' and '.join(own)} …")
        if self.plan.own_postgres:
            small = self.options.throwaway or self.plan.demo
            buffers_mb = None if small else postgres.buffers_for_years()
            self._start(postgres.command(self.state, durable=not self.options.throwaway, buffers_mb=buffers_mb))
        if self.plan.own_valkey:
            self._start_valkey("valkey", append_only=False)
        if self.plan.own_livekit:
            self._start_valkey("livekit-valkey", append_only=True)
        database, valkey = self.plan.env["DATABASE_URL"], self.plan.env["VALKEY_URL"]
        answers_database = partial(answers.database, database, create=self.plan.own_postgres)
        if self.plan.own_postgres:
            self._until("PostgreSQL", answers_database, 60)
        else:
            self._until_foreign("PostgreSQL", "DATABASE_URL", answers_database)
        if self.plan.own_valkey:
            self._until("Valkey", partial(answers.valkey, valkey), 20)
        else:
            self._until_foreign("Valkey", "VALKEY_URL", partial(answers.valkey, valkey))
        if not self.plan.own_livekit:
            address = self.plan.env["LIVEKIT_URL"].replace("ws", "http", 1)
            self._until_foreign("LiveKit", "LIVEKIT_URL", partial(answers.http, address))

    def _start_valkey(self, name: str, *, append_only: bool) -> None:
        port, password = self.kept["ports"][name.replace("-", "_")], self.kept["valkey_password"]
        self._start(servers.valkey(name, self.state, port=port, password=password, append_only=append_only))

    def _start_livekit(self, binary: Path) -> None:
        say("Starting livekit-server …")
        ports, password = self.kept["ports"], self.kept["valkey_password"]
        own_valkey = f"redis://:{password}@127.0.0.1:{ports['livekit_valkey']}/0"
        self._until("LiveKit's Valkey", partial(answers.valkey, own_valkey), 20)
        settings = servers.LiveKitSettings(
            http=ports["livekit"],
            tcp=ports["livekit_tcp"],
            udp=ports["livekit_udp"],
            key=self.plan.env["LIVEKIT_API_KEY"],
            secret=self.plan.env["LIVEKIT_API_SECRET"],
            webhook_url=f"{self.plan.url}/webhooks/livekit",
            valkey_port=ports["livekit_valkey"],
            valkey_password=password,
        )
        self._start(servers.livekit(binary, self.state, settings))
        self._until("livekit-server", partial(answers.http, f"http://127.0.0.1:{settings.http}/"), 30)

    def _start_agents(self) -> None:
        """And the phones: neither knows the database, and the agents take longest."""
        if self.plan.demo:
            self._start(commands.carrier())
        self._agents_note.unlink(missing_ok=True)  # of an earlier start
        self._start(commands.agents())

    @property
    def _agents_note(self) -> Path:
        return self.state / "agents.json"

    def _prepare_database(self) -> None:
        self._manage("prepare", *(["--demo"] if self.plan.demo else []))

    def _start_programs(self) -> None:
        say("Starting the console, the worker and two clocks …")
        for command in commands.programs(self.plan.port):
            self._start(command)
        if self.plan.demo:
            self._until("the carrier simulator", partial(answers.http, f"{self.plan.env['CARRIER_URL']}/"), 60)
        self._until("the console", partial(answers.console, self.plan.url, self.plan.env["PATCHBAY_BOOT"]), 60)
        self._until("the agents", partial(answers.agents, self._agents_note), 120)
        if self.plan.demo and not (self.options.quiet or settings_env.flag("QUIET")):
            self._start(commands.manage("demo-calls", "demo_calls"))

    def _start(self, command: commands.Command) -> None:
        self.family.start(command, self.plan.env)

    def _manage(self, *arguments: str) -> None:
        """Run a management command to its end, in this terminal."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], env=self.plan.env, cwd=settings_env.ROOT
        )
        while process.poll() is None:
            try:
                self._breathe()
            except Stopped:
                process.terminate()
                process.wait()
                raise
        if process.returncode:
            raise SystemExit(process.returncode)

    def _breathe(self) -> None:
        """What every wait does: restart who died, and end if asked to."""
        if self.stopping:
            raise Stopped
        self.family.tend()
        time.sleep(LOOK_SECONDS)

    def _until_foreign(self, what: str, setting: str, ready: Callable[[], bool]) -> None:
        """Somebody else's server is there or it is not: what it says is in its own log."""
        parts = urlsplit(self.plan.env[setting])
        where = parts.hostname or parse_qs(parts.query).get("host", ["?"])[0]
        told = f"{what} at {where}{f':{parts.port}' if parts.port else ''} does not answer. Check {setting}."
        self._until(what, ready, FOREIGN_SECONDS, otherwise=told)

    def _until(self, what: str, ready: Callable[[], bool], seconds: float, *, otherwise: str = "") -> None:
        """Wait for a part to answer; say so while it takes long, and where to look if it never does."""
        began, said = time.monotonic(), 0.0
        while not ready():
            self._breathe()
            waited = time.monotonic() - began
            if waited > seconds:
                slow = f"{what} did not come up in {seconds:.0f} s. The logs are in {self.state / 'logs'}."
                raise SystemExit(f"Patchbay: {otherwise or slow}")
            if waited - said > 5:
                said = waited
                say(f"  still waiting for {what} ({waited:.0f} s) …")

    def _announce(self) -> None:
        say(f"\nPatchbay is up after {time.monotonic() - self.began:.0f} s:  {self.plan.url}/\n")
        if self.plan.demo:
            say(f"  log in as  password {demo.PASSWORD}")
            for name, role in demo.USERS.items():
                say(f"  {name:<10} {role}")
            say("")
        if not self.plan.own_livekit:
            say(f"LiveKit's webhooks have to go to {self.plan.url}/webhooks/livekit (or its public address).")
        say("Ctrl-C stops everything.")

    def _note_processes(self) -> None:
        """Where everything is, for `doctor`, `rehearse` and tests."""
        known = {c.command.name: {"pid": c.pid, "restarts": c.restarts} for c in self.family.children}
        ports = self.kept["ports"] | {"web": self.plan.port}
        urls = {"web": self.plan.url, "livekit": self.plan.env["LIVEKIT_URL"]}
        if self.plan.demo:
            urls["carrier"] = self.plan.env["CARRIER_URL"]
        note = {"launcher": os.getpid(), "demo": self.plan.demo, "urls": urls, "ports": ports, "processes": known}
        state.write_private(self.state / "processes.json", json.dumps(note, indent=1))

    # ── then ─────────────────────────────────────────────────────────────────────────────────────

    def watch(self) -> None:
        while True:
            self._breathe()

    def down(self) -> None:
        if not self.family.children:
            return
        say("\nStopping …")
        began = time.monotonic()
        self.family.stop(STOP_SECONDS)
        (self.state / "processes.json").unlink(missing_ok=True)
        say(f"Stopped after {time.monotonic() - began:.1f} s.")
