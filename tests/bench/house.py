"""The running product as a bench sees it: its carrier, its database, a supervisor, its processes."""

from __future__ import annotations

import http.cookiejar
import json
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import psycopg

from config.launcher.demo import PASSWORD
from tests.product import Product, until

T = TypeVar("T")

SUPERVISOR = "priya"
TIMEOUT_S = 15.0


class Carrier:
    """The simulator's switches (`/carrier`)."""

    def __init__(self, product: Product) -> None:
        settings = product.settings
        self._url, self._token = settings["CARRIER_URL"], settings["CARRIER_TOKEN"]

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/carrier/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)

    def place(self, story: str, *, at_most_s: float = 240, chatter: bool = True) -> dict[str, Any]:
        """A caller comes in; `id` and `room`. Without `chatter` they say nothing."""
        body = {"story": story, "at_most_s": at_most_s, "chatter": chatter}
        placed: dict[str, Any] = self._ask("calls", body)
        return placed

    def hang_up(self, caller_id: str) -> None:
        self._ask(f"calls/{caller_id}", method="DELETE")

    def dials(self, since: float) -> list[dict[str, Any]]:
        """The CreateSIPParticipant requests that came in, oldest first; `at` is in epoch seconds."""
        rows: list[dict[str, Any]] = self._ask(f"requests?since={since}")["requests"]
        return rows

    def events(self, dial_id: str) -> list[str]:
        """What happened to a dialled phone, in order."""
        return [event["what"] for event in self._ask(f"requests/{dial_id}")["events"]]

    def next_dial(self, number: str, **script: Any) -> None:
        """What whoever has this number does when it is dialled next."""
        self._ask("scripts", {"to": number, **script})

    def hang_up_phone(self, dial_id: str) -> None:
        self._ask(f"requests/{dial_id}/do", {"hang_up": True})

    def fault(self, method: str, fault: str, *, times: int = 1) -> None:
        """What the server answers to the next requests of a method: see the simulator's `faults.py`."""
        self._ask("faults", {"method": method, "fault": fault, "times": times})

    def say(self, dial_id: str, words: str) -> None:
        self._ask(f"requests/{dial_id}/do", {"say": words})

    def press(self, dial_id: str, key: str) -> None:
        self._ask(f"requests/{dial_id}/do", {"press": key})


class Records:
    """What the product's database says, read beside it."""

    def __init__(self, product: Product) -> None:
        self._connection = psycopg.connect(product.settings["DATABASE_URL"], autocommit=True)

    def one(self, sql: str, *values: Any) -> Any:
        """The first column of the first row; None where there is none."""
        row = self._connection.execute(sql, values).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None

    def all(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()  # type: ignore[call-overload]

    def close(self) -> None:
        self._connection.close()


@contextmanager
def records(product: Product) -> Iterator[Records]:
    made = Records(product)
    try:
        yield made
    finally:
        made.close()


def surely(act: Callable[[], T], *, within_s: float = 45) -> T:
    """As a person does whose console is away for a moment: again."""
    end = time.monotonic() + within_s
    while True:
        try:
            return act()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


class Supervisor:
    """A person with a session, who posts what the pages' buttons post."""

    def __init__(self, product: Product, name: str = SUPERVISOR) -> None:
        self._url, self._cookies = product.url, http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._opener.open(f"{self._url}/login", timeout=TIMEOUT_S).close()
        self.post("login", username=name, password=PASSWORD)

    def post(self, path: str, **fields: str) -> None:
        self._answer(path, fields)

    def read(self, path: str) -> str:
        """A page's HTML."""
        with self._opener.open(f"{self._url}/{path}", timeout=TIMEOUT_S) as answer:
            return str(answer.read().decode())

    def ask(self, path: str, **fields: str) -> dict[str, Any]:
        """What a POST answers in JSON."""
        told: dict[str, Any] = json.loads(self._answer(path, fields))
        return told

    def _answer(self, path: str, fields: dict[str, str]) -> bytes:
        token = next(cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken")
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        request = urllib.request.Request(f"{self._url}/{path}", data, {"Referer": self._url})
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read()
        return content

    def escalate(self, call_id: Any, target: str, *, reason: str = "measured") -> None:
        self.post(f"calls/{call_id}/escalate", key=str(uuid4()), target=target, reason=reason)

    def escalate_surely(self, call_id: Any, target: str, *, within_s: float = 45) -> None:
        """Clicks again while the console is away; the key makes it one request."""
        key = str(uuid4())
        ask = partial(self.post, f"calls/{call_id}/escalate", key=key, target=target, reason="tested")
        surely(ask, within_s=within_s)


def live_call(found: Records, room: str, *, greeted: bool = True) -> Any:
    """The id of a room's call, once its AI is there (and has said its first words)."""
    sql = "SELECT id FROM calls_call WHERE room_name = %s AND state = 'active' AND agent_state <> ''"
    until(lambda: found.one(sql, room), 30, "the call has its AI")
    call_id = found.one(sql, room)
    if greeted:
        words = "SELECT count(*) FROM calls_utterance WHERE call_id = %s AND speaker = 'ai'"
        until(lambda: found.one(words, call_id), 30, "the AI greets")
    return call_id


# ── processes ────────────────────────────────────────────────────────────────────────────────────

TICKS = os.sysconf("SC_CLK_TCK")


def tree(*roots: int) -> set[int]:
    """These processes and everything below them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            parents[int(entry.name)] = int(stat[1])
    found = {pid for pid in roots if pid in parents}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name: state, parent, …; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def cpu_seconds(pids: set[int]) -> float:
    """Used so far, with what their ended children used."""
    return sum(sum(map(int, stat[11:15])) for pid in pids if (stat := _stat(pid))) / TICKS


def pss_mb(pids: set[int]) -> float:
    """Memory, what is shared counted in shares."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return total / 1024


class Meter:
    """CPU of process trees between `__init__` and `per_cent`, in per cent of one core."""

    def __init__(self, *roots: int) -> None:
        self._roots = roots
        self._at, self._used = time.monotonic(), cpu_seconds(tree(*roots))

    def per_cent(self) -> float:
        used = cpu_seconds(tree(*self._roots)) - self._used
        return 100 * used / (time.monotonic() - self._at)
