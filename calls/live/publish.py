"""The one way to tell pages that something changed: after commit, bounded, and allowed to fail.

An audience is a department (`d:<id>`, `d:0` for unassigned), a manager (`m:<id>`), a call's viewers
(`c:<id>`) or everyone who sees calls (`all`). What one transaction changed is sent together.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from calls.hints import after_commit
from calls.live.frames import Frame

logger = logging.getLogger(__name__)

CHANNEL = "patchbay:live"
EPOCH = "patchbay:live:epoch"
TIMEOUT_SECONDS = 0.05  # to connect, and again to answer
REST_SECONDS = 1.0  # after a failure nothing is sent for a while: a row of commits must not wait in turn
MOST_UNSENT = 1000  # without a Valkey for longer, pages fetch themselves when it is back
FLEETING = ("partial", "levels")  # worth knowing at once or never

# One sequence an audience, with an epoch that is new whenever Valkey was emptied.
SCRIPT = """
local epoch = redis.call('GET', KEYS[1]) or ''
if epoch == '' then epoch = ARGV[1]; redis.call('SET', KEYS[1], epoch) end
local seq = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[2], cjson.encode({audience=ARGV[3], epoch=epoch, seq=seq, frame=cjson.decode(ARGV[4])}))
return seq
"""

Change = tuple[str, Frame]  # audience, frame
Key = tuple[str, str, str]  # audience, and the frame's row

_client: redis.Redis | None = None
_resting_until = 0.0
_unsent: dict[Key, Change] = {}
_sending = threading.Lock()


def valkey() -> redis.Redis:
    """This process's bounded client."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.VALKEY_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    return _client


def changed(
    kind: str,
    id: str,
    version: int,
    *,
    department_id: int | None = None,
    call_id: str | None = None,
    words: str = "",
) -> None:
    """Something changed in this transaction: after commit, its audiences are told which."""
    frame = Frame(kind=kind, id=id, version=version, call_id=call_id, words=words)
    changes = [(audience, frame) for audience in audiences_of(frame, department_id)]
    waiting: list[Change] | None = getattr(connection, "_patchbay_changes", None)
    if waiting is not None and connection.in_atomic_block and _still_pending(waiting):
        waiting.extend(changes)
        return
    waiting = list(changes)
    connection._patchbay_changes = waiting  # type: ignore[attr-defined]

    def send() -> None:
        sent, waiting[:] = list(waiting), []
        _send(sent)

    send.changes = waiting  # type: ignore[attr-defined]
    after_commit(send)


def _still_pending(waiting: list[Change]) -> bool:
    """Whether this transaction (or the savepoint it is in) will still send that list.

    From the newest on: of a thousand changes in a row each is asked, and finds it at once.
    """
    return any(getattr(entry[1], "changes", None) is waiting for entry in reversed(connection.run_on_commit))


def audiences_of(frame: Frame, department_id: int | None) -> tuple[str, ...]:
    if frame.kind in ("utterance", "partial", "levels"):  # what is heard goes to that call's viewers only
        return (f"c:{frame.call_id}",)
    if frame.kind in ("room", "health"):
        return ("all",)
    audiences = [f"d:{department_id or 0}"]
    if frame.kind == "manager":
        audiences.append(f"m:{frame.id}")
    if frame.call_id:
        audiences.append(f"c:{frame.call_id}")
    return tuple(audiences)


def _newest(changes: Iterable[Change]) -> dict[Key, Change]:
    """One frame for each row and audience: the last."""
    return {(audience, frame.kind, frame.id): (audience, frame) for audience, frame in changes}


def _send(changes: Iterable[Change]) -> None:
    """With what could not be sent before: no page could tell that it is missing, for it has no number yet."""
    global _resting_until
    with _sending:
        if time.monotonic() < _resting_until:
            _keep(_newest(changes))
            return
        sent = _unsent | _newest(changes)
        _unsent.clear()
    if not sent:
        return
    try:
        pipe = valkey().pipeline(transaction=False)
        for audience, frame in sent.values():
            keys = (EPOCH, f"patchbay:live:seq:{audience}")
            text = json.dumps(frame.model_dump(exclude_defaults=True))
            pipe.eval(SCRIPT, 2, *keys, secrets.token_hex(4), CHANNEL, audience, text)
        pipe.execute()
    except redis.RedisError as error:
        logger.warning("live frames wait", extra={"error": type(error).__name__})
        with _sending:
            _resting_until = time.monotonic() + REST_SECONDS
            _keep(sent)
        again = threading.Timer(REST_SECONDS * 1.1, _send, [()])
        again.daemon = True
        again.start()


def _keep(changes: Mapping[Key, Change]) -> None:
    for key, (audience, frame) in changes.items():
        if frame.kind not in FLEETING and len(_unsent) < MOST_UNSENT:
            _unsent[key] = (audience, frame)


def positions(audiences: Iterable[str]) -> Mapping[str, tuple[str, int]]:
    """Where each audience stands: read before a page's rows, so that nothing in between is missed.

    Empty when Valkey does not answer: the page then fetches a snapshot when it does.
    """
    wanted = sorted(audiences)
    try:
        values: Any = valkey().mget([EPOCH, *(f"patchbay:live:seq:{audience}" for audience in wanted)])
    except redis.RedisError:
        return {}
    epoch = (values[0] or b"").decode()
    return {audience: (epoch, int(seq or 0)) for audience, seq in zip(wanted, values[1:], strict=True)}
