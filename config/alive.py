"""`manage.py alive worker|clock`: whether one of this host's processes of a kind has a heartbeat; exit 1 if not.

For liveness probes, which ask every few seconds: Django would take a second of processor time to answer.
"""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime, timedelta

import psycopg

from config import env

ROLES = ("worker", "clock")
SILENT = timedelta(seconds=10)  # the product passes work on after 1.5 s; to be restarted it takes more
ANSWER_SECONDS = 3
BEAT = "SELECT max(beat_at) FROM calls_owner WHERE host = %s AND role = %s"


def main(arguments: list[str]) -> int:
    """A database that does not answer proves nothing: restarting whoever waits for it would help nobody."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        raise SystemExit(f"Patchbay: `manage.py alive` takes one of {', '.join(ROLES)}.")
    role = arguments[0]
    try:
        beat = last_beat(role, socket.gethostname())
    except psycopg.Error as error:
        say(f"The database does not answer ({type(error).__name__}): nothing is known of the {role}.")
        return 0
    if beat is None:
        say(f"No {role} of this host has ever had a heartbeat.")
        return 1
    silent = datetime.now(tz=UTC) - beat
    say(f"The last heartbeat of a {role} of this host is {silent.total_seconds():.1f} s old.")
    return int(silent > SILENT)


def last_beat(role: str, host: str) -> datetime | None:
    with psycopg.connect(env.required("DATABASE_URL"), connect_timeout=ANSWER_SECONDS) as connection:
        row = connection.execute(BEAT, (host, role)).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
