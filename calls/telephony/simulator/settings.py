"""What the simulator reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NEEDED = ("CARRIER_PORT", "CARRIER_TOKEN", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


@dataclass(frozen=True)
class Settings:
    """`url` is livekit-server's for clients (ws), `api_url` the same for requests (http)."""

    port: int
    token: str = field(repr=False)
    url: str
    key: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    moves: bool = False  # as LiveKit Cloud; a self-hosted server moves nobody

    @property
    def api_url(self) -> str:
        return self.url.replace("ws", "http", 1).rstrip("/") if self.url.startswith("ws") else self.url.rstrip("/")


def read(environment: Mapping[str, str]) -> Settings:
    """Raises SystemExit with one line where something is missing or no number."""
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise SystemExit(f"Patchbay's carrier simulator needs {', '.join(missing)}; `make demo` sets them.")
    port, token, url, key, secret = (environment[name] for name in NEEDED)
    if not port.isdigit():
        raise SystemExit("Patchbay's carrier simulator: CARRIER_PORT is not a port number.")
    host = environment.get("CARRIER_HOST") or Settings.host
    moves = environment.get("CARRIER_MOVES") == "1"
    return Settings(port=int(port), token=token, url=url, key=key, secret=secret, host=host, moves=moves)
