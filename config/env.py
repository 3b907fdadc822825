"""The environment, read once: a missing or wrong variable is one clear line."""

from __future__ import annotations

import os
import sys
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit

from config.options import OPTIONS

ROOT = Path(__file__).resolve().parent.parent
SHORTEST_KEY = 32


HOW = "Run `make demo` or `make start`, which set it, or see docs/settings.md."


class Missing(SystemExit):
    """Ends the process with the one line."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Patchbay: {name} is not set. {HOW}")


def text(name: str, default: str = "") -> str:
    """The setting as it is, else `default` where that is made, else the one it is listed with."""
    return os.environ.get(name, "").strip() or default or OPTIONS[name].default


def required(name: str) -> str:
    """It has no default: without it the process ends with one line."""
    value = text(name)
    if not value:
        raise Missing(name)
    return value


def flag(name: str) -> bool:
    return text(name).lower() in ("1", "true", "yes", "on")


def items(name: str) -> list[str]:
    """What stands between its commas."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def keys(name: str) -> list[str]:
    """Secrets between commas, none of them short."""
    found = items(name)
    if any(len(key) < SHORTEST_KEY for key in found):
        raise SystemExit(f"Patchbay: {name} has a key of less than {SHORTEST_KEY} characters.")
    return found


def number(name: str) -> int:
    value = text(name)
    try:
        return int(value)
    except ValueError:
        raise SystemExit(f"Patchbay: {name} must be a whole number, not “{value}”.") from None


def time_of_day(name: str) -> time | None:
    """`03:30`, in UTC; None where it is not set."""
    value = text(name)
    try:
        return time.fromisoformat(value).replace(tzinfo=None) if value else None
    except ValueError:
        raise SystemExit(f"Patchbay: {name} must be a time of day as 03:30, not “{value}”.") from None


def choice(name: str, *known: str) -> str:
    """One of the words it may be."""
    value = text(name)
    if value not in known:
        raise SystemExit(f"Patchbay: {name} must be {' or '.join(known)}, not “{value}”.")
    return value


def state_dir() -> Path:
    return ROOT / text("PATCHBAY_STATE")  # a whole path stays what it is


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
