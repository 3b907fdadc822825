"""The environment, read once: a missing or wrong variable is one clear line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent


class Missing(SystemExit):
    """Ends the process with the one line."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"Patchbay: {name} is not set. {why}")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def secret(name: str, why: str) -> str:
    """A secret has no default: without it the process ends with one line."""
    value = text(name)
    if not value:
        raise Missing(name, why)
    return value


def flag(name: str) -> bool:
    return text(name).lower() in ("1", "true", "yes", "on")


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise SystemExit(f"Patchbay: {name} must be a whole number, not “{value}”.") from None


def state_dir() -> Path:
    return Path(text("PATCHBAY_STATE", str(ROOT / ".patchbay")))


def load_state() -> None:
    """Let `manage.py …` in a second terminal find the running product: its variables are in the state.

    The launcher writes them (0600) when it starts; what is set in the environment wins.
    """
    path = state_dir() / "environment"
    if path.exists():
        for line in path.read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)


def database(url: str) -> dict[str, object]:
    """DATABASE_URL (`postgresql://user:password@host:port/name`, or `?host=/socket/dir`) for Django."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SystemExit("Patchbay: DATABASE_URL must begin with postgresql://. PostgreSQL is the only database.")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    from urllib.parse import unquote

    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", "")) or parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


def fail(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201
    raise SystemExit(1)
