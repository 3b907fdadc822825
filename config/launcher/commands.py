"""What the launcher starts: one typed description of a child."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """One child: its arguments, the account it runs as where that is not ours, more environment.

    `bare` children are servers: they stop last and get no secrets in their environment. `stop_signal` asks
    it to end; `death_signal` is what the kernel sends it when the launcher is killed.
    """

    name: str
    argv: tuple[str, ...]
    user: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    bare: bool = False
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGTERM


def manage(name: str, *arguments: str) -> Command:
    return Command(name, (sys.executable, "manage.py", *arguments))


def carrier() -> Command:
    return Command("carrier", (sys.executable, "-m", "calls.telephony.simulator"))


def agents() -> Command:
    return Command("agents", (sys.executable, "-m", "config.agents"), death_signal=signal.SIGKILL)


def programs(port: int, *, host: str = "127.0.0.1") -> tuple[Command, ...]:
    """The programs that stand on the database.

    A warm end is asked for when stopping; with a killed launcher they just end.
    """
    # Daphne's access log (verbosity 1) holds addresses with what was searched for; sockets have no time limit.
    daphne = ("-v", "0", "-b", host, "-p", str(port), "--proxy-headers", "--websocket_timeout", "-1")
    celery = ("worker", "--pool", "threads", "--concurrency", "8", "--queues", "control,default")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning")
    python = sys.executable
    return (
        Command("web", (python, "-m", "daphne", *daphne, "config.asgi:application")),
        Command(
            "worker", (python, "-m", "celery", "-A", "config.celery", *celery, *alone), death_signal=signal.SIGKILL
        ),
        manage("clock-1", "clock"),
        manage("clock-2", "clock"),
    )
