"""What an installation keeps between starts: ports, secrets, and where its processes are."""

from __future__ import annotations

import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

FIRST_PORT = 8000


def read(state: Path) -> dict[str, Any]:
    path = state / "installation.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_private(path: Path, text: str) -> None:
    """Replace a file that only we may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def installation(state: Path) -> dict[str, Any]:
    """Ports and secrets, made once; a remembered port that somebody else has taken is chosen again."""
    kept = read(state)
    kept.setdefault("installation", secrets.token_hex(4))
    kept.setdefault("secret_key", secrets.token_urlsafe(48))
    kept.setdefault("livekit_key", "API" + secrets.token_hex(6))
    kept.setdefault("livekit_secret", secrets.token_urlsafe(36))
    kept.setdefault("carrier_token", secrets.token_urlsafe(18))
    ports = kept.setdefault("ports", {})
    taken: set[int] = set()
    for name in ("valkey", "livekit_valkey", "livekit", "livekit_tcp", "livekit_udp", "carrier"):
        if not ports.get(name) or not free(ports[name], udp=name == "livekit_udp"):
            ports[name] = any_port(taken, udp=name == "livekit_udp")
        taken.add(ports[name])
    write_private(state / "installation.json", json.dumps(kept, indent=1))
    return kept


def web_port(state: Path, wanted: str) -> int:
    """PORT, or the one remembered, or the first free from 8000."""
    if wanted:
        if not wanted.isdigit() or not free(int(wanted)):
            raise SystemExit(
                f"Patchbay: port {wanted} is taken. Stop what uses it, or choose another: `PORT=8123 make demo`."
            )
        return int(wanted)
    kept = read(state)
    ports = kept.get("ports", {})
    port = ports.get("web") or FIRST_PORT
    while not free(port):
        port += 1
    ports["web"] = port
    kept["ports"] = ports
    write_private(state / "installation.json", json.dumps(kept, indent=1))
    return int(port)


def free(port: int, *, udp: bool = False) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_port(taken: set[int], *, udp: bool = False) -> int:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


class Running(Exception):
    """This installation is up already."""


def lock(state: Path) -> int:
    """Hold the installation until the process ends; a second launcher is told."""
    import fcntl

    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SystemExit(
            f"Patchbay: this checkout is already running (see {state / 'processes.json'}). "
            "Stop it with Ctrl-C in its terminal, or use a second checkout."
        ) from None
    return descriptor
