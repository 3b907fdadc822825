"""The environment of every child: what the installation keeps, unless the caller's environment says otherwise."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.launcher import postgres
from config.launcher.state import Installation

LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEPT_PREFIXES = ("PATCHBAY_", "LIVEKIT_", "CARRIER_", "AGENT_", "SIP_", "OPENAI_")
KEPT = ("PORT", "DATABASE_URL", "VALKEY_URL", "MERGE_STRATEGY", "SPEECH", "ALLOWED_HOSTS")
WELL_KNOWN = ("secret", "devkey", "changeme", "password")
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Plan:
    """What will run: the children's variables, and which servers are ours to start."""

    env: dict[str, str]
    demo: bool
    port: int
    own_postgres: bool
    own_valkey: bool
    own_livekit: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def saved(self) -> str:
        """The lines that let a second terminal find the running product."""
        names = sorted(n for n in self.env if n.startswith(KEPT_PREFIXES) or n in KEPT)
        return "".join(f"{name}={self.env[name]}\n" for name in names if "\n" not in self.env[name])


def plan(given: Mapping[str, str], *, demo: bool, state: Path, kept: Installation, port: int) -> Plan:
    """Raises SystemExit with one line where the caller's environment cannot work."""
    _refuse_half_a_livekit(given)
    if not demo:
        _refuse_default_secrets(given)
    env = {name: value for name, value in given.items() if value}
    own = {name: name not in env for name in ("DATABASE_URL", "VALKEY_URL", "LIVEKIT_URL")}
    ports = kept["ports"]
    env["PATCHBAY_STATE"] = str(state.resolve())
    env["PORT"] = str(port)
    env["PYTHONUNBUFFERED"] = "1"
    env["PATCHBAY_BOOT"] = secrets.token_hex(8)  # by which the launcher knows its own console
    defaults = {
        "PATCHBAY_INSTALLATION": kept["installation"],
        "PATCHBAY_SECRET_KEY": kept["secret_key"],
        "PATCHBAY_CONSOLE_URL": f"http://127.0.0.1:{port}",
        # Two databases: trying the demo first never stands in the way of the real start.
        "DATABASE_URL": postgres.database_url(state, "demo" if demo else "patchbay"),
        "VALKEY_URL": f"redis://:{kept['valkey_password']}@127.0.0.1:{ports['valkey']}/0",
        "LIVEKIT_URL": f"ws://127.0.0.1:{ports['livekit']}",
        "LIVEKIT_API_KEY": kept["livekit_key"],
        "LIVEKIT_API_SECRET": kept["livekit_secret"],
    }
    env = defaults | env
    env.pop("PATCHBAY_DEMO", None)
    if demo:
        carrier = f"http://127.0.0.1:{ports['carrier']}"
        env |= {
            "PATCHBAY_DEMO": "1",
            "CARRIER_PORT": str(ports["carrier"]),
            "CARRIER_TOKEN": kept["carrier_token"],
            "CARRIER_URL": carrier,
            "LIVEKIT_API_URL": carrier,
        }
    return Plan(
        env=env,
        demo=demo,
        port=port,
        own_postgres=own["DATABASE_URL"],
        own_valkey=own["VALKEY_URL"],
        own_livekit=own["LIVEKIT_URL"],
    )


def refuse_foreign_livekit(given: Mapping[str, str]) -> None:
    """The demo places calls: not on somebody's real LiveKit unless they said so."""
    host = urlsplit(given.get("LIVEKIT_URL", "")).hostname or ""
    if host and host not in LOOPBACK and given.get("YES") != "1":
        raise SystemExit(
            f"Patchbay: LIVEKIT_URL is {host}, not this machine, and the demo places calls there. "
            "Unset it, use `make start`, or run `YES=1 make demo` if that is what you want."
        )


def _refuse_half_a_livekit(given: Mapping[str, str]) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        if given.get("LIVEKIT_URL") and not given.get(name):
            raise SystemExit(
                f"Patchbay: LIVEKIT_URL is set and {name} is not. Set it to the server's, "
                "or unset LIVEKIT_URL to use the server that comes with Patchbay."
            )


def _refuse_default_secrets(given: Mapping[str, str]) -> None:
    for name in ("PATCHBAY_SECRET_KEY", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        value = given.get(name, "")
        short = name != "LIVEKIT_API_KEY" and len(value) < SHORTEST_SECRET
        if value and (value.lower() in WELL_KNOWN or value.startswith("django-insecure") or short):
            raise SystemExit(
                f"Patchbay: {name} is a well-known or short value ({SHORTEST_SECRET} characters are needed). "
                "Unset it and Patchbay makes one, or set one of your own."
            )
