"""The product on two hosts, as a deployment runs it.

Servers and one of each program are on the first, one of each on the second, a balancer is before the webs. To be
run on the first host (`tests/hosts.py`); prints what happened, as JSON.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from config import env
from config.launcher import answers, livekit_build, postgres, servers
from config.launcher.children import Child
from config.launcher.commands import Command
from config.launcher.environment import KEPT, KEPT_PREFIXES
from tests.balancer import Balancer
from tests.floor import Caller, Floor
from tests.hosts import Host
from tests.product import gone, until

UP_SECONDS = 120.0
PORTS = {"balancer": 8000, "web": 8001, "agents": 8081, "metrics": 9100, "valkey": 6379, "postgres": 5432}
PORTS |= {"livekit": 7880, "livekit_tcp": 7881, "livekit_udp": 7882, "livekit_valkey": 6380, "carrier": 5060}
PROGRAMS = ("web", "worker", "clock", "agents")


class TwoHosts:
    """What `Floor` needs to know of a product: where it is, and its settings."""

    def __init__(self, one: Host, two: Host) -> None:
        self.one, self.two = one, two
        self.state = Path(tempfile.mkdtemp(prefix="patchbay-hosts-"))
        self.state.chmod(0o711)  # as root, PostgreSQL's account has to get to its data
        (self.state / "logs").mkdir()
        self.password, self.key = secrets.token_hex(8), secrets.token_hex(20)
        self.url = f"http://{one.address}:{PORTS['balancer']}"
        self.traces = self.state / "traces.jsonl"
        webs = [(host.address, PORTS["web"]) for host in (one, two)]
        self.balancer = Balancer((one.address, PORTS["balancer"]), webs)
        self.servers: list[Child] = []
        self.programs: dict[tuple[str, str], Child] = {}

    @property
    def settings(self) -> dict[str, str]:
        at = self.one.address
        carrier = f"http://{at}:{PORTS['carrier']}"
        return {
            "DATABASE_URL": f"postgresql://postgres@{at}:{PORTS['postgres']}/patchbay",
            "VALKEY_URL": f"redis://:{self.password}@{at}:{PORTS['valkey']}/0",
            "LIVEKIT_URL": f"ws://{at}:{PORTS['livekit']}",
            "LIVEKIT_API_URL": carrier,
            "LIVEKIT_API_KEY": "APIhosts",
            "LIVEKIT_API_SECRET": self.key,
            "PATCHBAY_SECRET_KEY": self.key,
            "PATCHBAY_CONSOLE_URL": self.url,
            "PATCHBAY_INSTALLATION": "hosts",
            "PATCHBAY_DEMO": "1",
            "ALLOWED_HOSTS": at,
            "CARRIER_URL": carrier,
            "CARRIER_HOST": at,
            "CARRIER_PORT": str(PORTS["carrier"]),
            "CARRIER_TOKEN": self.key,
            "METRICS_TOKEN": self.key,
            "SPEECH": "scripted",
            "LOG_FORMAT": "json",
            "OTEL_TRACES_FILE": str(self.traces),
        }

    def environment(self, host: Host) -> dict[str, str]:
        foreign = (*KEPT_PREFIXES, "DJANGO_")
        clean = {n: v for n, v in os.environ.items() if not n.startswith(foreign) and n not in KEPT}
        own = {
            "PATCHBAY_STATE": str(self.state / host.name),
            "WEB_HOST": host.address,
            "PORT": str(PORTS["web"]),
            "AGENT_HTTP_HOST": host.address,
            "AGENT_HTTP_PORT": str(PORTS["agents"]),
            "METRICS_HOST": host.address,
            "PYTHONUNBUFFERED": "1",
        }
        return clean | self.settings | own

    # ── up and down ──────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self.balancer.start()
        self._start_servers()
        self.manage("prepare", "--demo")
        self._serve(
            Command("carrier", (sys.executable, "-m", "calls.telephony.simulator")), self.environment(self.one)
        )
        until(partial(answers.http, self.settings["CARRIER_URL"]), UP_SECONDS, "the carrier simulator is up")
        for host in (self.one, self.two):
            for name in PROGRAMS:
                self._run(host, name)
        until(self._all_up, UP_SECONDS, "every program of both hosts is up")

    def _start_servers(self) -> None:
        at, own = self.one.address, dict(os.environ)
        database = postgres.command(self.state, durable=False)
        data = Path(database.argv[database.argv.index("-D") + 1])
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {at}/24 trust\n")
        listens = ("-c", f"listen_addresses={at}", "-c", f"port={PORTS['postgres']}")
        self._serve(Command("postgres", (*database.argv, *listens), user=database.user, stop_signal=2), own)
        valkey = partial(servers.valkey, state=self.state, password=self.password, append_only=False)
        self._serve(valkey("valkey", port=PORTS["valkey"], host=at), own)
        self._serve(valkey("livekit-valkey", port=PORTS["livekit_valkey"]), own)
        url = self.settings["DATABASE_URL"]
        until(partial(answers.database, url, create=True), 30, "PostgreSQL is up")
        until(partial(answers.valkey, self.settings["VALKEY_URL"]), 20, "Valkey is up")
        livekit = servers.LiveKitSettings(
            http=PORTS["livekit"],
            tcp=PORTS["livekit_tcp"],
            udp=PORTS["livekit_udp"],
            key=self.settings["LIVEKIT_API_KEY"],
            secret=self.key,
            webhook_url=f"{self.url}/webhooks/livekit",
            valkey_port=PORTS["livekit_valkey"],
            valkey_password=self.password,
            host=at,
        )
        binary = livekit_build.find_or_build(lambda line: None, lambda: None)
        self._serve(servers.livekit(binary, self.state, livekit), own)
        until(partial(answers.http, f"http://{at}:{PORTS['livekit']}/"), 30, "livekit-server is up")

    def _serve(self, command: Command, environment: dict[str, str]) -> None:
        child = Child(command, logs=self.state / "logs", env=environment, cwd=env.ROOT)
        child.start()
        self.servers.append(child)

    def _run(self, host: Host, name: str) -> None:
        argv = host.argv(sys.executable, "manage.py", "run", name)
        command = Command(f"{host.name}-{name}", argv, death_signal=signal.SIGKILL)
        child = Child(command, logs=self.state / "logs", env=self.environment(host), cwd=env.ROOT)
        child.start()
        self.programs[host.name, name] = child

    def _all_up(self) -> bool:
        for child in (*self.servers, *self.programs.values()):
            assert child.ended is None, f"{child.command.name}: {child.log_path.read_text()[-2000:]}"
        agents = (self.log(host, "agents") for host in (self.one, self.two))
        return all("registered worker" in log for log in agents) and all(map(self.is_ready, (self.one, self.two)))

    def stop(self) -> None:
        for child in (*self.programs.values(), *reversed(self.servers)):
            child.terminate()
        for child in (*self.programs.values(), *reversed(self.servers)):
            child.finish(8)
        self.balancer.stop()
        kept = os.environ.get("PATCHBAY_KEEP")
        if kept:
            shutil.copytree(self.state / "logs", Path(kept) / self.state.name, dirs_exist_ok=True)
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(postgres.socket_dir(self.state), ignore_errors=True)

    # ── looking and killing ──────────────────────────────────────────────────────────────────────

    def manage(self, *arguments: str) -> str:
        """On the first host."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=env.ROOT,
            env=self.environment(self.one),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log(self, host: Host, name: str) -> str:
        return self.programs[host.name, name].log_path.read_text(errors="replace")

    def is_ready(self, host: Host) -> bool:
        return answers_ok(f"http://{host.address}:{PORTS['web']}/healthz/ready")

    def metrics(self, host: Host) -> str:
        """What its web tells Prometheus, which is elsewhere."""
        url, headers = f"http://{host.address}:{PORTS['web']}/metrics", {"Authorization": f"Bearer {self.key}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            told: bytes = answer.read()
        return told.decode()

    def jobs(self, host: Host) -> int:
        """How many its agent server has."""
        with urllib.request.urlopen(f"http://{host.address}:{PORTS['agents']}/worker", timeout=5) as answer:
            return int(json.load(answer).get("active_jobs", 0))

    def is_alive(self, host: Host, role: str) -> bool:
        """As a liveness probe of that host asks."""
        argv = host.argv(sys.executable, "manage.py", "alive", role)
        done = subprocess.run(argv, cwd=env.ROOT, env=self.environment(host), capture_output=True, check=False)
        return done.returncode == 0

    def kill(self, host: Host, name: str) -> None:
        """And nobody starts it again."""
        child = self.programs.pop((host.name, name))
        os.kill(child.pid, signal.SIGKILL)
        until(lambda: gone(child.pid), 10, f"{name} of {host.name} is gone")
        self.servers.append(child)  # to be cleaned up with the others

    def owner_of_dial(self, floor: Floor, caller: Caller) -> Host:
        """The host of the process that dials."""
        sql = (
            "SELECT o.host FROM calls_effect e JOIN calls_owner o ON o.id = e.owner_id "
            "WHERE e.kind = 'dial' AND e.subject_id = %s"
        )
        found = floor.records.one(sql, caller.of_attempt("id"))
        return self.one if found == self.one.name else self.two


def answers_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def running(one: Host, two: Host) -> Iterator[TwoHosts]:
    house = TwoHosts(one, two)
    try:
        house.start()
        yield house
    finally:
        house.stop()


def story(house: TwoHosts) -> dict[str, Any]:
    """One transfer, in whose middle a worker, a web and an agent server are killed: what came of it."""
    floor = Floor(house)  # type: ignore[arg-type]
    try:
        floor.everybody_is_free()
        caller = floor.calls_in("Billing")
        caller.escalated(rings_s=4.0)
        until(lambda: caller.of_attempt("state") in ("dialing", "ringing"), 15, "the phone rings")
        dials = house.owner_of_dial(floor, caller)
        house.kill(dials, "worker")
        house.kill(house.one, "web")
        caller.is_briefed(within_s=40)
        busiest = max((house.one, house.two), key=house.jobs)
        house.kill(busiest, "agents")
        caller.manager_takes_it(within_s=90)
        caller.is_with("manager")
        merged = caller.of_transfer("state")
        caller.one_dial_an_attempt()
        other = house.two if dials is house.one else house.one
        told = {
            "transfer": str(caller.of_transfer("id")),
            "merged": merged,
            "killed": [f"{dials.name} worker", f"{house.one.name} web", f"{busiest.name} agents"],
            "alive": {"worker": house.is_alive(other, "worker"), "killed worker": house.is_alive(dials, "worker")},
            "metrics": house.metrics(house.two),
            "ready": {house.one.name: house.is_ready(house.one), house.two.name: house.is_ready(house.two)},
        }
        caller.is_over(within_s=25)
        told |= {
            "ended": caller.of_transfer("state"),
            "end_reason": caller.of_transfer("end_reason"),
            "caller_state": caller.of_call("state"),
        }
        return told
    finally:
        floor.close()


def main(one: Host, two: Host) -> None:
    with running(one, two) as house:
        told = story(house)
        spans = [json.loads(line) for line in house.traces.read_text().splitlines()]
        lines = [line for host in (one, two) for name in PROGRAMS for line in _lines(house, host, name)]
        told |= {"spans": spans, "log_lines": lines}
    sys.stdout.write(json.dumps(told) + "\n")


def _lines(house: TwoHosts, host: Host, name: str) -> list[str]:
    return (house.state / "logs" / f"{host.name}-{name}.log").read_text(errors="replace").splitlines()


if __name__ == "__main__":
    main(*(Host(*argument.split(",")) for argument in sys.argv[1:3]))
