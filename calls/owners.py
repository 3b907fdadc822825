"""This process as an owner of claims: one heartbeat row, renewed from a thread of its own."""

from __future__ import annotations

import logging
import os
import socket
import threading
from datetime import timedelta

from django.db import Error, close_old_connections, connection

from calls.models import Owner, OwnerRole
from calls.timing import now

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.3
SILENT_AFTER = timedelta(seconds=1.5)
FORGET_AFTER = timedelta(hours=1)

_lock = threading.Lock()
_mine: Owner | None = None


def own(role: OwnerRole) -> Owner:
    """This process's owner row; the first call makes it and starts its heartbeat."""
    global _mine
    with _lock:
        if _mine is None or _mine.pid != os.getpid():
            _mine = Owner.objects.create(role=role, host=socket.gethostname(), pid=os.getpid())
            threading.Thread(target=_beat, args=(_mine,), name="owner-heartbeat", daemon=True).start()
        return _mine


def _beat(owner: Owner) -> None:
    pause = threading.Event()
    while not pause.wait(BEAT_SECONDS):
        try:
            changed = Owner.objects.filter(pk=owner.pk).update(beat_at=now())
            if not changed:  # forgotten while this process was stopped: come back under the same id
                owner.beat_at = now()
                owner.save(force_insert=True)
        except Error as error:
            logger.warning("heartbeat not written", extra={"error": type(error).__name__})
            connection.close()
            close_old_connections()


def forget_old() -> None:
    """Drop owners long silent that own nothing."""
    Owner.objects.filter(beat_at__lt=now() - FORGET_AFTER, effect=None).delete()
