"""What an installation keeps between starts: ports, secrets, and where its processes are."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, cast

FIRST_WEB_PORT = 8000
PORTS = range(20000, 32000)  # below the range that the kernel hands out to outgoing connections
UDP = ("livekit_udp",)
NAMES = ("valkey", "livekit_valkey", "livekit", "livekit_tcp", "livekit_udp", "carrier")


class Installation(TypedDict):
    """What is made once for a state directory."""

    installation: str
    secret_key: str
    livekit_key: str
    livekit_secret: str
    carrier_token: str
    valkey_password: str
    ports: dict[str, int]


def installation(state: Path) -> Installation:
    """Ports and secrets, made once; a remembered port that somebody else has taken is chosen again."""
    kept = _read(state)
    kept.setdefault("installation", secrets.token_hex(4))
    kept.setdefault("secret_key", secrets.token_urlsafe(48))
    kept.setdefault("livekit_key", "API" + secrets.token_hex(6))
    kept.setdefault("livekit_secret", secrets.token_urlsafe(36))
    kept.setdefault("carrier_token", secrets.token_urlsafe(18))
    kept.setdefault("valkey_password", secrets.token_urlsafe(18))
    ports = cast("dict[str, int]", kept.setdefault("ports", {}))
    taken: set[int] = set()
    for name in NAMES:
        if name not in ports or not free(ports[name], udp=name in UDP):
            ports[name] = any_port(taken, udp=name in UDP)
        taken.add(ports[name])
    _write(state, kept)
    return cast("Installation", kept)


def web_port(state: Path, wanted: str) -> int:
    """PORT, or the one remembered, or the first free from 8000."""
    if wanted:
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise SystemExit(f"Patchbay: PORT must be a number from 1 to 65535, not “{wanted}”.")
        if not free(int(wanted)):
            raise SystemExit(
                f"Patchbay: port {wanted} is taken. Stop what uses it, choose another (`PORT=8123 make …`), "
                "or leave PORT out to get the next free one."
            )
        return int(wanted)
    kept = _read(state)
    ports = cast("dict[str, int]", kept.setdefault("ports", {}))
    port = ports.get("web", FIRST_WEB_PORT)
    while not free(port):
        port += 1
    ports["web"] = port
    _write(state, kept)
    return port


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
    for port in random.sample(PORTS, len(PORTS)):
        if port not in taken and free(port, udp=udp):
            return port
    raise SystemExit("Patchbay: no free port between 20000 and 32000. Stop what uses them.")


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the installation; a second launcher of the same one ends with a line."""
    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SystemExit(
            "Patchbay: this checkout is already running. Stop it with Ctrl-C in its terminal "
            f"(its processes are listed in {state / 'processes.json'}), or use a second checkout."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replace a file that only we may read."""
    temporary = path.with_name(f"{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def _read(state: Path) -> dict[str, object]:
    path = state / "installation.json"
    return cast("dict[str, object]", json.loads(path.read_text())) if path.exists() else {}


def _write(state: Path, kept: dict[str, object]) -> None:
    write_private(state / "installation.json", json.dumps(kept, indent=1))
