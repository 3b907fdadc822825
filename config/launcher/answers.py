"""Whether a part of the product answers yet."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql


def http(url: str) -> bool:
    """Any answer counts, also a refusal."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def console(url: str, boot: str) -> bool:
    """Whether the console of this very start answers: another checkout may have taken the port meanwhile."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:
            body: bytes = response.read()
            return body.decode() == f"ok {boot}"
    except OSError:
        return False


def valkey(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def database(url: str, *, create: bool) -> bool:
    """Whether PostgreSQL answers; with `create`, the database is made if it is missing."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    at = urlunsplit(parts._replace(path="/postgres")) if create else url
    try:
        with psycopg.connect(at, connect_timeout=2, autocommit=True) as connection:
            if (
                create
                and not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            ):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error:
        return False
    return True


def agents(note: Path) -> bool:
    """Whether the AgentServer that writes this note is registered with LiveKit, whatever it logs."""
    return note.exists() and bool(json.loads(note.read_text())["registered"])
