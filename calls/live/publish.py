"""The one way to tell pages that something changed: after commit, bounded, and allowed to fail.

An audience is a department (`d:<id>`, `d:0` for unassigned), a call's viewers (`c:<id>`) or everyone (`all`).
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable

import redis
from django.conf import settings

from calls.hints import after_commit
from calls.live.frames import Frame

logger = logging.getLogger(__name__)

CHANNEL = "patchbay:live"
TIMEOUT_SECONDS = 0.1

# One sequence an audience, with an epoch that is new whenever Valkey was emptied.
SCRIPT = """
local epoch = redis.call('GET', KEYS[1]) or ''
if epoch == '' then epoch = ARGV[1]; redis.call('SET', KEYS[1], epoch) end
local seq = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[2], cjson.encode({audience=ARGV[3], epoch=epoch, seq=seq, frame=cjson.decode(ARGV[4])}))
return seq
"""

_client: redis.Redis | None = None


def valkey() -> redis.Redis:
    """This process's bounded client."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.VALKEY_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    return _client


def changed(
    kind: str, id: str, version: int, *, department_id: int | None = None, call_id: str | None = None
) -> None:
    """Something changed in this transaction: after commit, its audiences are told which."""
    frame = Frame(kind=kind, id=id, version=version, call_id=call_id)
    audiences = [f"d:{department_id or 0}"]
    if kind in ("room", "health"):
        audiences = ["all"]
    if call_id:
        audiences.append(f"c:{call_id}")
    if kind == "utterance":
        audiences = [f"c:{call_id}"]  # words go to that call's viewers only
    after_commit(lambda: _send(audiences, frame))


def _send(audiences: Iterable[str], frame: Frame) -> None:
    try:
        pipe = valkey().pipeline(transaction=False)
        for audience in audiences:
            keys = ("patchbay:live:epoch", f"patchbay:live:seq:{audience}")
            pipe.eval(SCRIPT, 2, *keys, secrets.token_hex(4), CHANNEL, audience, json.dumps(frame.model_dump()))
        pipe.execute()
    except redis.RedisError as error:
        logger.warning("live frame lost", extra={"error": type(error).__name__})
